#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ports/crash_log.h"
#include "support/fake_database.h"

namespace todo::support {

/// CrashLog in memory, of the instance `instance`. Thread safety: as the port says.
class FakeCrashLog final : public ports::CrashLog {
 public:
  explicit FakeCrashLog(FakeDatabase& database, std::string instance = "one")
      : database_(database), instance_(std::move(instance)) {}

  absl::StatusOr<int> CountCrashes() override;
  absl::StatusOr<std::map<domain::EventId, int>> Begin(
      int slot, std::string_view consumer, const std::vector<domain::EventHeader>& events) override;
  absl::Status Clear() override;

  /// The process of this instance is gone.
  void LoseConnections();

 private:
  static int CountCrashesOf(const std::string& instance, FakeDatabase::Tables& tables);

  FakeDatabase& database_;
  const std::string instance_;
};

}  // namespace todo::support
