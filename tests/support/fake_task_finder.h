#pragma once

#include "ports/task_finder.h"
#include "support/fake_database.h"

namespace todo::support {

/// TaskFinder in memory. It knows the stems of a few English words, and no other language.
class FakeTaskFinder final : public ports::TaskFinder {
 public:
  explicit FakeTaskFinder(FakeDatabase& database) : database_(database) {}

  absl::StatusOr<std::vector<ports::FoundTask>> Find(const domain::UserId& user,
                                                     const ports::FindQuery& query) override;

 private:
  FakeDatabase& database_;
};

}  // namespace todo::support
