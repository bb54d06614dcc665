#include "support/fake_database.h"

#include <algorithm>

#include "domain/event/event_writer.h"
#include "domain/time_zone.h"

namespace todo::support {
namespace {

using Tables = FakeDatabase::Tables;

/// Does what the triggers of the tasks' table do.
void MarkReminders(Tables& tables, const domain::Task& was, const domain::Task& is) {
  if (was.completed == is.completed && was.deleted == is.deleted &&
      was.fields.due == is.fields.due && was.fields.time_zone == is.fields.time_zone) {
    return;
  }
  const bool stays = is.fields.due.kind == domain::DueKind::kInstant &&
                     was.fields.time_zone != is.fields.time_zone;
  for (auto& [id, row] : tables.reminders) {
    if (id.user != is.user || id.task_id != is.id ||
        row.reminder.state == domain::ReminderState::kDeleted)
      continue;
    if (!row.reminder.unplanned_since) row.reminder.unplanned_since = is.updated_at;
    domain::ReminderTime& time = row.reminder.time;
    if (stays && time.at_local && *time.at_local < absl::CivilSecond(9999, 12, 31)) {
      time.at = domain::TimeZone::Load(was.fields.time_zone)->ToInstant(*time.at_local);
      time.at_local.reset();
    }
  }
}

void CopyReminders(Tables& tables, const domain::Task& task) {
  const domain::Task* before = nullptr;
  for (const auto& [key, row] : tables.tasks) {
    if (key.first == task.user && row.task.series && task.series &&
        row.task.series->series_id == task.series->series_id &&
        row.task.series->occurrence == task.series->occurrence - 1) {
      before = &row.task;
    }
  }
  if (before == nullptr) return;
  using domain::ReminderState;
  // The copies of an earlier life. One whose job is written stays, as deleted, until that is gone.
  std::erase_if(tables.reminders, [&](const auto& entry) {
    return entry.first.user == task.user && entry.first.task_id == task.id && entry.second.copied &&
           !entry.second.job_at;
  });
  std::set<int> own;
  int last = 0;
  for (auto& [id, row] : tables.reminders) {
    if (id.user != task.user || (id.task_id != task.id && id.task_id != before->id)) continue;
    last = std::max(last, id.number);
    if (id.task_id != task.id) continue;
    if (row.copied) {
      row.reminder.state = ReminderState::kDeleted;
      row.reminder.unplanned_since.reset();
    } else {
      own.insert(id.number);
    }
  }

  const std::string& series_zone =
      before->series->following.time_zone.value_or(before->fields.time_zone);
  const domain::TimeZone zone = *domain::TimeZone::Load(series_zone);
  std::vector<domain::Reminder> copies;
  for (const auto& [id, row] : tables.reminders) {
    if (id.user != task.user || id.task_id != before->id ||
        row.reminder.state == ReminderState::kDeleted)
      continue;
    domain::Reminder copy;
    copy.id = {.user = id.user,
               .task_id = task.id,
               .number = id.number + (own.contains(id.number) ? last : 0)};
    copy.time = row.reminder.time;
    if (!copy.time.before) {
      const absl::CivilSecond local =
          copy.time.at ? zone.ToLocal(*copy.time.at) : *copy.time.at_local;
      copy.time = {};
      copy.time.at_local = task.series->scheduled + (local - before->series->scheduled);
    }
    copy.state = ReminderState::kCancelled;
    copy.unplanned_since =
        before->completed_at ? before->completed_at : before->skipped_at.value_or(task.updated_at);
    copy.created_at = task.updated_at;
    copies.push_back(std::move(copy));
  }
  for (domain::Reminder& copy : copies) {
    FakeDatabase::ReminderRow& row = tables.reminders[copy.id];
    row.reminder = std::move(copy);
    row.copied = true;
  }
}

void TakeUpSeries(Tables& tables, const domain::Task& changed) {
  std::map<std::int64_t, FakeDatabase::TaskRow*> rows;
  const domain::Task* newest = nullptr;  // of those that are there
  for (auto& [key, row] : tables.tasks) {
    if (key.first == changed.user && row.task.series &&
        row.task.series->series_id == changed.series->series_id)
      rows[row.task.series->occurrence] = &row;
  }
  for (const auto& [occurrence, row] : rows) {
    if (!row->task.deleted) newest = &row->task;
  }
  if (newest == nullptr || newest->completed) return;
  const auto next = rows.find(newest->series->occurrence + 1);
  if (next != rows.end() && !next->second->task.skipped_at)
    next->second->consumer_version = next->second->task.version;
}

}  // namespace

FakeDatabase::FakeDatabase(SteadyClock clock) : clock_(std::move(clock)) {
  auto tables = tables_.Lock();
  for (int shard = 0; shard < kShards; ++shard) tables->shards[shard];
}

void FakeDatabase::FailWith(absl::Status status) { faults_.Lock()->status = std::move(status); }

void FakeDatabase::LoseNextAnswer() { faults_.Lock()->lose_next_answer = true; }

absl::Status FakeDatabase::failure() { return faults_.Lock()->status; }

int FakeDatabase::ShardOf(const domain::UserId& user) {
  return static_cast<int>(std::hash<std::string>()(user.value) % kShards);
}

absl::Status FakeDatabase::Write(const std::function<absl::Status(Tables&)>& work) {
  if (absl::Status status = failure(); !status.ok()) return status;
  const std::lock_guard<std::mutex> turn(writing_);
  Tables copy = *tables_.Lock();
  if (absl::Status status = work(copy); !status.ok()) return status;
  *tables_.Lock() = std::move(copy);
  return absl::OkStatus();
}

absl::Status FakeDatabase::AnswerOrLose() {
  if (std::exchange(faults_.Lock()->lose_next_answer, false)) {
    return absl::UnknownError("fake store: the connection was lost");
  }
  return absl::OkStatus();
}

std::pair<FakeDatabase::Outcome, domain::Task> FakeDatabase::ApplyChange(Tables& tables,
                                                                         const ChangeCall& call) {
  if (call.request) {
    const auto found = tables.requests.find({call.user, call.request->first});
    if (found != tables.requests.end()) {
      const Request& first = found->second;
      if (first.fingerprint != call.request->second || first.answers.size() != 1)
        return {Outcome::kRequestReused, {}};
      return {Outcome::kRepeated, first.answers.front().task};
    }
  }

  TaskRow was;
  TaskRow row;
  if (call.task_id) {
    const auto found = tables.tasks.find({call.user, *call.task_id});
    if (found == tables.tasks.end() ||
        (found->second.task.deleted && call.request && call.kind != domain::ChangeKind::kCreated)) {
      return {Outcome::kNotFound, {}};
    }
    row = was = found->second;
    if (call.expected_version && *call.expected_version != was.task.version)
      return {Outcome::kStale, {}};
    call.patch(row.task);
    if (row == was || (call.kind == domain::ChangeKind::kCompleted && was.task.completed)) {
      if (call.request)
        tables.requests[{call.user, call.request->first}] = {call.request->second,
                                                             {{.task = was.task}}};
      return {Outcome::kUnchanged, was.task};
    }
  } else {
    call.patch(row.task);
    row.task.id = domain::TaskId{tables.next_task_id++};
    row.task.user = call.user;
    row.task.created_at = call.now;
  }
  if (row.task.series) {
    for (const auto& [key, other] : tables.tasks) {
      if (key.first == call.user && key.second != row.task.id && other.task.series &&
          other.task.series->series_id == row.task.series->series_id &&
          other.task.series->occurrence == row.task.series->occurrence) {
        return {Outcome::kOccurrenceExists, {}};
      }
    }
  }

  const auto is_open = [](const domain::Task& task) { return !task.completed && !task.deleted; };
  if (call.open_limit && is_open(row.task) && !(call.task_id && is_open(was.task))) {
    const auto open_count = std::ranges::count_if(tables.tasks, [&](const auto& entry) {
      return entry.first.first == call.user && is_open(entry.second.task);
    });
    if (open_count >= *call.open_limit) return {Outcome::kTooManyOpen, {}};
  }

  row.task.version = was.task.version + 1;
  row.task.updated_at = call.now;
  row.task.seq = ++tables.users[call.user].seq;
  if (call.part_of) {
    row.consumer_version.reset();
  } else if (!call.request) {
    row.consumer_version = row.task.version;
  }
  tables.tasks[{call.user, row.task.id}] = row;
  if (call.task_id) MarkReminders(tables, was.task, row.task);
  const bool comes_back = call.task_id && was.task.deleted && !row.task.deleted;
  const bool by_consumer = row.untouched();
  if ((comes_back || !call.task_id) && by_consumer) CopyReminders(tables, row.task);
  if (call.task_id && row.task.series &&
      (was.task.deleted != row.task.deleted || (was.task.completed && !row.task.completed))) {
    TakeUpSeries(tables, row.task);
  }
  tables.changes.push_back({tables.next_change_id++,
                            {.user = call.user,
                             .seq = row.task.seq,
                             .event_id = call.event_id,
                             .kind = call.kind,
                             .task_id = row.task.id,
                             .version = row.task.version,
                             .task_json = domain::FormatTaskJson(row.task),
                             .at = call.now,
                             .traceparent = call.traceparent,
                             .request_id = call.request ? call.request->first : call.part_of}});
  if (call.request)
    tables.requests[{call.user, call.request->first}] = {call.request->second,
                                                         {{.task = row.task, .changed = true}}};
  return {Outcome::kChanged, row.task};
}

bool FakeDatabase::Take(Tables& tables, std::string_view consumer, const domain::EventId& id,
                        domain::Instant at, std::int64_t identity) {
  // A copy with another timestamp is known as long as the first waits.
  if (tables.retries.contains({std::string(consumer), id})) return false;
  return tables.inbox
      .try_emplace({std::string(consumer), domain::FormatInstant(at).substr(0, 10), id}, identity)
      .second;
}

bool FakeDatabase::IsReused(const Tables& tables, std::string_view consumer,
                            const domain::EventHeader& event) {
  const auto taken = tables.inbox.find(
      {std::string(consumer), domain::FormatInstant(event.at).substr(0, 10), event.id});
  if (taken == tables.inbox.end()) return false;
  domain::EventHeader known;
  known.identity = taken->second;
  return domain::AreDifferent(known, event);
}

bool FakeDatabase::IsTaken(const Tables& tables, std::string_view consumer,
                           const domain::Change& change) {
  return tables.inbox.contains(
      {std::string(consumer), domain::FormatInstant(change.at).substr(0, 10), change.event_id});
}

bool FakeDatabase::HasQueue(const Tables& tables, std::string_view consumer,
                            const domain::UserId& user, domain::TaskId task_id) {
  for (const auto& [key, retry] : tables.retries) {
    if (key.first == consumer && retry.user == user && retry.task_id == task_id) return true;
  }
  return false;
}

void FakeDatabase::Enqueue(Tables& tables, std::string_view consumer,
                           const domain::ReceivedEvent& received, ports::RetryEntry entry) {
  if (HasQueue(tables, consumer, received.event.user, received.event.task_id)) {
    entry = {};
    entry.due_at = domain::kMaxInstant;
  }
  entry.consumer = consumer;
  entry.event_id = received.event.id;
  entry.record = received.record;
  tables.retries[{entry.consumer, entry.event_id}] = {.order = tables.next_retry++,
                                                      .user = received.event.user,
                                                      .task_id = received.event.task_id,
                                                      .entry = entry};
}

void FakeDatabase::LeaveQueue(Tables& tables, const std::string& consumer,
                              const domain::EventId& id, domain::Instant now) {
  const auto leaving = tables.retries.extract({consumer, id});
  if (leaving.empty()) return;
  Retry* next = nullptr;
  for (auto& [key, retry] : tables.retries) {
    if (key.first == consumer && retry.user == leaving.mapped().user &&
        retry.task_id == leaving.mapped().task_id &&
        (next == nullptr || retry.order < next->order)) {
      next = &retry;
    }
  }
  if (next != nullptr) next->entry.due_at = now;
}

namespace {

using Tables = FakeDatabase::Tables;

struct Queued {
  FakeDatabase::LaneKey lane;
  std::string host;
  domain::EventId event_id;
  std::string kind;
  std::string body;
  bool grouped = false;
  domain::Instant due_at;
  domain::Instant now;
  std::string traceparent;
};

void Queue(Tables& tables, const Queued& queued) {
  for (const auto& [id, row] : tables.deliveries) {
    if (row.lane == queued.lane && row.logged.event_id == queued.event_id) return;
  }
  std::string bytes(16, '\0');
  const std::uint32_t number = tables.next_delivery++;
  bytes[14] = static_cast<char>(number >> 8U);
  bytes[15] = static_cast<char>(number & 0xffU);
  FakeDatabase::DeliveryRow row;
  row.lane = queued.lane;
  row.logged.id = domain::Uuid::FromBytes(bytes, 4);
  row.logged.event_id = queued.event_id;
  row.logged.kind = queued.kind;
  row.logged.created_at = queued.now;
  row.body = queued.body;
  row.grouped = queued.grouped;
  row.due_at = queued.due_at;
  row.queued_at = queued.now;
  row.traceparent = queued.traceparent;
  tables.deliveries[row.logged.id] = row;
  FakeDatabase::LaneRow& lane =
      tables.lanes
          .try_emplace(queued.lane,
                       FakeDatabase::LaneRow{.host = {},
                                             .pace = queued.lane.channel == domain::Channel::kEmail
                                                         ? ports::Pace::kQuick
                                                         : ports::Pace::kNew})
          .first->second;
  lane.host = queued.host;
  lane.due_at = std::min(lane.due_at, std::max(queued.due_at, lane.paused_until));
  if (!queued.grouped || queued.due_at > queued.now + domain::kMaxGroupingTime) return;
  for (auto& [id, open] : tables.deliveries) {
    if (open.lane != queued.lane || open.logged.state != ports::DeliveryState::kPending ||
        !open.grouped || open.failures > 0 || open.due_at <= queued.now)
      continue;
    open.due_at =
        std::max(open.due_at, std::min(queued.due_at, open.queued_at + domain::kMaxGroupingTime));
  }
}

}  // namespace

void FakeDatabase::Post(Tables& tables, ports::OutboxMessage message) {
  tables.messages.push_back({tables.next_message_id++, std::move(message)});
}

void FakeDatabase::Remind(Tables& tables, const ports::ReminderNotice& notice) {
  const domain::UserId& user = notice.user;
  const domain::EventId& id = notice.reminder.id;
  const bool added =
      tables.notifications
          .try_emplace({user, id}, NotificationRow{.notification = {.reminder = notice.reminder,
                                                                    .at = notice.now,
                                                                    .read_at = {}},
                                                   .shown = notice.in_app})
          .second;
  if (!added) return;
  if (notice.in_app) {
    Post(tables, {.topic = notice.topic,
                  .key = user.value,
                  .id = notice.update_id,
                  .payload = notice.update,
                  .at = notice.now});
  }
  const std::string kind(domain::kReminderWebhookKind);
  if (notice.webhook) {
    for (const auto& [key, row] : tables.endpoints) {
      if (key.first != user || !row.endpoint.reminders || !row.endpoint.disabled_reason.empty())
        continue;
      Queue(tables, {.lane = {user, domain::Channel::kWebhook, key.second},
                     .host = row.endpoint.host,
                     .event_id = id,
                     .kind = kind,
                     .body = notice.webhook_body,
                     .due_at = notice.now,
                     .now = notice.now,
                     .traceparent = notice.traceparent});
    }
  }
  if (notice.push) {
    for (const auto& [key, subscription] : tables.subscriptions) {
      if (key.first != user) continue;
      Queue(tables, {.lane = {user, domain::Channel::kPush, key.second},
                     .host = subscription.host,
                     .event_id = id,
                     .kind = kind,
                     .body = {},
                     .grouped = notice.grouped,
                     .due_at = notice.disturb_at,
                     .now = notice.now,
                     .traceparent = notice.traceparent});
    }
  }
  if (notice.email && tables.mail_addresses.contains(user)) {
    Queue(tables, {.lane = {user, domain::Channel::kEmail, {}},
                   .host = "mail server",
                   .event_id = id,
                   .kind = kind,
                   .body = {},
                   .grouped = notice.grouped,
                   .due_at = notice.disturb_at,
                   .now = notice.now,
                   .traceparent = notice.traceparent});
  }
}

void FakeDatabase::EnqueueTaskWebhook(Tables& tables, const ports::TaskWebhook& webhook) {
  for (const auto& [key, row] : tables.endpoints) {
    if (key.first != webhook.user || !row.endpoint.task_events ||
        !row.endpoint.disabled_reason.empty())
      continue;
    Queue(tables, {.lane = {webhook.user, domain::Channel::kWebhook, key.second},
                   .host = row.endpoint.host,
                   .event_id = webhook.event_id,
                   .kind = webhook.kind,
                   .body = webhook.body,
                   .due_at = webhook.now,
                   .now = webhook.now,
                   .traceparent = webhook.traceparent});
  }
}

void FakeDatabase::StopLane(Tables& tables, const LaneKey& lane, const std::string& reason,
                            domain::Instant now) {
  if (const auto found = tables.lanes.find(lane); found != tables.lanes.end()) {
    ++found->second.epoch;
    found->second.lease_until = domain::kMinInstant;
    found->second.due_at = domain::kMaxInstant;
  }
  for (auto& [id, row] : tables.deliveries) {
    if (row.lane != lane || row.logged.state != ports::DeliveryState::kPending) continue;
    row.logged.state = ports::DeliveryState::kFailed;
    row.logged.attempts.push_back(
        {.at = now, .outcome = "dropped", .status_code = 0, .detail = reason});
  }
}

void FakeDatabase::RemoveLane(Tables& tables, const LaneKey& lane) {
  tables.lanes.erase(lane);
  std::erase_if(tables.deliveries, [&](const auto& entry) { return entry.second.lane == lane; });
}

void FakeDatabase::ReleaseLane(Tables& tables, const LaneKey& lane, domain::Instant now) {
  LaneRow& row = tables.lanes.at(lane);
  row.lease_until = domain::kMinInstant;
  row.due_at = domain::kMaxInstant;
  for (const auto& [id, delivery] : tables.deliveries) {
    if (delivery.lane == lane && delivery.logged.state == ports::DeliveryState::kPending)
      row.due_at = std::min(row.due_at, std::max({delivery.due_at, row.paused_until, now}));
  }
}

}  // namespace todo::support
