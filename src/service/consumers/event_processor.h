#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/event/bus_record.h"
#include "domain/event/dead_letter.h"
#include "domain/event/event.h"
#include "domain/event/received_event.h"
#include "domain/time.h"
#include "ports/clock.h"
#include "ports/crash_log.h"
#include "ports/event_inbox.h"
#include "ports/record_handler.h"
#include "ports/retry_queue.h"
#include "service/consumers/apply_events.h"
#include "service/consumers/event_consumer.h"
#include "service/consumers/event_figures.h"
#include "service/consumers/in_flight.h"
#include "service/consumers/paused_consumers.h"
#include "util/guarded.h"
#include "util/worker_pool.h"

namespace todo::service {

/// One topic: how its records are read, and the consumers of its events.
struct EventStream {
  std::string topic;
  absl::StatusOr<domain::Event> (*parse)(std::string_view record) = nullptr;
  std::vector<EventConsumer*> consumers;  // each belongs to one stream only

  /// A parser of one kind of event, such as domain::ParseTaskEventRecord, in the form of `parse`.
  template <auto parse_one>
  static absl::StatusOr<domain::Event> Parse(std::string_view record) {
    auto event = parse_one(record);
    if (!event.ok()) return event.status();
    return *std::move(event);
  }
};

/// Passes records of the bus to the consumers of their topic, and alone decides what becomes of
/// each: its effect, exactly once; or a place in the retry queue, 1 s, 2 s and 4 s after its first
/// failures; or a dead letter. The decision is durable before the bus hears of it.
///
/// Waiting: while a consumer misses something other than the database (see
/// EventConsumer::Prepare), its events wait in the retry queue. That counts no attempt and delays
/// no other consumer.
///
/// Crashes: when the process crashes, every event that it was applying becomes a suspect. Any
/// replica then applies a suspect alone, with no other event in flight, so that the next crash
/// identifies the culprit. The third crash makes it a dead letter.
///
/// Thread safety: Process and RunDueRetries may be called from many threads at once. They block on
/// the database, and on the services that consumers read in Prepare.
class EventProcessor final : public ports::RecordHandler {
 public:
  struct Ports {  // all must outlive the processor
    ports::EventInbox& inbox;
    ports::RetryQueue& retries;
    ports::CrashLog& crashes;
    const ports::Clock& clock;
  };
  /// The consumers must outlive it. `on_queued(due)` is called after an event was put into the
  /// retry queue; it must not block. The consumers of several events run at the same time, on those
  /// threads of `helpers` that are free; without helpers one after the other.
  EventProcessor(Ports ports, std::vector<EventStream> streams,
                 std::function<void(domain::Instant)> on_queued = {},
                 util::WorkerPool* helpers = nullptr);

  /// Looks for crashes, of this instance and of others that are gone. To be called once, before the
  /// first event. Blocks on the database; statuses as ports::CrashLog's.
  absl::Status Recover();

  /// One status for each of `records`, which are all of one topic. OK: what became of the record is
  /// durable, by this call or an earlier one. kFailedPrecondition for all of them: no stream has
  /// the topic. Anything else: the store is away, and the bus must deliver the record again.
  ///
  /// A batch is one transaction for each consumer; records of many MiB are several batches. A batch
  /// that fails is divided until the event
  /// that fails stands alone, so that one bad event delays no other.
  [[nodiscard]] std::vector<absl::Status> Process(
      const std::vector<domain::BusRecord>& records) override;

  /// Tries up to `limit` (> 0) events of the retry queue that are due. Answers when to call again
  /// at the latest; nullopt: the queue is empty. Not OK: the store is away.
  [[nodiscard]] absl::StatusOr<std::optional<domain::Instant>> RunDueRetries(int limit);

  /// How often since the start an event had no effect for a consumer because its id had been used
  /// for another event of that day (ports::Claimed::reused). Each case is logged.
  std::uint64_t reused_id_count() const { return reused_ids_; }

  /// What became of the events of each consumer since the start.
  std::map<std::string, EventFigures::Consumer> figures() const { return figures_.Read(); }

 private:
  struct IncomingEvent {
    domain::Event event;  // as consumers see it
    domain::ReceivedEvent received;
  };
  struct ConsumerEntry {
    const EventStream* stream = nullptr;
    EventConsumer* consumer = nullptr;
  };
  using Consumers = std::map<std::string, ConsumerEntry, std::less<>>;  // by name

  static IncomingEvent IncomingEventOf(domain::Event event, const domain::BusRecord& record);
  static Consumers ConsumersOf(const std::vector<EventStream>& streams);

  // These set `outage` when the store is away, and try nothing more once it is set.

  /// One status for each of `records`, in order.
  std::vector<absl::Status> ProcessPart(const EventStream& stream,
                                        std::span<const domain::BusRecord> records,
                                        absl::Status& outage);
  /// One list for each consumer of `stream`, with one status for each of `batch`, in order.
  std::vector<std::vector<absl::Status>> RunConsumers(const EventStream& stream,
                                                      const std::vector<IncomingEvent>& batch,
                                                      absl::Status& outage);
  /// One status for each of `batch`, in order.
  std::vector<absl::Status> RunBatch(EventConsumer& consumer,
                                     const std::vector<IncomingEvent>& batch, absl::Status& outage);
  /// OK: the event had its effect, was enqueued for a retry, or became a dead letter.
  absl::Status RunAlone(EventConsumer& consumer, const IncomingEvent& incoming);
  /// Applies events from the bus, or the event of `entry` when there is one. True: what became of
  /// the events is durable. False, with an entry only: it is not its turn now.
  absl::StatusOr<bool> Run(EventConsumer& consumer, const std::vector<IncomingEvent>& incoming,
                           const ports::RetryEntry* entry);
  /// The same for the events that concern the consumer; there is at least one.
  absl::StatusOr<bool> Handle(EventConsumer& consumer, const EventBatch& batch,
                              const ports::RetryEntry* entry);
  absl::StatusOr<Applied> Apply(EventConsumer& consumer, const EventBatch& batch,
                                const EventConsumer::Effect& effect,
                                const ports::RetryEntry* entry);
  /// Answers for Run that the consumer is paused: events from the bus go into the retry queue.
  absl::StatusOr<bool> Wait(const EventConsumer& consumer, const EventBatch& batch,
                            const ports::RetryEntry* entry, const std::string& reason);
  void NoteReused(std::string_view consumer, const EventBatch& batch,
                  const std::set<domain::EventId>& reused);

  /// Tries `entry`. True: what became of it is durable. False: it is not its turn now.
  absl::StatusOr<bool> Retry(const ports::RetryEntry& entry);
  /// Schedules the next retry of an entry that failed, or makes it a dead letter.
  absl::Status FinishRetry(const ports::RetryEntry& entry, const domain::ReceivedEvent& received,
                           const absl::Status& failure);

  absl::Status AddUnreadableDeadLetter(const EventStream& stream, const domain::BusRecord& record,
                                       const absl::Status& reason);
  absl::Status AddDeadLetter(const domain::DeadLetter& letter, ports::TakenFrom taken_from);

  const Ports ports_;
  const std::vector<EventStream> streams_;
  const Consumers consumers_;
  const std::vector<std::string> consumer_names_;
  const std::function<void(domain::Instant)> on_queued_;
  util::WorkerPool* const helpers_;
  CrashLogSlots slots_;
  PausedConsumers paused_;
  util::Guarded<std::set<std::pair<std::string, domain::EventId>>> retrying_;  // consumer, event
  std::atomic<std::uint64_t> reused_ids_{0};
  EventFigures figures_;
};

}  // namespace todo::service
