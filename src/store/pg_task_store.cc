#include "store/pg_task_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "domain/time.h"
#include "ports/no_such_task.h"
#include "ports/reminder_failures.h"
#include "ports/stale_task.h"
#include "ports/too_many_open_tasks.h"
#include "store/mutation_json.h"
#include "store/mutation_queue.h"
#include "store/session.h"
#include "store/task_columns.h"
#include "util/backoff.h"
#include "util/fault_point.h"
#include "util/require.h"
#include "util/status.h"

namespace todo::store {
namespace {

using domain::ChangeKind;
using domain::Task;
using ports::Mutation;
using std::chrono::steady_clock;

constexpr Statement kApply{"apply", R"sql(
select outcome, shard, task, 1 as place, null as reminders
from apply_change($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11))sql"};

constexpr Statement kApplyAll{"apply_all", R"sql(
select outcome, shard, task, place, array_to_json(reminders)
from apply_changes($1, $2, $3, $4::jsonb, $5) order by place)sql"};

constexpr Statement kFirstAnswers{"first_answers", R"sql(
select r.fingerprint = $3, a.task, a.changed, a.deleted, array_to_json(a.reminders)
from requests r, first_answers(r) a where r.user_id = $1 and r.request_id = $2 order by a.place)sql"};

constexpr Statement kApplyToSeries{"apply_to_series", R"sql(
select outcome, shard, task, 1 as place, null as reminders
from apply_to_series($1, $2, $3, $4::jsonb, $5, $6, $7, $8))sql"};

constexpr Statement kListSeries{"list_series", R"sql(
select task_json(t), t.deleted_at is not null, coalesce(t.version = t.consumer_version, false)
from series_members($1, $2) t order by t.occurrence limit $3)sql"};

constexpr Statement kEventOfChange{"event_of_change", R"sql(
select event_id from changes where user_id = $1 and seq = $2)sql"};

/// What apply_to_series compares: equal for equal tasks in equal versions.
std::string DigestOf(const std::vector<ports::SeriesMember>& members) {
  std::string digest;
  for (const ports::SeriesMember& member : members) {
    digest += fmt::format("{}{}:{}", digest.empty() ? "" : ",", member.task.id.value,
                          member.task.version);
  }
  return digest;
}

/// What the statement of a call answered about one mutation.
struct Answer {
  std::string outcome;
  int shard = 0;
  std::string task;
  std::size_t index = 0;        // of the mutation
  std::vector<int> reminders;   // their numbers
  bool change_is_ours = false;  // of a repeated request: its change has this mutation's event id
};

std::vector<int> NumbersIn(const pqxx::field& json) {
  if (json.is_null()) return {};
  return nlohmann::json::parse(View(json)).get<std::vector<int>>();
}

absl::Status RequestReused() {
  return util::WithReason(
      absl::AlreadyExistsError("this request_id was used for a call with other content: use a new "
                               "one for each call, the same one only to repeat it"),
      "REQUEST_ID_REUSED");
}

/// Whether the change of a repeated request has the event id of `mutation`: an earlier attempt of
/// this very call wrote it.
absl::StatusOr<bool> IsOurChange(pqxx::transaction_base& transaction, const Mutation& mutation,
                                 const std::string& task_json) {
  TODO_ASSIGN_OR_RETURN(const Task task, DecodeTask(task_json));
  const pqxx::result change = Exec(transaction, kEventOfChange, mutation.user.value, task.seq);
  return !change.empty() && change[0][0].as<std::string>() == mutation.event_id.value();
}

/// Runs `send(pqxx::transaction_base&)`, the one statement of a call. Answers one row for each
/// mutation, or only that of the one that failed.
template <typename Send>
absl::StatusOr<std::vector<Answer>> Ask(ConnectionPool::Lease& lease,
                                        std::span<const Mutation> mutations, const Send& send,
                                        bool in_doubt) {
  using Answers = std::vector<Answer>;
  return Run(lease, "apply", [&](pqxx::connection_base& connection) -> absl::StatusOr<Answers> {
    pqxx::nontransaction transaction(connection);
    Answers answers;
    for (const pqxx::row& row : send(transaction)) {
      Answer& answer = answers.emplace_back();
      answer.outcome = row[0].as<std::string>();
      if (!row[1].is_null()) answer.shard = row[1].as<int>();
      if (!row[2].is_null()) answer.task = row[2].as<std::string>();
      if (!row[3].is_null()) answer.index = row[3].as<std::size_t>() - 1;
      answer.reminders = NumbersIn(row[4]);
      if (in_doubt && answer.outcome == "repeated") {
        lease.session().StartWaiting();
        TODO_ASSIGN_OR_RETURN(answer.change_is_ours,
                              IsOurChange(transaction, mutations[answer.index], answer.task));
      }
    }
    return answers;
  });
}

/// The failure that `answer` is about; OK: there is a task.
absl::Status FailureOf(std::span<const Mutation> mutations, const Answer& answer) {
  const domain::TaskId task_id = mutations[answer.index].task_id;
  const auto of_mutation = [&answer](absl::Status status) {
    return util::WithIndex(std::move(status), answer.index);
  };
  if (answer.outcome == "not_found") return of_mutation(ports::NoSuchTask(task_id));
  if (answer.outcome == "stale") return of_mutation(ports::StaleTask(task_id));
  if (answer.outcome == "too_many_open") return of_mutation(ports::TooManyOpenTasks());
  if (answer.outcome == "no_such_reminder")
    return of_mutation(ports::NoSuchReminder(task_id, answer.reminders.front()));
  if (answer.outcome == "too_many_reminders") return of_mutation(ports::TooManyReminders());
  if (answer.outcome == "series_changed") {
    return util::WithReason(
        absl::AbortedError("another call is changing the series: repeat the call"),
        "SERIES_CHANGED");
  }
  if (answer.outcome == "request_reused") return RequestReused();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ports::MutationResult>> Interpret(std::span<const Mutation> mutations,
                                                             const std::vector<Answer>& answers) {
  std::vector<ports::MutationResult> results;
  for (const Answer& answer : answers) {
    TODO_RETURN_IF_ERROR(FailureOf(mutations, answer));
    ports::MutationResult& result = results.emplace_back();
    TODO_ASSIGN_OR_RETURN(result.task, DecodeTask(answer.task));
    result.task.deleted = mutations[answer.index].kind == ChangeKind::kDeleted;
    result.changed = answer.outcome == "changed" || answer.change_is_ours;
    result.repeated = answer.outcome == "repeated" && !answer.change_is_ours;
    result.reminder_numbers = answer.reminders;
  }
  return results;
}

absl::StatusOr<ports::MutationResult> OnlyOne(
    absl::StatusOr<std::vector<ports::MutationResult>> results) {
  if (!results.ok()) return std::move(results).status();
  return std::move(results->front());
}

/// The shard of the user of whom this call changed something.
std::optional<int> ShardToWake(const std::vector<Answer>& answers, bool in_doubt) {
  for (const Answer& answer : answers) {
    if (answer.outcome == "changed" || (in_doubt && answer.outcome == "repeated") ||
        (answer.outcome == "unchanged" && !answer.reminders.empty()))
      return answer.shard;
  }
  return std::nullopt;
}

}  // namespace

PgTaskStore::PgTaskStore(ConnectionPool& pool, std::function<void(int shard)> on_change,
                         TaskStoreOptions options)
    : pool_(pool),
      on_change_(std::move(on_change)),
      options_(options),
      queue_(std::make_unique<MutationQueue>(
          pool, on_change_,
          MutationQueueOptions{.max_batch = static_cast<std::size_t>(options.max_batch),
                               .max_batches = static_cast<std::size_t>(options.max_batches),
                               .lone_calls_too = options.lone_calls_too,
                               .open_task_limit = options.open_task_limit})) {
  TODO_REQUIRE(options_.apply_attempts > 0);
}

PgTaskStore::~PgTaskStore() = default;

MutationQueueStats PgTaskStore::queue_stats() { return queue_->stats(); }

template <typename Send>
absl::StatusOr<std::vector<ports::MutationResult>> PgTaskStore::Perform(
    std::span<const Mutation> mutations, steady_clock::time_point deadline, bool in_doubt,
    const Send& send) {
  util::Backoff pauses(std::chrono::milliseconds(100), std::chrono::milliseconds(1'000));
  // `in_doubt` is true once a statement was sent and its answer not received: the database may have
  // carried it out, or may still do so. The request id makes repeating it harmless, and tells.
  for (int attempt = 1;; ++attempt) {
    absl::Status failure;
    if (absl::StatusOr<ConnectionPool::Lease> lease =
            pool_.Acquire(std::min(deadline, steady_clock::now() + pool_.options().acquire_wait));
        !lease.ok()) {
      if (!in_doubt) return std::move(lease).status();
      failure = std::move(lease).status();
    } else {
      TODO_RETURN_IF_ERROR(TODO_FAULT_POINT("before-commit"));
      const absl::StatusOr<std::vector<Answer>> answers = Ask(*lease, mutations, send, in_doubt);
      if (answers.ok()) {
        TODO_FAULT_POINT("after-commit").IgnoreError();
        if (const auto shard = ShardToWake(*answers, in_doubt); shard && on_change_)
          on_change_(*shard);
        return Interpret(mutations, *answers);
      }
      failure = answers.status();
      in_doubt = in_doubt || lease->lost();
      if (!in_doubt) {
        return absl::IsAborted(failure) ? util::WithReason(std::move(failure), "CONTENTION")
                                        : failure;
      }
    }
    const std::chrono::milliseconds pause = pauses.Next();
    if (attempt >= options_.apply_attempts || steady_clock::now() + pause >= deadline) {
      return absl::UnknownError(
          "store: apply: the connection was lost and the outcome could not be found out: repeat "
          "the call with the same request_id");
    }
    std::this_thread::sleep_for(pause);
  }
}

absl::StatusOr<ports::MutationResult> PgTaskStore::Apply(const Mutation& mutation) {
  TODO_REQUIRE(mutation.reminders.empty());
  const steady_clock::time_point deadline = NewDeadline();
  return queue_->Apply(mutation,
                       [&](bool in_doubt) { return ApplyAlone(mutation, deadline, in_doubt); });
}

steady_clock::time_point PgTaskStore::NewDeadline() const {
  return steady_clock::now() + options_.apply_deadline;
}

absl::StatusOr<ports::MutationResult> PgTaskStore::ApplyAlone(const Mutation& mutation,
                                                              steady_clock::time_point deadline,
                                                              bool in_doubt) {
  const std::string patch = Dump(PatchOf(mutation));
  const auto send = [&](pqxx::transaction_base& transaction) {
    return Exec(
        transaction, kApply, mutation.user.value, mutation.request_id.value(),
        ByteaLiteral(mutation.fingerprint), std::string(domain::ToString(mutation.kind)),
        mutation.creates() ? std::nullopt : std::optional<std::int64_t>(mutation.task_id.value),
        mutation.expected_version, patch, mutation.event_id.value(),
        domain::FormatInstant(mutation.now), mutation.traceparent, options_.open_task_limit);
  };
  return OnlyOne(Perform(std::span(&mutation, 1), deadline, in_doubt, send));
}

absl::StatusOr<std::vector<ports::MutationResult>> PgTaskStore::ApplyAll(
    const ports::MutationList& list) {
  const std::vector<Mutation>& mutations = list.mutations;
  TODO_REQUIRE(!mutations.empty() && mutations.size() <= kMaxMutations);
  const domain::UserId& user = mutations.front().user;
  if (mutations.size() == 1 && mutations.front().reminders.empty()) {
    Mutation only = mutations.front();
    only.request_id = list.request_id;
    only.fingerprint = list.fingerprint;
    TODO_ASSIGN_OR_RETURN(ports::MutationResult result, Apply(only));
    return std::vector{std::move(result)};
  }
  for (const Mutation& mutation : mutations) TODO_REQUIRE(mutation.user == user);
  const std::string changes = Dump(ChangesOf(list));
  return Perform(mutations, NewDeadline(), false, [&](pqxx::transaction_base& transaction) {
    return Exec(transaction, kApplyAll, user.value, list.request_id.value(),
                ByteaLiteral(list.fingerprint), changes, options_.open_task_limit);
  });
}

absl::StatusOr<ports::MutationResult> PgTaskStore::ApplyToSeries(
    const ports::SeriesMutation& mutation) {
  const Mutation& first = mutation.first;
  const std::string changes = Dump(ChangesOf(mutation));
  const auto send = [&](pqxx::transaction_base& transaction) {
    return Exec(transaction, kApplyToSeries, first.user.value, mutation.series_id.value(),
                DigestOf(mutation.seen), changes, ByteaLiteral(first.fingerprint),
                domain::FormatInstant(first.now), first.traceparent, options_.open_task_limit);
  };
  return OnlyOne(Perform(std::span(&first, 1), NewDeadline(), false, send));
}

absl::StatusOr<std::optional<std::vector<ports::MutationResult>>> PgTaskStore::FirstAnswers(
    const ports::RequestName& request) {
  using Results = std::optional<std::vector<ports::MutationResult>>;
  return Read(pool_, "look for a request",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<Results> {
                Results results;
                for (const pqxx::row& row :
                     Exec(transaction, kFirstAnswers, request.user.value,
                          request.request_id.value(), ByteaLiteral(request.fingerprint))) {
                  if (!row[0].as<bool>()) return RequestReused();
                  if (!results) results.emplace();
                  TODO_ASSIGN_OR_RETURN(Task task, DecodeTask(View(row[1])));
                  task.deleted = row[3].as<bool>();
                  results->push_back({.task = std::move(task),
                                      .changed = row[2].as<bool>(),
                                      .repeated = true,
                                      .reminder_numbers = NumbersIn(row[4])});
                }
                return results;
              });
}

absl::StatusOr<std::vector<ports::SeriesMember>> PgTaskStore::ListSeries(
    const domain::UserId& user, const domain::Uuid& series_id) {
  using Members = std::vector<ports::SeriesMember>;
  return Read(
      pool_, "list a series", [&](pqxx::transaction_base& transaction) -> absl::StatusOr<Members> {
        Members members;
        for (const pqxx::row& row :
             Exec(transaction, kListSeries, user.value, series_id.value(), kMaxSeriesMembers)) {
          ports::SeriesMember& member = members.emplace_back();
          TODO_ASSIGN_OR_RETURN(member.task, DecodeTask(View(row[0])));
          member.task.deleted = row[1].as<bool>();
          member.untouched = row[2].as<bool>();
        }
        return members;
      });
}

}  // namespace todo::store
