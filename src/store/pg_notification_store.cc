#include "store/pg_notification_store.h"

#include "store/notification_rows.h"
#include "store/reminder_columns.h"
#include "store/row_values.h"
#include "store/session.h"
#include "store/time_cursor.h"
#include "util/status.h"

namespace todo::store {
namespace {

using domain::Instant;
using domain::UserId;
using domain::Uuid;

constexpr Statement kList{"notification_list", R"sql(
select id, task_id, title, micros(remind_at),
       micros(due_at), time_zone, late, micros(at),
       micros(read_at), coalesce(due_kind, ''), coalesce(local_time(due_local), '')
from notifications
where user_id = $1 and shown and (not $2 or read_at is null)
  and (at, id) < ('epoch'::timestamptz + $3::bigint * interval '1 us', $4::uuid)
order by at desc, id desc limit $5)sql"};

constexpr Statement kCountUnread{"notification_unread", R"sql(
select count(*) from notifications where user_id = $1 and shown and read_at is null)sql"};

constexpr Statement kMarkRead{"notification_mark_read", R"sql(
update notifications set read_at = $3
where user_id = $1 and shown and read_at is null and ($2::uuid[] is null or id = any ($2::uuid[])))sql"};

}  // namespace

absl::StatusOr<ports::NotificationPage> PgNotificationStore::List(const UserId& user,
                                                                  bool unread_only, int limit,
                                                                  const std::string& cursor) {
  TODO_ASSIGN_OR_RETURN(const TimeCursor position, DecodeTimeCursor(cursor));
  return Once(pool_, "list notifications",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<ports::NotificationPage> {
                ports::NotificationPage page;
                page.unread_count =
                    Exec(transaction, kCountUnread, user.value)[0][0].as<std::int64_t>();
                for (const pqxx::row& row :
                     Exec(transaction, kList, user.value, unread_only,
                          position.at.time_since_epoch().count(), position.id.value(), limit + 1)) {
                  if (page.notifications.size() == static_cast<std::size_t>(limit)) {
                    const ports::Notification& last = page.notifications.back();
                    page.next_cursor = EncodeTimeCursor({last.at, last.reminder.id.uuid});
                    break;
                  }
                  ports::Notification& notification = page.notifications.emplace_back();
                  notification.reminder = {
                      .id = domain::EventId{UuidOf(row[0])},
                      .task_id = domain::TaskId{row[1].as<std::int64_t>()},
                      .title = row[2].as<std::string>(),
                      .remind_at = InstantOf(row[3]),
                      .due = DecodeDue(View(row[9]), View(row[10]), MaybeInstant(row[4])),
                      .time_zone = row[5].as<std::string>(),
                      .late = row[6].as<bool>()};
                  notification.at = InstantOf(row[7]);
                  notification.read_at = MaybeInstant(row[8]);
                }
                return page;
              });
}

absl::StatusOr<int> PgNotificationStore::MarkRead(const UserId& user,
                                                  const std::optional<std::vector<Uuid>>& ids,
                                                  Instant now) {
  std::optional<std::string> wanted;
  if (ids) wanted = ArrayLiteralOf(*ids, [](const Uuid& id) { return id.value(); });
  return Once(pool_, "mark notifications read",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<int> {
                return static_cast<int>(
                    Exec(transaction, kMarkRead, user.value, wanted, domain::FormatInstant(now))
                        .affected_rows());
              });
}

}  // namespace todo::store
