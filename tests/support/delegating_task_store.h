#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ports/task_store.h"

namespace todo::support {

/// Hands every call on to another store, which must outlive it. The base of doubles that change or
/// watch one call only. Thread safety: that of the other store.
class DelegatingTaskStore : public ports::TaskStore {
 public:
  explicit DelegatingTaskStore(ports::TaskStore& store) : store_(store) {}

  absl::StatusOr<ports::MutationResult> Apply(const ports::Mutation& mutation) override {
    return store_.Apply(mutation);
  }
  absl::StatusOr<std::vector<ports::MutationResult>> ApplyAll(
      const ports::MutationList& list) override {
    return store_.ApplyAll(list);
  }
  absl::StatusOr<std::optional<std::vector<ports::MutationResult>>> FirstAnswers(
      const ports::RequestName& request) override {
    return store_.FirstAnswers(request);
  }
  absl::StatusOr<std::vector<ports::SeriesMember>> ListSeries(
      const domain::UserId& user, const domain::Uuid& series_id) override {
    return store_.ListSeries(user, series_id);
  }
  absl::StatusOr<ports::MutationResult> ApplyToSeries(
      const ports::SeriesMutation& mutation) override {
    return store_.ApplyToSeries(mutation);
  }
  absl::StatusOr<domain::Task> Get(const domain::UserId& user, domain::TaskId id) override {
    return store_.Get(user, id);
  }
  absl::StatusOr<domain::Task> GetEvenDeleted(const domain::UserId& user,
                                              domain::TaskId id) override {
    return store_.GetEvenDeleted(user, id);
  }
  absl::StatusOr<ports::TaskPage> List(const domain::UserId& user,
                                       const ports::TaskQuery& query) override {
    return store_.List(user, query);
  }
  absl::StatusOr<ports::ChangePage> ListChanges(const domain::UserId& user,
                                                const ports::ChangeQuery& query) override {
    return store_.ListChanges(user, query);
  }

 private:
  ports::TaskStore& store_;
};

}  // namespace todo::support
