#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "domain/event/event.h"
#include "ports/live_log.h"
#include "ports/task_store.h"

namespace todo::live {

inline domain::EventId EventNumber(std::int64_t number) {
  return {*domain::Uuid::Parse(fmt::format("00000000-0000-7000-8000-{:012}", number))};
}

/// The tasks and changes of all users, as far as the feed sees them. A task is its version, which
/// no other state of any task has. Both ports are on it. Thread safety: none.
class ModelDatabase final : public ports::LiveLog, public ports::TaskStore {
 public:
  using Tasks = std::map<std::int64_t, std::int64_t>;  // version by id

  struct User {
    std::vector<domain::Change> changes;
    Tasks tasks;
    domain::ChangeCursor head() const {
      return changes.empty() ? domain::ChangeCursor{} : CursorAt(changes.back());
    }
    bool Knows(const domain::ChangeCursor& cursor) const {
      if (cursor == domain::ChangeCursor{}) return true;
      const auto seq = static_cast<std::size_t>(cursor.seq);
      return seq >= 1 && seq <= changes.size() && CursorAt(changes[seq - 1]) == cursor;
    }
  };

  /// Called at the begin and at the end of every query: what other threads do meanwhile. A status
  /// that is not OK fails the query.
  std::function<absl::Status()> meanwhile = [] { return absl::OkStatus(); };

  std::string description;  // of every task, when it is listed

  const User& user(const domain::UserId& id) { return users_[id]; }

  /// Changes the task `task_id`; it is created if it is not there, and then may be deleted.
  domain::Change Commit(const domain::UserId& id, std::int64_t task_id, bool deletes) {
    User& user = users_[id];
    const bool exists = user.tasks.contains(task_id);
    domain::Change change;
    change.user = id;
    change.seq = static_cast<std::int64_t>(user.changes.size()) + 1;
    change.event_id = EventNumber(++last_number_);
    change.kind = !exists   ? domain::ChangeKind::kCreated
                  : deletes ? domain::ChangeKind::kDeleted
                            : domain::ChangeKind::kUpdated;
    change.task_id = {task_id};
    change.version = last_number_;
    if (change.kind == domain::ChangeKind::kDeleted) {
      user.tasks.erase(task_id);
    } else {
      user.tasks[task_id] = change.version;
      change.task_json = fmt::format(R"({{"version":{}}})", change.version);
    }
    user.changes.push_back(change);
    return change;
  }

  void BackUp() { backup_ = users_; }
  /// The changes since BackUp never happened. New ones have the same numbers and other ids.
  void Restore() {
    users_ = backup_;
    ++restores_;
  }

  absl::StatusOr<ports::MissedChanges> ReadMissed(const domain::UserId& id,
                                                  const domain::ChangeCursor& cursor,
                                                  int max_changes, std::size_t max_bytes) override {
    ++reads_by_cursor[{id, cursor}];
    const int restores = restores_;
    if (absl::Status status = meanwhile(); !status.ok()) return status;
    ports::MissedChanges missed;
    const User& user = users_[id];
    missed.head = user.head();
    missed.cursor_known = user.Knows(cursor);
    missed.complete = missed.cursor_known;
    EXPECT_GT(max_changes, 0);
    EXPECT_GT(max_bytes, 0u);
    std::size_t bytes = 0;
    for (auto i = static_cast<std::size_t>(cursor.seq);
         missed.cursor_known && i < user.changes.size(); ++i) {
      if (missed.changes.size() >= static_cast<std::size_t>(max_changes) || bytes >= max_bytes) {
        missed.complete = false;
        break;
      }
      bytes += user.changes[i].task_json.size();
      missed.changes.push_back(user.changes[i]);
    }
    if (absl::Status status = Finish(restores); !status.ok()) return status;
    return missed;
  }

  absl::StatusOr<std::vector<ports::CheckedCursor>> Check(
      const std::vector<ports::CursorOfUser>& cursors) override {
    ++checks;
    const int restores = restores_;
    if (absl::Status status = meanwhile(); !status.ok()) return status;
    std::vector<ports::CheckedCursor> answers;
    answers.reserve(cursors.size());
    for (const ports::CursorOfUser& asked : cursors) {
      const User& user = users_[asked.user];
      answers.push_back({user.head(), user.Knows(asked.cursor)});
    }
    if (absl::Status status = Finish(restores); !status.ok()) return status;
    return answers;
  }

  absl::StatusOr<ports::TaskPage> List(const domain::UserId& id,
                                       const ports::TaskQuery& query) override {
    last_query = query;
    const int restores = restores_;
    if (absl::Status status = meanwhile(); !status.ok()) return status;
    ports::TaskPage page;
    const Tasks& tasks = users_[id].tasks;
    auto task = query.page_cursor.empty() ? tasks.begin()
                                          : tasks.upper_bound(std::stoll(query.page_cursor));
    for (; task != tasks.end() && static_cast<int>(page.tasks.size()) < query.limit; ++task) {
      page.tasks.emplace_back();
      page.tasks.back().id = {task->first};
      page.tasks.back().version = task->second;
      page.tasks.back().fields.description = description;
    }
    if (task != tasks.end()) page.next_cursor = std::to_string(page.tasks.back().id.value);
    if (absl::Status status = Finish(restores); !status.ok()) return status;
    return page;
  }

  // The feed calls none of these.
  absl::StatusOr<ports::MutationResult> Apply(const ports::Mutation& /*mutation*/) override {
    return absl::UnimplementedError("model");
  }
  absl::StatusOr<std::vector<ports::MutationResult>> ApplyAll(
      const ports::MutationList& /*list*/) override {
    return absl::UnimplementedError("model");
  }
  absl::StatusOr<std::optional<std::vector<ports::MutationResult>>> FirstAnswers(
      const ports::RequestName& /*request*/) override {
    return absl::UnimplementedError("model");
  }
  absl::StatusOr<std::vector<ports::SeriesMember>> ListSeries(
      const domain::UserId& /*user*/, const domain::Uuid& /*series_id*/) override {
    return absl::UnimplementedError("model");
  }
  absl::StatusOr<ports::MutationResult> ApplyToSeries(
      const ports::SeriesMutation& /*mutation*/) override {
    return absl::UnimplementedError("model");
  }
  absl::StatusOr<domain::Task> Get(const domain::UserId& /*user*/, domain::TaskId /*id*/) override {
    return absl::UnimplementedError("model");
  }
  absl::StatusOr<domain::Task> GetEvenDeleted(const domain::UserId& /*user*/,
                                              domain::TaskId /*id*/) override {
    return absl::UnimplementedError("model");
  }
  absl::StatusOr<ports::ChangePage> ListChanges(const domain::UserId& /*user*/,
                                                const ports::ChangeQuery& /*query*/) override {
    return absl::UnimplementedError("model");
  }

  std::map<std::pair<domain::UserId, domain::ChangeCursor>, int> reads_by_cursor;
  int checks = 0;
  ports::TaskQuery last_query;

 private:
  /// A query does not survive that the database is restored.
  absl::Status Finish(int restores_at_begin) {
    absl::Status status = meanwhile();
    if (restores_at_begin != restores_) return absl::UnavailableError("connection lost");
    return status;
  }

  int restores_ = 0;
  std::map<domain::UserId, User> users_;
  std::map<domain::UserId, User> backup_;
  std::int64_t last_number_ = 0;
};

}  // namespace todo::live
