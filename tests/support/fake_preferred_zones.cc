#include "support/fake_preferred_zones.h"

#include <algorithm>

namespace todo::support {

absl::StatusOr<std::string> FakePreferredZones::ZoneOf(const domain::UserId& user) {
  if (absl::Status status = database_.failure(); !status.ok()) return status;
  auto tables = database_.Read();
  const auto found = tables->preferred_zones.find(user);
  return found == tables->preferred_zones.end() ? "UTC" : found->second.time_zone;
}

absl::Status FakePreferredZones::Announce(const domain::UserId& user, domain::Instant changed_at) {
  return database_.Write([&](FakeDatabase::Tables& tables) {
    FakeDatabase::ZoneRow& row = tables.preferred_zones[user];
    row.announced_at = std::max(row.announced_at, changed_at);
    return absl::OkStatus();
  });
}

absl::Status FakePreferredZones::Keep(const domain::UserId& user, const std::string& time_zone,
                                      domain::Instant changed_at) {
  return database_.Write([&](FakeDatabase::Tables& tables) {
    FakeDatabase::ZoneRow& row = tables.preferred_zones[user];
    if (row.changed_at >= changed_at) return absl::OkStatus();
    row.time_zone = time_zone;
    row.changed_at = changed_at;
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<ports::PreferredZones::Announced>> FakePreferredZones::ListAnnounced(
    int limit) {
  if (absl::Status status = database_.failure(); !status.ok()) return status;
  std::vector<Announced> announced;
  for (const auto& [user, row] : database_.Read()->preferred_zones) {
    if (row.announced_at > row.changed_at) announced.push_back({user, row.announced_at});
  }
  std::ranges::sort(announced, {}, &Announced::changed_at);
  if (announced.size() > static_cast<std::size_t>(limit))
    announced.resize(static_cast<std::size_t>(limit));
  return announced;
}

absl::Status FakePreferredZones::Withdraw(const Announced& announced) {
  return database_.Write([&](FakeDatabase::Tables& tables) {
    FakeDatabase::ZoneRow& row = tables.preferred_zones[announced.user];
    if (row.announced_at == announced.changed_at) row.announced_at = row.changed_at;
    return absl::OkStatus();
  });
}

}  // namespace todo::support
