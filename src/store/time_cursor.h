#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "domain/ids.h"
#include "domain/time.h"

// Inside the room only: page tokens of lists that are ordered by time and id, the newest first.

namespace todo::store {

/// The last element of a page. The next page begins behind it.
struct TimeCursor {
  domain::Instant at;
  domain::Uuid id;
};

/// The page token for the page behind `cursor`.
std::string EncodeTimeCursor(const TimeCursor& cursor);
/// An empty token is before the first element. kInvalidArgument: `token` was not made by
/// EncodeTimeCursor.
absl::StatusOr<TimeCursor> DecodeTimeCursor(const std::string& token);

}  // namespace todo::store
