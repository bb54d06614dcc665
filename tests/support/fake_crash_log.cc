#include "support/fake_crash_log.h"

#include <set>

#include "util/status.h"

namespace todo::support {

using Tables = FakeDatabase::Tables;

absl::StatusOr<int> FakeCrashLog::CountCrashes() {
  std::set<std::pair<std::string, domain::EventId>> in_hand;
  TODO_RETURN_IF_ERROR(database_.Write([&](Tables& tables) {
    for (const auto& [place, held] : tables.processing) {
      if (place.first != instance_) continue;
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
                  [this](const auto& entry) { return entry.first.first == instance_; });
    return absl::OkStatus();
  }));
  return static_cast<int>(in_hand.size());
}

absl::StatusOr<std::map<domain::EventId, int>> FakeCrashLog::Begin(
    int slot, std::string_view consumer, const std::vector<domain::EventHeader>& events) {
  std::map<domain::EventId, int> crashes;
  TODO_RETURN_IF_ERROR(database_.Write([&](Tables& tables) {
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

}  // namespace todo::support
