#include "service/consumers/event_processor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "ports/failure.h"
#include "service/consumers/event_spans.h"
#include "service/consumers/record_parts.h"
#include "service/consumers/retry_policy.h"
#include "util/log.h"
#include "util/span.h"
#include "util/status.h"
#include "util/together.h"
#include "util/trace_context.h"

namespace todo::service {
namespace {

using domain::BusRecord;
using domain::DeadLetter;
using domain::Instant;
using domain::ReceivedEvent;
using ports::RetryEntry;
using ports::TakenFrom;
using util::Severity;

/// The delay before another look when other threads have all due entries in hand.
constexpr std::chrono::milliseconds kInOtherHands{50};
constexpr std::string_view kPausedReason =
    "waits: a service that its consumer needs besides the database is away";

std::vector<std::string> NamesOf(const std::vector<EventStream>& streams) {
  std::vector<std::string> names;
  for (const EventStream& stream : streams) {
    for (const EventConsumer* consumer : stream.consumers) names.emplace_back(consumer->name());
  }
  return names;
}

/// Makes RunBatch divide the batch.
absl::Status Divide(std::string_view reason) {
  return util::MakeStatus(absl::StatusCode::kFailedPrecondition, reason);
}

}  // namespace

EventProcessor::EventProcessor(Ports ports, std::vector<EventStream> streams,
                               std::function<void(Instant)> on_queued, util::WorkerPool* helpers)
    : ports_(ports),
      streams_(std::move(streams)),
      consumers_(ConsumersOf(streams_)),
      consumer_names_(NamesOf(streams_)),
      on_queued_(std::move(on_queued)),
      helpers_(helpers),
      slots_(ports.crashes),
      paused_(ports.clock),
      figures_(consumer_names_) {}

EventProcessor::Consumers EventProcessor::ConsumersOf(const std::vector<EventStream>& streams) {
  Consumers by_name;
  for (const EventStream& stream : streams) {
    for (EventConsumer* consumer : stream.consumers)
      by_name.emplace(consumer->name(), ConsumerEntry{&stream, consumer});
  }
  return by_name;
}

EventProcessor::IncomingEvent EventProcessor::IncomingEventOf(domain::Event event,
                                                              const BusRecord& record) {
  const domain::EventHeader header = HeaderOf(event);
  return {.event = std::move(event), .received = {.event = header, .record = record}};
}

absl::Status EventProcessor::Recover() {
  TODO_ASSIGN_OR_RETURN(const int count, ports_.crashes.CountCrashes());
  if (count == 0) return absl::OkStatus();
  util::Log(Severity::kWarning, "recovering_from_a_crash", {{"events_in_flight", count}});
  return absl::OkStatus();
}

std::vector<absl::Status> EventProcessor::Process(const std::vector<BusRecord>& records) {
  if (records.empty()) return {};
  const auto stream = std::ranges::find(streams_, records.front().topic, &EventStream::topic);
  if (stream == streams_.end()) {
    const std::string reason =
        fmt::format("no consumer is registered for topic {}", records.front().topic);
    return {records.size(), util::MakeStatus(absl::StatusCode::kFailedPrecondition, reason)};
  }
  std::vector<absl::Status> statuses;
  absl::Status outage;  // once it is not OK, nothing more is tried
  for (std::span<const BusRecord> rest = records; !rest.empty();) {
    const std::span<const BusRecord> part = rest.first(CountOfPart(rest));
    std::ranges::move(ProcessPart(*stream, part, outage), std::back_inserter(statuses));
    rest = rest.subspan(part.size());
  }
  return statuses;
}

std::vector<absl::Status> EventProcessor::ProcessPart(const EventStream& stream,
                                                      std::span<const BusRecord> records,
                                                      absl::Status& outage) {
  std::vector<absl::Status> statuses(records.size());
  std::vector<IncomingEvent> incoming;
  std::vector<std::size_t> positions;  // of each of `incoming` in `records`
  for (std::size_t i = 0; i < records.size(); ++i) {
    absl::StatusOr<domain::Event> event = stream.parse(records[i].bytes);
    if (event.ok()) {
      incoming.push_back(IncomingEventOf(*std::move(event), records[i]));
      positions.push_back(i);
      continue;
    }
    statuses[i] =
        outage.ok() ? AddUnreadableDeadLetter(stream, records[i], event.status()) : outage;
    if (ports::IsOutage(statuses[i])) outage = statuses[i];
  }
  for (const std::vector<absl::Status>& results : RunConsumers(stream, incoming, outage)) {
    for (std::size_t i = 0; i < results.size(); ++i) statuses[positions[i]].Update(results[i]);
  }
  return statuses;
}

std::vector<std::vector<absl::Status>> EventProcessor::RunConsumers(
    const EventStream& stream, const std::vector<IncomingEvent>& batch, absl::Status& outage) {
  std::vector<std::vector<absl::Status>> results(stream.consumers.size());
  util::Guarded<absl::Status> seen(outage);
  const auto run = [&](std::size_t i) {
    absl::Status own = *seen.Lock();
    results[i] = RunBatch(*stream.consumers[i], batch, own);
    seen.Lock()->Update(own);
  };
  if (helpers_ != nullptr && batch.size() > 1) {
    util::RunTogether(*helpers_, results.size(), run);
  } else {
    for (std::size_t i = 0; i < results.size(); ++i) run(i);
  }
  outage = *seen.Lock();
  return results;
}

std::vector<absl::Status> EventProcessor::RunBatch(EventConsumer& consumer,
                                                   const std::vector<IncomingEvent>& batch,
                                                   absl::Status& outage) {
  const std::size_t size = batch.size();
  if (!outage.ok() || size == 0) return std::vector<absl::Status>(size, outage);
  const absl::Status status =
      size == 1 ? RunAlone(consumer, batch.front()) : Run(consumer, batch, nullptr).status();
  if (ports::IsOutage(status)) outage = status;
  if (status.ok() || ports::IsOutage(status) || size == 1) {
    return std::vector<absl::Status>(size, status);
  }
  // The part [first, last) stands alone: the blamed event, or nothing, which halves the batch.
  std::size_t first = size / 2;
  std::size_t last = first;
  const std::optional<domain::EventId> blamed = BlamedIn(status);
  for (std::size_t i = 0; blamed && i < size; ++i) {
    if (batch[i].received.event.id != *blamed) continue;
    first = i;
    last = i + 1;
    break;
  }
  std::vector<absl::Status> statuses;
  const auto run_part = [&](std::size_t from, std::size_t to) {
    const auto begin = batch.begin();
    const std::vector<absl::Status> part = RunBatch(
        consumer,
        {begin + static_cast<std::ptrdiff_t>(from), begin + static_cast<std::ptrdiff_t>(to)},
        outage);
    statuses.insert(statuses.end(), part.begin(), part.end());
  };
  run_part(0, first);
  run_part(first, last);
  run_part(last, size);
  return statuses;
}

absl::Status EventProcessor::RunAlone(EventConsumer& consumer, const IncomingEvent& incoming) {
  const ReceivedEvent& received = incoming.received;
  const util::WithTrace trace(util::ParseTraceContext(received.event.traceparent));
  const absl::Status failure = Run(consumer, {incoming}, nullptr).status();
  if (failure.ok() || ports::IsTemporary(failure)) return failure;

  const Instant now = ports_.clock.Now();
  const std::optional<ports::RetrySchedule> schedule = ScheduleRetry(failure, 1, now, now);
  if (!schedule) {
    return AddDeadLetter(domain::DeadLetterOf(consumer.name(), received, AttemptsOf(failure, 1),
                                              now, now, util::FromAbsl(failure.message())),
                         TakenFrom::kBus);
  }
  TODO_RETURN_IF_ERROR(ports_.retries.Enqueue(consumer.name(), received, *schedule).status());
  figures_.Note(consumer.name(), EventResult::kFailed);
  if (on_queued_) on_queued_(schedule->due_at);
  util::Log(Severity::kWarning, "event_failed",
            {{"consumer", std::string(consumer.name())},
             {"event_id", received.event.id.value()},
             {"task_id", received.event.task_id.value},
             {"error", failure.ToString()}});
  return absl::OkStatus();
}

absl::StatusOr<bool> EventProcessor::Run(EventConsumer& consumer,
                                         const std::vector<IncomingEvent>& incoming,
                                         const RetryEntry* entry) {
  EventBatch batch;
  {
    std::vector<domain::Event> events;
    for (const IncomingEvent& one : incoming) events.push_back(one.event);
    std::vector<bool> concerns(events.size(), true);
    if (entry == nullptr) {
      TODO_ASSIGN_OR_RETURN(concerns, consumer.Concerns(events));
    }
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (concerns[i]) batch.Add(std::move(events[i]), incoming[i].received);
    }
  }
  if (batch.events.empty()) return true;
  EventSpans spans(consumer.name(), batch);
  const util::WithTrace trace(spans.span());
  const absl::StatusOr<bool> done = Handle(consumer, batch, entry);
  spans.End(done.status());
  return done;
}

absl::StatusOr<bool> EventProcessor::Handle(EventConsumer& consumer, const EventBatch& batch,
                                            const RetryEntry* entry) {
  // An effect knows an event by its id alone, so two events of one id need a transaction each.
  if (batch.HoldsTwoOfOneId()) return Divide("two events of one id among them");
  if (!paused_.MayTry(consumer.name()))
    return Wait(consumer, batch, entry, std::string(kPausedReason));

  std::optional<InFlight> in_flight(std::in_place, slots_, InFlight::Company::kOthers);
  TODO_ASSIGN_OR_RETURN(const int crashes, in_flight->Hold(consumer.name(), batch.headers));
  if (crashes > 0) {
    if (batch.events.size() > 1) return Divide("a suspect among them");
    if (crashes >= kMaxCrashes) return CrashedTooOften(crashes);
    in_flight.emplace(slots_, InFlight::Company::kNobody);
    TODO_RETURN_IF_ERROR(in_flight->Hold(consumer.name(), batch.headers).status());
  }
  const absl::StatusOr<EventConsumer::Effect> effect = consumer.Prepare(batch.events);
  paused_.Note(consumer.name(), effect.status());
  if (ports::IsTemporary(effect.status()))
    return Wait(consumer, batch, entry, ReasonFor(effect.status()));
  TODO_RETURN_IF_ERROR(effect.status());

  TODO_ASSIGN_OR_RETURN(const Applied applied, Apply(consumer, batch, *effect, entry));
  if (applied.all_done) in_flight->Done();
  NoteReused(consumer.name(), batch, applied.reused);
  return applied.ours;
}

absl::StatusOr<Applied> EventProcessor::Apply(EventConsumer& consumer, const EventBatch& batch,
                                              const EventConsumer::Effect& effect,
                                              const RetryEntry* entry) {
  absl::StatusOr<Applied> applied;
  const auto work = [&](ports::InboxTransaction& transaction) {
    applied = entry == nullptr
                  ? ApplyFromBus(transaction, consumer.name(), batch, effect)
                  : ApplyFromQueue(transaction, *entry, batch, effect, ports_.clock.Now());
    return applied.status();
  };
  constexpr int kAttempts = 3;
  absl::Status status;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    status = ports_.inbox.Transact(work);
    if (!absl::IsAborted(status)) break;  // others were in the way: the same call may succeed
  }
  TODO_RETURN_IF_ERROR(status);
  if (applied.ok() && applied->ours) {
    figures_.NoteApplied(consumer.name(), applied->applied, batch.events.size(),
                         ports_.clock.Now());
  }
  return applied;
}

absl::StatusOr<bool> EventProcessor::Wait(const EventConsumer& consumer, const EventBatch& batch,
                                          const RetryEntry* entry, const std::string& reason) {
  if (entry != nullptr) return false;  // it waits in the queue already
  for (const ReceivedEvent& received : batch.received) {
    TODO_RETURN_IF_ERROR(
        ports_.retries
            .Enqueue(consumer.name(), received,
                     {.failed_at = std::nullopt, .due_at = ports_.clock.Now(), .reason = reason})
            .status());
    figures_.Note(consumer.name(), EventResult::kWaiting);
  }
  return true;
}

void EventProcessor::NoteReused(std::string_view consumer, const EventBatch& batch,
                                const std::set<domain::EventId>& reused) {
  if (reused.empty()) return;
  reused_ids_ += reused.size();
  std::set<domain::EventId> unlogged = reused;
  for (const ReceivedEvent& received : batch.received) {
    if (unlogged.erase(received.event.id) == 0) continue;
    util::Log(Severity::kWarning, "event_id_reused",
              {{"event_id", received.event.id.value()},
               {"consumer", consumer},
               {"source", received.event.source},
               {"topic", received.record.topic},
               {"partition", received.record.partition},
               {"offset", received.record.offset}});
  }
}

absl::StatusOr<std::optional<Instant>> EventProcessor::RunDueRetries(int limit) {
  TODO_ASSIGN_OR_RETURN(
      const std::vector<RetryEntry> due,
      ports_.retries.Due(paused_.Active(consumer_names_), ports_.clock.Now(), limit));
  absl::Status failures;
  bool any_done = due.empty();
  for (const RetryEntry& entry : due) {
    // Another thread may have read the entry too. A second try at once would do no harm, but the
    // retries would not be 1 s, 2 s and 4 s apart.
    if (!retrying_.Lock()->emplace(entry.consumer, entry.event_id).second) continue;
    const absl::StatusOr<bool> done = Retry(entry);
    retrying_.Lock()->erase({entry.consumer, entry.event_id});
    failures.Update(done.status());
    if (ports::IsOutage(failures)) break;
    any_done = any_done || (done.ok() && *done);
  }
  TODO_RETURN_IF_ERROR(failures);
  // Events that waited behind those done now are due at once.
  TODO_ASSIGN_OR_RETURN(std::optional<Instant> next,
                        ports_.retries.NextDue(paused_.Active(consumer_names_)));
  if (next && !any_done) next = std::max(*next, ports_.clock.Now() + kInOtherHands);
  const std::optional<Instant> next_try = paused_.NextTry();
  return next && next_try ? std::min(*next, *next_try) : next ? next : next_try;
}

absl::StatusOr<bool> EventProcessor::Retry(const RetryEntry& entry) {
  const auto& [stream, consumer] = consumers_.at(entry.consumer);
  absl::StatusOr<domain::Event> event = stream->parse(entry.record.bytes);
  if (!event.ok()) {
    ReceivedEvent unreadable;
    unreadable.event.at = domain::kMinInstant;
    unreadable.record = entry.record;
    TODO_RETURN_IF_ERROR(
        AddDeadLetter(DeadLetterOf(entry, unreadable, entry.attempts + 1, ports_.clock.Now(),
                                   util::FromAbsl(event.status().message())),
                      TakenFrom::kRetryQueue));
    return true;
  }
  const IncomingEvent incoming = IncomingEventOf(*std::move(event), entry.record);
  const util::WithTrace trace(util::ParseTraceContext(incoming.received.event.traceparent));
  const absl::StatusOr<bool> done = Run(*consumer, {incoming}, &entry);
  if (done.ok() || ports::IsTemporary(done.status())) return done;
  TODO_RETURN_IF_ERROR(FinishRetry(entry, incoming.received, done.status()));
  return true;
}

absl::Status EventProcessor::FinishRetry(const RetryEntry& entry, const ReceivedEvent& received,
                                         const absl::Status& failure) {
  const Instant now = ports_.clock.Now();
  const int attempts = entry.attempts + 1;
  const std::optional<ports::RetrySchedule> schedule =
      ScheduleRetry(failure, attempts, entry.first_failed_at.value_or(now), now);
  if (schedule) {
    figures_.Note(entry.consumer, EventResult::kFailed);
    return ports_.retries.Reschedule(entry, *schedule);
  }
  return AddDeadLetter(
      DeadLetterOf(entry, received, AttemptsOf(failure, attempts), now, ReasonFor(failure)),
      TakenFrom::kRetryQueue);
}

absl::Status EventProcessor::AddUnreadableDeadLetter(const EventStream& stream,
                                                     const BusRecord& record,
                                                     const absl::Status& reason) {
  for (const EventConsumer* consumer : stream.consumers) {
    if (consumer->picks_events()) continue;
    TODO_RETURN_IF_ERROR(AddDeadLetter(
        domain::UnreadableDeadLetter(consumer->name(), record, util::FromAbsl(reason.message()),
                                     ports_.clock.Now()),
        TakenFrom::kBus));
  }
  return absl::OkStatus();
}

absl::Status EventProcessor::AddDeadLetter(const DeadLetter& letter, TakenFrom taken_from) {
  TODO_ASSIGN_OR_RETURN(const bool added,
                        ports_.retries.AddDeadLetter(letter, taken_from, ports_.clock.Now()));
  if (!added) return absl::OkStatus();
  figures_.Note(letter.consumer, EventResult::kDead);
  util::Log(Severity::kError, "event_dead",
            {{"consumer", letter.consumer},
             {"event_id", letter.event_id.value()},
             {"task_id", letter.task_id.value},
             {"topic", letter.record.topic},
             {"partition", letter.record.partition},
             {"offset", letter.record.offset},
             {"attempts", letter.attempts},
             {"reason", letter.reason}});
  return absl::OkStatus();
}

}  // namespace todo::service
