#include "store/pg_event_inbox.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "store/pg_notification_writer.h"
#include "store/pg_recurrence_writer.h"
#include "store/pg_usage_writer.h"
#include "store/retry_columns.h"
#include "store/session.h"
#include "store/unit_of_work.h"
#include "util/status.h"

namespace todo::store {
namespace {

using domain::EventHeader;
using domain::EventId;

constexpr Statement kClaim{"inbox_claim", R"sql(
select event_id, outcome
from claim_events($1, $2::uuid[], $3::date[], $4::text[], $5::bigint[], $6::bigint[]))sql"};

constexpr Statement kEnqueue{"inbox_enqueue", "select append_retry($1::jsonb, $2::bytea)"};

constexpr Statement kBeginRetry{"inbox_begin_retry", "select begin_retry($1, $2, $3)"};

constexpr Statement kRemoveRetry{"inbox_remove_retry", "select remove_retry($1, $2, 'done', $3)"};

/// The claims of a transaction, and its writers.
class Transaction final : public ports::InboxTransaction, public UnitOfWork {
 public:
  using UnitOfWork::UnitOfWork;

  absl::StatusOr<ports::Claimed> Claim(
      std::string_view consumer,
      const std::vector<domain::ReceivedEvent>& received_events) override {
    ports::Claimed claimed;
    std::map<EventId, const domain::ReceivedEvent*> by_id;
    for (const domain::ReceivedEvent& received : received_events) {
      const auto [first, is_new] = by_id.emplace(received.event.id, &received);
      if (!is_new && domain::AreDifferent(first->second->event, received.event))
        claimed.reused.insert(received.event.id);
    }
    const auto column = [&](const auto& text) {
      return ArrayLiteralOf(by_id, [&](const auto& entry) { return text(entry.second->event); });
    };
    return Guard("claim events", [&]() -> absl::StatusOr<ports::Claimed> {
      std::set<EventId> behind;
      const pqxx::result result =
          Exec(work_, kClaim, std::string(consumer),
               column([](const EventHeader& event) { return event.id.value(); }),
               column([](const EventHeader& event) { return InboxDay(event.at); }),
               column([](const EventHeader& event) { return event.user.value; }),
               column([](const EventHeader& event) { return std::to_string(event.task_id.value); }),
               column([](const EventHeader& event) { return std::to_string(event.identity); }));
      for (const pqxx::row& row : result) {
        const auto id = domain::Uuid::Parse(View(row[0]));
        if (!id) continue;
        const std::string_view outcome = View(row[1]);
        (outcome == "behind"   ? behind
         : outcome == "reused" ? claimed.reused
                               : claimed.fresh)
            .insert(EventId{*id});
      }
      // In the order of the bus, which is the order of the queue.
      for (const domain::ReceivedEvent& received : received_events) {
        if (behind.erase(received.event.id) == 0) continue;
        Exec(work_, kEnqueue,
             RetryRow(consumer, received.event.id, received.event.at, received.event.user,
                      received.event.task_id, received.record)
                 .dump(),
             ByteaLiteral(received.record.bytes));
      }
      return claimed;
    });
  }

  absl::StatusOr<bool> TakeUp(const ports::RetryEntry& entry) override {
    return Guard("take up a retry", [&]() -> absl::StatusOr<bool> {
      return Exec(work_, kBeginRetry, entry.consumer, entry.event_id.value(), entry.attempts)[0][0]
          .as<bool>();
    });
  }

  absl::Status LeaveQueue(const ports::RetryEntry& entry, domain::Instant now) override {
    return Do("leave the retry queue", [&] {
      Exec(work_, kRemoveRetry, entry.consumer, entry.event_id.value(), domain::FormatInstant(now));
    });
  }

  ports::RecurrenceWriter& recurrence() override { return recurrence_; }
  ports::NotificationWriter& notifications() override { return notifications_; }
  ports::UsageWriter& usage() override { return usage_; }

  /// Whether it may have written deliveries.
  bool delivers() const { return notifications_.delivers(); }

 private:
  PgRecurrenceWriter recurrence_{*this};
  PgNotificationWriter notifications_{*this};
  PgUsageWriter usage_{*this};
};

}  // namespace

PgEventInbox::PgEventInbox(ConnectionPool& pool, std::function<void(int shard)> on_change,
                           std::function<void()> on_delivery)
    : pool_(pool), on_change_(std::move(on_change)), on_delivery_(std::move(on_delivery)) {}

absl::Status PgEventInbox::Transact(
    const std::function<absl::Status(ports::InboxTransaction&)>& work) {
  bool delivers = false;
  const absl::Status status = TransactAs<Transaction>(
      pool_, "consume events",
      [&](Transaction& transaction) -> absl::Status {
        const absl::Status done = work(transaction);
        delivers = transaction.delivers();
        return done;
      },
      on_change_);
  // When the outcome is not known, there may be deliveries, and a look in vain does no harm.
  if (delivers && (status.ok() || absl::IsUnknown(status)) && on_delivery_) on_delivery_();
  return status;
}

}  // namespace todo::store
