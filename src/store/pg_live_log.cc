#include "store/pg_live_log.h"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

#include "store/row_values.h"
#include "store/session.h"
#include "util/require.h"
#include "util/status.h"

namespace todo::store {
namespace {

using domain::ChangeCursor;
using ports::CheckedCursor;
using ports::CursorOfUser;
using ports::MissedChanges;

constexpr Statement kReadMissed{"live_read_missed", R"sql(
select head_seq, head_event_id, known, (change).seq, (change).event_id, (change).kind, (change).task_id,
       (change).version, (change).task_json, micros((change).at), (change).traceparent, (change).request_id
from read_missed($1, $2, $3, $4, $5))sql"};

constexpr Statement kCheck{"live_check_cursors", R"sql(
select head_seq, head_event_id, known
from check_cursors($1::text[], $2::bigint[], $3::uuid[]) order by place)sql"};

/// The user's head, from the columns that begin with it.
ChangeCursor HeadOf(const pqxx::row& row) {
  ChangeCursor head;
  head.seq = row[0].as<std::int64_t>();
  if (!row[1].is_null()) head.event_id = domain::EventId{UuidOf(row[1])};
  return head;
}

}  // namespace

absl::StatusOr<MissedChanges> PgLiveLog::ReadMissed(const domain::UserId& user,
                                                    const ChangeCursor& cursor, int max_changes,
                                                    std::size_t max_bytes) {
  TODO_REQUIRE(max_changes >= 0);
  return Read(pool_, "read missed changes",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<MissedChanges> {
                MissedChanges missed;
                for (const pqxx::row& row :
                     Exec(transaction, kReadMissed, user.value, cursor.seq, cursor.event_id.value(),
                          max_changes, static_cast<std::int64_t>(max_bytes))) {
                  missed.head = HeadOf(row);
                  missed.cursor_known = row[2].as<bool>();
                  if (row[3].is_null()) break;
                  TODO_ASSIGN_OR_RETURN(domain::Change change, DecodeChange(row, 3));
                  change.user = user;
                  missed.changes.push_back(std::move(change));
                }
                const std::int64_t reached =
                    missed.changes.empty() ? cursor.seq : missed.changes.back().seq;
                missed.complete = missed.cursor_known && reached == missed.head.seq;
                return missed;
              });
}

absl::StatusOr<std::vector<CheckedCursor>> PgLiveLog::Check(
    const std::vector<CursorOfUser>& cursors) {
  TODO_REQUIRE(cursors.size() <= kMaxChecked);
  using Checked = std::vector<CheckedCursor>;
  if (cursors.empty()) return Checked();
  return Read(
      pool_, "check cursors", [&](pqxx::transaction_base& transaction) -> absl::StatusOr<Checked> {
        Checked checked;
        checked.reserve(cursors.size());
        const auto column = [&](const auto& text) { return ArrayLiteralOf(cursors, text); };
        for (const pqxx::row& row :
             Exec(transaction, kCheck,
                  column([](const CursorOfUser& one) { return one.user.value; }),
                  column([](const CursorOfUser& one) { return fmt::format("{}", one.cursor.seq); }),
                  column([](const CursorOfUser& one) { return one.cursor.event_id.value(); }))) {
          checked.push_back({HeadOf(row), row[2].as<bool>()});
        }
        TODO_REQUIRE(checked.size() == cursors.size());
        return checked;
      });
}

}  // namespace todo::store
