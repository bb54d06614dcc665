#include "support/fake_crash_log.h"

#include <set>

#include "util/require.h"
#include "util/status.h"

namespace todo::support {

using Tables = FakeDatabase::Tables;

absl::StatusOr<int> FakeCrashLog::CountCrashes() {
  int count = 0;
  TODO_RETURN_IF_ERROR(database_.Write([&](Tables& tables) {
    std::set<std::string> dead{instance_};
    for (const auto& [place, held] : tables.processing) {
      if (!tables.connected.contains(place.first)) dead.insert(place.first);
    }
    for (const std::string& instance : dead) count += CountCrashesOf(instance, tables);
    return absl::OkStatus();
  }));
  return count;
}

int FakeCrashLog::CountCrashesOf(const std::string& instance, Tables& tables) {
  std::set<std::pair<std::string, domain::EventId>> in_hand;
  for (const auto& [place, held] : tables.processing) {
    if (place.first != instance) continue;
    for (const domain::EventHeader& event : held.events) {
      const std::string day = domain::FormatInstant(event.at).substr(0, 10);
      const bool taken = tables.inbox.contains({held.consumer, day, event.id});
      if (!taken || tables.retries.contains({held.consumer, event.id}))
        in_hand.emplace(held.consumer, event.id);
    }
  }
  for (const auto& suspect : in_hand) {
    const auto [known, is_new] = tables.crashes.emplace(suspect, 1);
    if (!is_new && in_hand.size() == 1) ++known->second;
  }
  std::erase_if(tables.processing,
                [&instance](const auto& entry) { return entry.first.first == instance; });
  return static_cast<int>(in_hand.size());
}

absl::StatusOr<std::map<domain::EventId, int>> FakeCrashLog::Begin(
    int slot, std::string_view consumer, const std::vector<domain::EventHeader>& events) {
  std::map<domain::EventId, int> crashes;
  TODO_RETURN_IF_ERROR(database_.Write([&](Tables& tables) {
    tables.connected.insert(instance_);
    tables.processing[{instance_, slot}] = {.consumer = std::string(consumer), .events = events};
    for (const domain::EventHeader& event : events) {
      const auto known = tables.crashes.find({std::string(consumer), event.id});
      if (known != tables.crashes.end()) crashes.emplace(event.id, known->second);
    }
    return absl::OkStatus();
  }));
  return crashes;
}

absl::Status FakeCrashLog::Clear() {
  return database_.Write([this](Tables& tables) {
    std::erase_if(tables.processing,
                  [this](const auto& entry) { return entry.first.first == instance_; });
    return absl::OkStatus();
  });
}

void FakeCrashLog::LoseConnections() {
  const absl::Status status = database_.Write([this](Tables& tables) {
    tables.connected.erase(instance_);
    return absl::OkStatus();
  });
  TODO_REQUIRE(status.ok());
}

}  // namespace todo::support
