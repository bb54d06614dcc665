#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"

namespace todo::api {

/// Explains to a caller why `bytes` could not be parsed as a message of type `type`. Always
/// kInvalidArgument: with a violation for each text field that is not UTF-8, or, when there is
/// none, with reason MALFORMED_REQUEST. Slow, but bounded by the size of the request. Thread
/// safety: a pure function.
absl::Status ExplainMalformed(std::string_view bytes, const google::protobuf::Descriptor& type);

}  // namespace todo::api
