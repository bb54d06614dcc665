#include "store/pg_task_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "domain/time.h"
#include "store/list_query.h"
#include "store/session.h"
#include "store/task_columns.h"
#include "util/fault_point.h"
#include "util/status.h"

namespace todo::store {
namespace {

using domain::ChangeKind;
using domain::Task;
using ports::Mutation;
using std::chrono::steady_clock;

constexpr Statement kApply{"apply", R"sql(
select outcome, shard, task from apply_change($1, $2, $3, $4, $5, $6, $7, $8, $9, $10))sql"};

constexpr Statement kEventOfChange{"event_of_change", R"sql(
select event_id from changes where user_id = $1 and seq = $2)sql"};

constexpr Statement kGet{"get", R"sql(
select task_json(t) from tasks t where t.user_id = $1 and t.id = $2 and t.deleted_at is null)sql"};

// One row with nulls tells the newest seq even when there is no change to show.
constexpr Statement kListChanges{"list_changes", R"sql(
select u.seq, c.seq, c.event_id, c.kind, c.task_id, c.version, c.task_json,
       (extract(epoch from c.at) * 1000000)::bigint, c.traceparent
from users u
left join lateral (select * from changes x where x.user_id = u.user_id and x.seq > $2 order by x.seq limit $3) c on true
where u.user_id = $1
order by c.seq)sql"};

Patch PatchOf(const Mutation& mutation) {
  Patch patch = Patch::object();
  const domain::TaskPatch& changes = mutation.patch;
  switch (mutation.kind) {
    case ChangeKind::kCreated:
      AddFields(patch, mutation.fields);
      AddSeries(patch, mutation.series);
      break;
    case ChangeKind::kUpdated:
      if (changes.title) patch["title"] = *changes.title;
      if (changes.description)
        patch["description"] = *changes.description ? Patch(**changes.description) : Patch();
      if (changes.priority) patch["priority"] = static_cast<int>(*changes.priority);
      if (changes.tags) patch["tags"] = *changes.tags;
      if (changes.due) AddDue(patch, *changes.due);
      if (changes.time_zone) patch["time_zone"] = *changes.time_zone;
      if (changes.recurrence_rule) {
        patch["recurrence_rule"] =
            *changes.recurrence_rule ? Patch(**changes.recurrence_rule) : Patch();
      }
      if (changes.recurrence_basis)
        patch["recurrence_basis"] = domain::ToString(*changes.recurrence_basis);
      if (changes.series) AddSeries(patch, *changes.series);
      break;
    case ChangeKind::kCompleted:
      patch["completed"] = true;
      patch["completed_at"] = domain::FormatInstant(mutation.now);
      break;
    case ChangeKind::kUncompleted:
      patch["completed"] = false;
      patch["completed_at"] = nullptr;
      break;
    case ChangeKind::kDeleted: patch["deleted_at"] = domain::FormatInstant(mutation.now); break;
  }
  return patch;
}

absl::Status NoSuchTask(domain::TaskId id) {
  return util::WithReason(util::MakeStatus(absl::StatusCode::kNotFound,
                                           fmt::format("there is no task {} of yours", id.value)),
                          "TASK_NOT_FOUND");
}

/// What apply_change answered.
struct Answer {
  std::string outcome;
  int shard = 0;
  std::string task;
  bool change_is_ours =
      false;  // of a repeated request: its change carries this mutation's event id
};

absl::StatusOr<Answer> Send(ConnectionPool::Lease& lease, const Mutation& mutation,
                            const std::string& patch, bool in_doubt) {
  return Run(lease, "apply", [&](pqxx::connection& connection) -> absl::StatusOr<Answer> {
    const bool creates = mutation.kind == ChangeKind::kCreated;
    pqxx::nontransaction transaction(connection);
    const pqxx::result result =
        Exec(transaction, kApply, mutation.user.value, mutation.request_id.value(),
             ByteaLiteral(mutation.fingerprint), std::string(domain::ToString(mutation.kind)),
             creates ? std::nullopt : std::optional<std::int64_t>(mutation.task_id.value),
             mutation.expected_version, patch, mutation.event_id.value(),
             domain::FormatInstant(mutation.now), mutation.traceparent);
    const pqxx::row row = result.at(0);
    Answer answer;
    answer.outcome = row[0].as<std::string>();
    if (!row[1].is_null()) answer.shard = row[1].as<int>();
    if (!row[2].is_null()) answer.task = row[2].as<std::string>();
    if (in_doubt && answer.outcome == "repeated") {
      TODO_ASSIGN_OR_RETURN(const Task task, DecodeTask(answer.task));
      const pqxx::result change = Exec(transaction, kEventOfChange, mutation.user.value, task.seq);
      answer.change_is_ours =
          !change.empty() && change[0][0].as<std::string>() == mutation.event_id.value();
    }
    return answer;
  });
}

absl::StatusOr<ports::MutationResult> Interpret(const Mutation& mutation, const Answer& answer) {
  if (answer.outcome == "not_found") return NoSuchTask(mutation.task_id);
  if (answer.outcome == "stale") {
    return util::WithReason(
        util::MakeStatus(
            absl::StatusCode::kAborted,
            fmt::format(
                "task {} has changed since: read it again and repeat the call with its new etag",
                mutation.task_id.value)),
        "STALE_ETAG");
  }
  if (answer.outcome == "request_reused") {
    return util::WithReason(
        absl::AlreadyExistsError(
            "this request_id was used for a call with other content: use a new one for each "
            "call, the same one only to repeat it"),
        "REQUEST_ID_REUSED");
  }
  ports::MutationResult result;
  TODO_ASSIGN_OR_RETURN(result.task, DecodeTask(answer.task));
  result.task.deleted = mutation.kind == ChangeKind::kDeleted;
  result.changed = answer.outcome == "changed" || answer.change_is_ours;
  return result;
}

/// Runs a read, once more when the connection was lost in it.
template <typename Work>
auto Read(ConnectionPool& pool, std::string_view attempted, Work&& work)
    -> std::invoke_result_t<Work, pqxx::connection&> {
  for (bool again = false;; again = true) {
    TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool.Acquire());
    auto result = Run(lease, attempted, work);
    if (again || !absl::IsUnavailable(result.status()) || !lease.lost()) return result;
  }
}

}  // namespace

PgTaskStore::PgTaskStore(ConnectionPool& pool, std::function<void(int shard)> on_change,
                         TaskStoreOptions options)
    : pool_(pool), on_change_(std::move(on_change)), options_(options) {}

absl::StatusOr<ports::MutationResult> PgTaskStore::Apply(const Mutation& mutation) {
  const std::string patch = PatchOf(mutation).dump(-1, ' ', false, Patch::error_handler_t::replace);
  const steady_clock::time_point deadline = steady_clock::now() + options_.apply_deadline;
  std::chrono::milliseconds pause{20};
  // True once a statement was sent and its answer not received: it may have been, or may yet be,
  // carried out. The request id makes repeating harmless, and tells.
  bool in_doubt = false;
  for (int attempt = 1;; ++attempt) {
    absl::Status failure;
    if (absl::StatusOr<ConnectionPool::Lease> lease =
            pool_.Acquire(std::min(deadline, steady_clock::now() + pool_.options().acquire_wait));
        !lease.ok()) {
      if (!in_doubt) return std::move(lease).status();
      failure = std::move(lease).status();
    } else {
      TODO_RETURN_IF_ERROR(TODO_FAULT_POINT("before-commit"));
      absl::StatusOr<Answer> answer = Send(*lease, mutation, patch, in_doubt);
      if (answer.ok()) {
        TODO_FAULT_POINT("after-commit").IgnoreError();
        const bool wrote =
            answer->outcome == "changed" || (in_doubt && answer->outcome == "repeated");
        if (wrote && on_change_) on_change_(answer->shard);
        return Interpret(mutation, *answer);
      }
      failure = std::move(answer).status();
      in_doubt = in_doubt || lease->lost();
      if (!in_doubt) {
        return absl::IsAborted(failure) ? util::WithReason(std::move(failure), "CONTENTION")
                                        : failure;
      }
    }
    if (attempt >= options_.apply_attempts || steady_clock::now() + pause >= deadline) {
      return absl::UnknownError(
          "store: apply: the connection was lost and the outcome could not be found out: repeat "
          "the call with the "
          "same request_id");
    }
    std::this_thread::sleep_for(pause);
    pause *= 5;
  }
}

absl::StatusOr<Task> PgTaskStore::Get(const domain::UserId& user, domain::TaskId id) {
  return Read(pool_, "get", [&](pqxx::connection& connection) -> absl::StatusOr<Task> {
    pqxx::nontransaction transaction(connection);
    const pqxx::result result = Exec(transaction, kGet, user.value, id.value);
    if (result.empty()) return NoSuchTask(id);
    return DecodeTask(View(result[0][0]));
  });
}

absl::StatusOr<ports::TaskPage> PgTaskStore::List(const domain::UserId& user,
                                                  const ports::TaskQuery& query) {
  std::optional<ListPosition> position;
  if (!query.page_cursor.empty()) {
    TODO_ASSIGN_OR_RETURN(position, DecodeCursor(user, query));
  }
  const ListStatement statement = StatementFor(query, position);
  const auto instant = [](const std::optional<domain::Instant>& at) -> std::optional<std::string> {
    if (!at) return std::nullopt;
    return domain::FormatInstant(std::clamp(*at, domain::kMinInstant, domain::kMaxInstant));
  };
  const auto priority =
      query.priority ? std::optional<int>(static_cast<int>(*query.priority)) : std::nullopt;
  const auto pattern =
      query.text.empty() ? std::nullopt : std::optional<std::string>(ContainsPattern(query.text));
  return Read(pool_, "list", [&](pqxx::connection& connection) -> absl::StatusOr<ports::TaskPage> {
    pqxx::nontransaction transaction(connection);
    const auto run = [&](const auto&... more) {
      // One more than asked for tells whether there is a next page.
      return Exec(transaction, statement.name, statement.sql, user.value, query.completed, priority,
                  query.tag, instant(query.due_from), instant(query.due_before), pattern,
                  query.limit + 1, more...);
    };
    const pqxx::result result = !position        ? run()
                                : !position->key ? run(position->id)
                                                 : run(position->id, *position->key);
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
                                                           std::int64_t after_seq, int limit) {
  return Read(
      pool_, "list changes",
      [&](pqxx::connection& connection) -> absl::StatusOr<ports::ChangePage> {
        pqxx::nontransaction transaction(connection);
        ports::ChangePage page;
        for (const pqxx::row& row : Exec(transaction, kListChanges, user.value, after_seq, limit)) {
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
