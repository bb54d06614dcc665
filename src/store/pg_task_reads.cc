#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "domain/time.h"
#include "ports/no_such_task.h"
#include "store/list_query.h"
#include "store/pg_task_store.h"
#include "store/session.h"
#include "store/task_columns.h"
#include "util/status.h"
#include "util/unicode.h"

// The methods of PgTaskStore that only read tasks and changes.

namespace todo::store {
namespace {

using domain::Task;

constexpr Statement kGet{"get", R"sql(
select task_json(t), t.deleted_at is not null from tasks t where t.user_id = $1 and t.id = $2)sql"};

// One row with nulls tells the newest seq even when there is no change to show.
constexpr Statement kListChanges{"list_changes", R"sql(
select u.seq, c.seq, c.event_id, c.kind, c.task_id, c.version, c.task_json,
       micros(c.at), c.traceparent, c.request_id
from users u
left join lateral (
    select * from changes x where x.user_id = u.user_id and x.seq > $2 and ($4::bigint is null or x.task_id = $4)
    order by x.seq limit $3) c on true
where u.user_id = $1
order by c.seq)sql"};

}  // namespace

absl::StatusOr<Task> PgTaskStore::Get(const domain::UserId& user, domain::TaskId id) {
  TODO_ASSIGN_OR_RETURN(Task task, GetEvenDeleted(user, id));
  if (task.deleted) return ports::NoSuchTask(id);
  return task;
}

absl::StatusOr<Task> PgTaskStore::GetEvenDeleted(const domain::UserId& user, domain::TaskId id) {
  return Read(pool_, "get", [&](pqxx::transaction_base& transaction) -> absl::StatusOr<Task> {
    const pqxx::result result = Exec(transaction, kGet, user.value, id.value);
    if (result.empty()) return ports::NoSuchTask(id);
    TODO_ASSIGN_OR_RETURN(Task task, DecodeTask(View(result[0][0])));
    task.deleted = result[0][1].as<bool>();
    return task;
  });
}

absl::StatusOr<ports::TaskPage> PgTaskStore::List(const domain::UserId& user,
                                                  const ports::TaskQuery& query) {
  std::optional<ListPosition> position;
  if (!query.page_cursor.empty()) {
    TODO_ASSIGN_OR_RETURN(position, DecodeCursor(user, query));
  }
  const std::string sql = StatementFor(query, position);
  const auto instant = [](const std::optional<domain::Instant>& at) -> std::optional<std::string> {
    if (!at) return std::nullopt;
    return domain::FormatInstant(std::clamp(*at, domain::kMinInstant, domain::kMaxInstant));
  };
  const auto priority =
      query.priority ? std::optional<int>(static_cast<int>(*query.priority)) : std::nullopt;
  const std::string text = util::FoldForSearch(query.text);
  const auto pattern =
      text.empty() ? std::nullopt : std::optional<std::string>(ContainsPattern(text));
  const auto time_limit = text.empty()
                              ? std::nullopt
                              : std::optional<std::chrono::milliseconds>(options_.search_timeout);
  return ReadWhileWanted(
      pool_, query.cancellation, time_limit, "list",
      [&](pqxx::transaction_base& transaction) -> absl::StatusOr<ports::TaskPage> {
        const auto run = [&](const auto&... more) {
          // One more than asked for tells whether there is a next page.
          return ExecOnce(transaction, sql, user.value, query.completed, priority, query.tag,
                          instant(query.due_from), instant(query.due_before), pattern,
                          query.limit + 1, more...);
        };
        const pqxx::result result = position ? run(position->id, position->key) : run();
        ports::TaskPage page;
        const auto limit = static_cast<std::size_t>(query.limit);
        page.tasks.reserve(std::min<std::size_t>(result.size(), limit));
        for (const pqxx::row& row : result) {
          if (page.tasks.size() == limit) {
            page.next_cursor = EncodeCursor(user, query, page.tasks.back());
            break;
          }
          TODO_ASSIGN_OR_RETURN(Task task, DecodeTask(View(row[0])));
          page.tasks.push_back(std::move(task));
        }
        return page;
      });
}

absl::StatusOr<ports::ChangePage> PgTaskStore::ListChanges(const domain::UserId& user,
                                                           const ports::ChangeQuery& query) {
  return Read(pool_, "list changes",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<ports::ChangePage> {
                ports::ChangePage page;
                const auto task = query.task ? std::optional(query.task->value) : std::nullopt;
                for (const pqxx::row& row : Exec(transaction, kListChanges, user.value,
                                                 query.after_seq, query.limit, task)) {
                  page.last_seq = row[0].as<std::int64_t>();
                  if (row[1].is_null()) break;
                  TODO_ASSIGN_OR_RETURN(domain::Change change, DecodeChange(row, 1));
                  change.user = user;
                  page.changes.push_back(std::move(change));
                }
                return page;
              });
}

}  // namespace todo::store
