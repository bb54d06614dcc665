#include "support/fake_preferred_zones.h"

namespace todo::support {

absl::StatusOr<std::string> FakePreferredZones::ZoneOf(const domain::UserId& user) {
  if (absl::Status status = database_.failure(); !status.ok()) return status;
  auto tables = database_.Read();
  const auto found = tables->preferred_zones.find(user);
  return found == tables->preferred_zones.end() ? "UTC" : found->second.time_zone;
}

absl::Status FakePreferredZones::Keep(const domain::UserId& user, const std::string& time_zone,
                                      domain::Instant changed_at) {
  return database_.Write([&](FakeDatabase::Tables& tables) {
    const auto [row, is_new] =
        tables.preferred_zones.try_emplace(user, FakeDatabase::ZoneRow{time_zone, changed_at});
    if (!is_new && row->second.changed_at < changed_at) row->second = {time_zone, changed_at};
    return absl::OkStatus();
  });
}

}  // namespace todo::support
