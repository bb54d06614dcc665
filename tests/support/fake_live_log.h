#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <vector>

#include "ports/live_log.h"
#include "support/fake_database.h"
#include "util/require.h"
#include "util/status.h"

namespace todo::support {

/// LiveLog in memory: the changes that a FakeTaskStore on the same database has written. The
/// database must outlive it. Thread safety: as the port says.
class FakeLiveLog final : public ports::LiveLog {
 public:
  explicit FakeLiveLog(FakeDatabase& database) : database_(database) {}

  absl::StatusOr<ports::MissedChanges> ReadMissed(const domain::UserId& user,
                                                  const domain::ChangeCursor& cursor,
                                                  int max_changes, std::size_t max_bytes) override {
    TODO_REQUIRE(max_changes >= 0);
    ++query_count_;
    TODO_RETURN_IF_ERROR(database_.failure());
    auto tables = database_.Read();
    ports::MissedChanges missed;
    missed.head = HeadOf(*tables, user);
    missed.cursor_known = IsKnown(*tables, user, cursor);
    if (!missed.cursor_known) return missed;
    std::size_t bytes = 0;
    for (const FakeDatabase::ChangeRow& row : tables->changes) {
      if (row.change.user != user || row.change.seq <= cursor.seq) continue;
      if (missed.changes.size() == static_cast<std::size_t>(max_changes) || bytes >= max_bytes)
        return missed;
      bytes += row.change.task_json.size();
      missed.changes.push_back(row.change);
    }
    missed.complete = true;
    return missed;
  }

  absl::StatusOr<std::vector<ports::CheckedCursor>> Check(
      const std::vector<ports::CursorOfUser>& cursors) override {
    TODO_REQUIRE(cursors.size() <= kMaxChecked);
    ++query_count_;
    TODO_RETURN_IF_ERROR(database_.failure());
    auto tables = database_.Read();
    std::vector<ports::CheckedCursor> checked;
    for (const auto& [user, cursor] : cursors)
      checked.push_back({HeadOf(*tables, user), IsKnown(*tables, user, cursor)});
    return checked;
  }

  /// Takes the user's changes after `seq` out of the log, as setting the database back does. Their
  /// tasks stay as they are.
  void SetBack(const domain::UserId& user, std::int64_t seq) {
    const absl::Status status = database_.Write([&](FakeDatabase::Tables& tables) {
      std::erase_if(tables.changes, [&](const FakeDatabase::ChangeRow& row) {
        return row.change.user == user && row.change.seq > seq;
      });
      if (const auto found = tables.users.find(user); found != tables.users.end())
        found->second.seq = std::min(found->second.seq, seq);
      return absl::OkStatus();
    });
    TODO_REQUIRE(status.ok());
  }

  /// The number of queries so far, failed ones among them.
  int query_count() const { return query_count_; }

 private:
  static domain::ChangeCursor HeadOf(const FakeDatabase::Tables& tables,
                                     const domain::UserId& user) {
    domain::ChangeCursor head;
    for (const FakeDatabase::ChangeRow& row : tables.changes) {
      if (row.change.user == user && row.change.seq > head.seq) head = CursorAt(row.change);
    }
    return head;
  }
  static bool IsKnown(const FakeDatabase::Tables& tables, const domain::UserId& user,
                      const domain::ChangeCursor& cursor) {
    return cursor == domain::ChangeCursor() ||
           std::ranges::any_of(tables.changes, [&](const FakeDatabase::ChangeRow& row) {
             return row.change.user == user && CursorAt(row.change) == cursor;
           });
  }

  FakeDatabase& database_;
  std::atomic<int> query_count_{0};
};

}  // namespace todo::support
