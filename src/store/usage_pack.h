#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "domain/event/event.h"
#include "domain/task/task.h"

// Inside the room only: many events of a user in few bytes, as the table usage_packs has them.

namespace todo::store {

/// What usage knows of an event. Times are quarters of an hour since the epoch.
struct UsageFact {
  std::int64_t quarter = 0;
  domain::ChangeKind kind = domain::ChangeKind::kCreated;
  bool born = false;                          // the task was created for the first time
  std::optional<std::int64_t> created = {};   // when the task was created; not after `quarter`
  std::optional<std::int64_t> duration = {};  // microseconds from creating to completing
  std::optional<domain::Priority> priority = {};
  std::size_t first_tag = 0;                 // in UsagePack::tags
  std::size_t tags = 0;                      // their number
  std::optional<std::uint32_t> series = {};  // in UsagePack::texts
  bool operator==(const UsageFact&) const = default;
};

/// Events in ascending order of time, with their texts: each text once.
struct UsagePack {
  std::vector<std::string> texts;
  std::vector<std::uint32_t> tags;  // each the number of a text
  std::vector<UsageFact> facts;
  bool operator==(const UsagePack&) const = default;
};

/// Reads events that the database has written with usage_fact, in ascending order of time: a JSON
/// array of them. kInternal: it is something else.
absl::StatusOr<UsagePack> ParseUsageFacts(std::string_view json);

/// About ten bytes for each event.
std::string EncodeUsagePack(const UsagePack& pack);
/// kDataLoss: EncodeUsagePack did not write `bytes`.
absl::StatusOr<UsagePack> DecodeUsagePack(std::string_view bytes);

}  // namespace todo::store
