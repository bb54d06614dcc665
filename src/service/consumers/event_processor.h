#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "domain/event/event.h"
#include "domain/event/received_event.h"
#include "domain/time.h"
#include "ports/clock.h"
#include "ports/crash_log.h"
#include "ports/event_inbox.h"
#include "ports/record_handler.h"
#include "ports/retry_queue.h"
#include "service/consumers/event_consumer.h"
#include "util/guarded.h"

namespace todo::service {

/// Whether `status` says that the store cannot do it now, not that the event is bad: nothing is
/// known against the event, so it must be delivered again and is neither retried on schedule nor
/// given up.
bool NotNow(const absl::Status& status);

/// One topic: how its records are read, and who takes them.
struct EventStream {
  std::string topic;
  absl::StatusOr<domain::Event> (*parse)(std::string_view record) = nullptr;
  std::vector<EventConsumer*> consumers;  // each of one stream only

  /// A parser of one kind of event, such as domain::ParseTaskEventRecord, in the form of `parse`.
  template <auto parse_one>
  static absl::StatusOr<domain::Event> Parse(std::string_view record) {
    auto event = parse_one(record);
    if (!event.ok()) return event.status();
    return *std::move(event);
  }
};

/// Takes what the bus delivers to every consumer of its topic, and decides alone what becomes of
/// each record: its effect, exactly once; or a place in the retry queue, 1 s, 2 s and 4 s after its
/// failures; or a dead letter. Whichever it is, is durable before the bus hears of it.
///
/// While a consumer has not what it needs from elsewhere, its events wait in the retry queue, for
/// as long as it takes and with no attempt counted: nobody else's events wait for that.
///
/// An event in whose company the process died is a suspect, for every replica. It is taken alone,
/// with nothing else in the process's hands, so that it is known whose fault the next crash is. The
/// third time it is a dead letter.
///
/// Thread safety: Process and RunDueRetries may be called from many threads at once; they block on
/// the database.
class EventProcessor final : public ports::RecordHandler {
 public:
  struct Ports {  // all must outlive the processor
    ports::EventInbox& inbox;
    ports::RetryQueue& retries;
    ports::CrashLog& crashes;
    const ports::Clock& clock;
  };
  /// The consumers must outlive it. `on_queued(due)` is called after an event was put into the
  /// retry queue; it must not block.
  EventProcessor(Ports ports, std::vector<EventStream> streams,
                 std::function<void(domain::Instant)> on_queued = {});

  /// To be called once, before the first event: looks for a crash.
  absl::Status Recover();

  /// One status for each of `records`, which are all of one topic. OK: what became of it is durable
  /// (now, or from an earlier delivery). Anything else: the store could not do it now, and the
  /// record must come again. A batch is one transaction for each consumer; one that fails is
  /// divided until what fails stands alone, so that one bad event delays no other.
  /// kFailedPrecondition for all: no stream has the topic.
  [[nodiscard]] std::vector<absl::Status> Process(
      const std::vector<domain::BusRecord>& records) override;

  /// How often, since the start, an event had no effect for a consumer because its id had been used
  /// for another event of that day (ports::Claimed::reused). Each is logged.
  std::uint64_t reused_id_count() const { return reused_ids_; }

  /// Tries what is due in the retry queue, up to `limit` (> 0) events. Answers when to come again
  /// at the latest; nullopt: nothing waits.
  absl::StatusOr<std::optional<domain::Instant>> RunDueRetries(int limit);

 private:
  class InFlight;  // events in them

  /// An event as its consumers see it, and as it came.
  struct IncomingEvent {
    domain::Event event;
    domain::ReceivedEvent received;
  };
  static IncomingEvent IncomingEventOf(domain::Event event, const domain::BusRecord& record);

  /// Applies events from the bus, or that of `entry`. True: what became of them is durable. False,
  /// of an entry only: it is not its turn now.
  absl::StatusOr<bool> Run(EventConsumer& consumer, const std::vector<IncomingEvent>& incoming,
                           const ports::RetryEntry* entry);
  /// Puts events that cannot be prepared now into the retry queue.
  absl::Status Wait(const EventConsumer& consumer,
                    const std::vector<domain::ReceivedEvent>& received_events,
                    const std::string& reason);
  void NoteReused(std::string_view consumer,
                  const std::vector<domain::ReceivedEvent>& received_events,
                  const std::set<domain::EventId>& reused);
  /// False: `consumer` has not had what it needs from elsewhere, and it is not yet time to try
  /// again.
  bool MayTry(std::string_view consumer);
  void NoteTry(std::string_view consumer, const absl::Status& status);
  /// The names of those consumers that may try.
  std::vector<std::string> Active();
  /// When the first of the others may; nullopt: all may.
  std::optional<domain::Instant> NextTry();
  /// One status for each of `batch`, in order. Sets `outage` when there is one, and then tries
  /// nothing more.
  [[nodiscard]] std::vector<absl::Status> RunBatch(EventConsumer& consumer,
                                                   const std::vector<IncomingEvent>& batch,
                                                   absl::Status& outage);
  absl::Status RunAlone(EventConsumer& consumer, const IncomingEvent& incoming);
  absl::Status AddUnreadableDeadLetter(const EventStream& stream, const domain::BusRecord& record,
                                       const absl::Status& reason);
  /// False: it is not its turn now.
  absl::StatusOr<bool> Retry(const ports::RetryEntry& entry);
  absl::Status FinishRetry(const ports::RetryEntry& entry, const domain::ReceivedEvent& received,
                           const absl::Status& failure);
  absl::Status AddDeadLetter(const domain::DeadLetter& letter, bool from_queue);

  const Ports ports_;
  const std::vector<EventStream> streams_;
  struct ConsumerEntry {
    const EventStream* stream = nullptr;
    EventConsumer* consumer = nullptr;
  };
  const std::map<std::string, ConsumerEntry, std::less<>> consumers_;  // by name
  const std::vector<std::string> consumer_names_;
  const std::function<void(domain::Instant)> on_queued_;
  util::Guarded<std::map<std::string, domain::Instant, std::less<>>> away_;    // until when
  util::Guarded<std::set<std::pair<std::string, domain::EventId>>> retrying_;  // consumer, event
  struct Slots {                                                               // of the crash log
    std::vector<bool> used;                                                    // by number
    int used_count = 0;
    int alone_count = 0;  // those who have one alone, or wait for it
  };
  util::Guarded<Slots> slots_;
  std::atomic<std::uint64_t> reused_ids_{0};
  std::condition_variable slot_freed_;
};

}  // namespace todo::service
