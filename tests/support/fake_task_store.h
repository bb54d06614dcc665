#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "ports/task_store.h"
#include "support/fake_database.h"

namespace todo::support {

/// TaskStore in memory. `on_change(shard)` is called after each written change.
/// Thread safety: as the port says.
class FakeTaskStore final : public ports::TaskStore {
 public:
  explicit FakeTaskStore(FakeDatabase& database, std::function<void(int shard)> on_change = {},
                         std::optional<std::int64_t> open_task_limit = std::nullopt)
      : database_(database), on_change_(std::move(on_change)), open_task_limit_(open_task_limit) {}

  absl::StatusOr<ports::MutationResult> Apply(const ports::Mutation& mutation) override;
  absl::StatusOr<std::vector<ports::MutationResult>> ApplyAll(
      const ports::MutationList& list) override;
  absl::StatusOr<std::optional<std::vector<ports::MutationResult>>> FirstAnswers(
      const ports::RequestName& request) override;
  absl::StatusOr<std::vector<ports::SeriesMember>> ListSeries(
      const domain::UserId& user, const domain::Uuid& series_id) override;
  absl::StatusOr<ports::MutationResult> ApplyToSeries(
      const ports::SeriesMutation& mutation) override;
  absl::StatusOr<domain::Task> Get(const domain::UserId& user, domain::TaskId id) override;
  absl::StatusOr<domain::Task> GetEvenDeleted(const domain::UserId& user,
                                              domain::TaskId id) override;
  absl::StatusOr<ports::TaskPage> List(const domain::UserId& user,
                                       const ports::TaskQuery& query) override;
  absl::StatusOr<ports::ChangePage> ListChanges(const domain::UserId& user,
                                                const ports::ChangeQuery& query) override;

 private:
  /// The outcome of a call.
  struct Written {
    FakeDatabase::Outcome outcome = FakeDatabase::Outcome::kChanged;  // of the call
    std::vector<ports::MutationResult> results;  // of a failure: that of the change that failed
    std::size_t failed = 0;                      // the index of the change that failed
  };
  absl::StatusOr<std::vector<ports::MutationResult>> Write(
      std::span<const ports::Mutation> mutations,
      const std::function<Written(FakeDatabase::Tables&)>& apply);
  Written ApplyList(FakeDatabase::Tables& tables, const ports::MutationList& list) const;
  Written ApplySeries(FakeDatabase::Tables& tables, const ports::SeriesMutation& mutation) const;

  FakeDatabase& database_;
  const std::function<void(int shard)> on_change_;
  const std::optional<std::int64_t> open_task_limit_;
};

}  // namespace todo::support
