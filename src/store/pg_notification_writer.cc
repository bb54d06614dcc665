#include "store/pg_notification_writer.h"

#include "domain/time.h"
#include "store/json_rows.h"
#include "store/session.h"
#include "store/task_columns.h"

namespace todo::store {
namespace {

// One statement for a batch, in the order of users, so that two batches cannot deadlock over lanes.
constexpr Statement kRemind{"inbox_remind", R"sql(
select shard_of(c.j->>'user_id'), remind_user(c.j)
from (select j from jsonb_array_elements($1::jsonb) x (j) order by j->>'user_id', j->>'id') c)sql"};

constexpr Statement kEnqueueTaskWebhooks{"inbox_enqueue_task_webhooks", R"sql(
select add_task_webhooks(c.j->>'user_id', (c.j->>'event_id')::uuid, c.j->>'kind', c.j->>'body',
                         (c.j->>'now')::timestamptz, c.j->>'traceparent')
from (select j from jsonb_array_elements($1::jsonb) x (j) order by j->>'user_id', j->>'event_id') c)sql"};

Patch RowOf(const ports::ReminderNotice& notice) {
  const domain::DueReminder& reminder = notice.reminder;
  const domain::Due& due = reminder.due;
  const bool is_due = due.kind != domain::DueKind::kNone;
  const std::string due_local = FormatDueLocal(due);
  return {{"user_id", notice.user.value},
          {"id", reminder.id.value()},
          {"task_id", reminder.task_id.value},
          {"title", reminder.title},
          {"remind_at", domain::FormatInstant(reminder.remind_at)},
          {"due_at", is_due ? Patch(domain::FormatInstant(due.at)) : Patch()},
          {"due_kind", is_due ? Patch(ToString(due.kind)) : Patch()},
          {"due_local", due_local.empty() ? Patch() : Patch(due_local)},
          {"time_zone", reminder.time_zone},
          {"late", reminder.late},
          {"shown", notice.in_app},
          {"at", domain::FormatInstant(notice.now)},
          {"webhook", notice.webhook},
          {"email", notice.email},
          {"push", notice.push},
          {"body", notice.webhook_body},
          {"disturb_at", domain::FormatInstant(notice.disturb_at)},
          {"grouped", notice.grouped},
          {"topic", notice.topic},
          {"update_id", notice.update_id.value()},
          {"update", notice.update},
          {"traceparent", notice.traceparent}};
}

}  // namespace

absl::Status PgNotificationWriter::Remind(const std::vector<ports::ReminderNotice>& notices) {
  Patch rows = Patch::array();
  for (const ports::ReminderNotice& notice : notices) {
    rows.push_back(RowOf(notice));
    delivers_ = delivers_ || notice.webhook || notice.email || notice.push;
  }
  return unit_.Do("write notifications", [&] {
    for (const pqxx::row& row : Exec(unit_.work(), kRemind, JsonText(rows)))
      unit_.NoteShard(row[0].as<int>());
  });
}

absl::Status PgNotificationWriter::EnqueueTaskWebhooks(
    const std::vector<ports::TaskWebhook>& webhooks) {
  Patch rows = Patch::array();
  for (const ports::TaskWebhook& webhook : webhooks) {
    rows.push_back({{"user_id", webhook.user.value},
                    {"event_id", webhook.event_id.value()},
                    {"kind", webhook.kind},
                    {"body", webhook.body},
                    {"now", domain::FormatInstant(webhook.now)},
                    {"traceparent", webhook.traceparent}});
  }
  delivers_ = delivers_ || !webhooks.empty();
  return unit_.Do("enqueue webhooks",
                  [&] { Exec(unit_.work(), kEnqueueTaskWebhooks, JsonText(rows)); });
}

}  // namespace todo::store
