#include "service/consumers/event_processor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "domain/event/dead_letter.h"
#include "ports/failure.h"
#include "util/fault_point.h"
#include "util/log.h"
#include "util/status.h"

namespace todo::service {
namespace {

using domain::BusRecord;
using domain::DeadLetter;
using domain::Instant;
using domain::ReceivedEvent;
using ports::RetryEntry;
using util::Severity;

/// A consumer that has not what it needs from elsewhere tries again after so long.
constexpr std::chrono::seconds kAwayFor{2};
/// A statement that ends at its timeout says that the database is slow rather than that the event
/// is bad, even if it is the event's own each time. So it counts as no attempt, and is tried again
/// after so long; but not for ever.
constexpr std::chrono::seconds kAfterTimeout{10};
constexpr std::chrono::hours kTimeoutPatience{1};
/// What is due and in somebody else's hands is looked at again after so long.
constexpr std::chrono::milliseconds kInOtherHands{50};
constexpr std::string_view kNothingToPrepareWith =
    "waits: what its consumer needs from elsewhere is away";

std::string ReasonFor(const absl::Status& failure) {
  return fmt::format("{}: {}", absl::StatusCodeToString(failure.code()),
                     util::FromAbsl(failure.message()));
}

constexpr std::array kRetryDelays = {std::chrono::milliseconds(1000),
                                     std::chrono::milliseconds(2000),
                                     std::chrono::milliseconds(4000)};

/// How long after failure number `failures` (1 is the first) an event is tried again; nullopt:
/// never.
std::optional<std::chrono::milliseconds> RetryDelay(int failures) {
  if (failures < 1 || failures > static_cast<int>(kRetryDelays.size())) return std::nullopt;
  return kRetryDelays[static_cast<std::size_t>(failures - 1)];
}

/// A crash in the same event for the `kMaxCrashes`th time makes it a dead letter.
constexpr int kMaxCrashes = 3;

constexpr char kCrashesUrl[] = "todo/crashes";

/// Of an event that the process has died of `count` times.
absl::Status Deadly(int count) {
  absl::Status status = util::MakeStatus(
      absl::StatusCode::kInvalidArgument,
      fmt::format("the process died {} times while this event was applied", count));
  status.SetPayload(kCrashesUrl, absl::Cord(fmt::format("{}", count)));
  return status;
}

/// How often the event was tried that failed with `status` at attempt number `attempt`.
int AttemptsOf(const absl::Status& status, int attempt) {
  const auto crashes = status.GetPayload(kCrashesUrl);
  return crashes ? std::max(attempt, std::stoi(std::string(*crashes))) : attempt;
}

/// The dead letter of `entry`, under the id that it waited under. A record that could not be read
/// once waits under an id derived from it, which is nobody's event.
DeadLetter DeadLetterOfEntry(const RetryEntry& entry, ReceivedEvent received, int attempts,
                             Instant now, std::string_view reason) {
  received.event.id = entry.event_id;
  DeadLetter letter = domain::DeadLetterOf(entry.consumer, received, attempts,
                                           entry.first_failed_at.value_or(now), now, reason);
  letter.has_event_id = entry.event_id != domain::UnreadableEventId(entry.record);
  return letter;
}

/// After failure number `failures` of an event, which failed for the first time at `since`;
/// nullopt: it is given up.
std::optional<ports::RetrySchedule> ScheduleRetry(const absl::Status& failure, int failures,
                                                  Instant since, Instant now) {
  if (absl::IsInvalidArgument(failure)) return std::nullopt;
  if (absl::IsDeadlineExceeded(failure) && now - since < kTimeoutPatience) {
    return ports::RetrySchedule{.failed_at = now,
                                .counts = false,
                                .due_at = now + kAfterTimeout,
                                .reason = ReasonFor(failure)};
  }
  const std::optional<std::chrono::milliseconds> delay = RetryDelay(failures);
  if (!delay) return std::nullopt;
  return ports::RetrySchedule{
      .failed_at = now, .due_at = now + *delay, .reason = ReasonFor(failure)};
}

std::vector<std::string> NamesOf(const std::vector<EventStream>& streams) {
  std::vector<std::string> names;
  for (const EventStream& stream : streams) {
    for (const EventConsumer* consumer : stream.consumers) names.emplace_back(consumer->name());
  }
  return names;
}

/// Whether `events` hold two under the same id that are known to be no copies of each other.
bool HoldTwoOfOneId(const std::vector<domain::EventHeader>& events) {
  std::map<domain::EventId, const domain::EventHeader*> by_id;
  return std::any_of(events.begin(), events.end(), [&by_id](const domain::EventHeader& event) {
    const auto [first, is_new] = by_id.emplace(event.id, &event);
    return !is_new && domain::AreDifferent(*first->second, event);
  });
}

/// A test can arm "apply-task-7" to make every event of that task fail, or kill.
absl::Status FaultsOf([[maybe_unused]] const std::vector<domain::Event>& events) {
#ifdef TODO_FAULT_POINTS
  for (const domain::Event& event : events) {
    TODO_RETURN_IF_ERROR(
        TODO_FAULT_POINT(fmt::format("apply-task-{}", HeaderOf(event).task_id.value)));
  }
#endif
  return absl::OkStatus();
}

}  // namespace

/// Events that a thread is about to apply, noted in the crash log until they are done or laid down.
class EventProcessor::InFlight {
 public:
  /// `alone`: waits until nothing else is in the process's hands, and others wait meanwhile.
  InFlight(EventProcessor& processor, bool alone) : processor_(processor), alone_(alone) {
    auto slots = processor_.slots_.Lock();
    if (alone) ++slots->alone_count;
    processor_.slot_freed_.wait(
        slots.lock(), [&] { return alone ? slots->used_count == 0 : slots->alone_count == 0; });
    const auto free = std::find(slots->used.begin(), slots->used.end(), false);
    slot_ = static_cast<int>(free - slots->used.begin());
    if (free == slots->used.end()) {
      slots->used.push_back(true);
    } else {
      *free = true;
    }
    ++slots->used_count;
  }
  ~InFlight() {
    // What is not done is not in hand any more. Should this fail, it is taken for a suspect.
    if (holding_) processor_.ports_.crashes.Begin(slot_, "", {}).status().IgnoreError();
    {
      auto slots = processor_.slots_.Lock();
      slots->used[static_cast<std::size_t>(slot_)] = false;
      --slots->used_count;
      if (alone_) --slots->alone_count;
    }
    processor_.slot_freed_.notify_all();
  }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

  /// Answers how many crashes count against the worst of them.
  absl::StatusOr<int> Take(std::string_view consumer,
                           const std::vector<domain::EventHeader>& events) {
    TODO_ASSIGN_OR_RETURN(const auto suspects,
                          processor_.ports_.crashes.Begin(slot_, consumer, events));
    holding_ = true;
    int worst = 0;
    for (const auto& [event, crashes] : suspects) worst = std::max(worst, crashes);
    return worst;
  }
  /// All of them are done.
  void Done() { holding_ = false; }

 private:
  EventProcessor& processor_;
  const bool alone_;
  int slot_ = 0;
  bool holding_ = false;
};

EventProcessor::EventProcessor(Ports ports, std::vector<EventStream> streams,
                               std::function<void(Instant)> on_queued)
    : ports_(ports),
      streams_(std::move(streams)),
      consumers_([this] {
        std::map<std::string, ConsumerEntry, std::less<>> by_name;
        for (const EventStream& stream : streams_) {
          for (EventConsumer* consumer : stream.consumers)
            by_name.emplace(consumer->name(), ConsumerEntry{&stream, consumer});
        }
        return by_name;
      }()),
      consumer_names_(NamesOf(streams_)),
      on_queued_(std::move(on_queued)) {}

EventProcessor::IncomingEvent EventProcessor::IncomingEventOf(domain::Event event,
                                                              const BusRecord& record) {
  const domain::EventHeader header = HeaderOf(event);
  return {.event = std::move(event), .received = {.event = header, .record = record}};
}

absl::Status EventProcessor::Recover() {
  TODO_ASSIGN_OR_RETURN(const int count, ports_.crashes.CountCrashes());
  if (count == 0) return absl::OkStatus();
  util::Log(Severity::kWarning, "recovering_from_a_crash", {{"events_in_hand", count}});
  return absl::OkStatus();
}

std::vector<absl::Status> EventProcessor::Process(const std::vector<BusRecord>& records) {
  std::vector<absl::Status> statuses(records.size());
  if (records.empty()) return statuses;
  const auto stream = std::ranges::find(streams_, records.front().topic, &EventStream::topic);
  if (stream == streams_.end()) {
    statuses.assign(records.size(), util::MakeStatus(absl::StatusCode::kFailedPrecondition,
                                                     fmt::format("nobody here takes events of {}",
                                                                 records.front().topic)));
    return statuses;
  }
  std::vector<IncomingEvent> incoming;
  std::vector<std::size_t> positions;
  absl::Status outage;  // once there is one, nothing more is tried
  const auto note = [&outage](const absl::Status& status) {
    if (ports::IsOutage(status)) outage = status;
    return status;
  };
  for (std::size_t i = 0; i < records.size(); ++i) {
    absl::StatusOr<domain::Event> event = stream->parse(records[i].bytes);
    if (event.ok()) {
      incoming.push_back(IncomingEventOf(*std::move(event), records[i]));
      positions.push_back(i);
    } else {
      statuses[i] =
          outage.ok() ? note(AddUnreadableDeadLetter(*stream, records[i], event.status())) : outage;
    }
  }
  for (EventConsumer* consumer : stream->consumers) {
    const std::vector<absl::Status> results = RunBatch(*consumer, incoming, outage);
    for (std::size_t i = 0; i < results.size(); ++i) statuses[positions[i]].Update(results[i]);
  }
  return statuses;
}

std::vector<absl::Status> EventProcessor::RunBatch(EventConsumer& consumer,
                                                   const std::vector<IncomingEvent>& batch,
                                                   absl::Status& outage) {
  const std::size_t size = batch.size();
  if (!outage.ok() || size == 0) return std::vector<absl::Status>(size, outage);
  std::size_t first = size / 2;  // the part to stand alone; nobody to blame: the middle
  std::size_t last = first;
  const absl::Status status =
      size == 1 ? RunAlone(consumer, batch.front()) : Run(consumer, batch, nullptr).status();
  if (ports::IsOutage(status)) outage = status;
  if (status.ok() || ports::IsOutage(status) || size == 1) {
    return std::vector<absl::Status>(size, status);
  }
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

absl::StatusOr<bool> EventProcessor::Run(EventConsumer& consumer,
                                         const std::vector<IncomingEvent>& incoming,
                                         const RetryEntry* entry) {
  std::vector<domain::Event> events;
  for (const IncomingEvent& one : incoming) events.push_back(one.event);
  std::vector<ReceivedEvent> received_events;
  std::vector<domain::EventHeader> headers;
  {
    std::vector<bool> concerns(events.size(), true);
    if (entry == nullptr) {
      TODO_ASSIGN_OR_RETURN(concerns, consumer.Concerns(events));
    }
    std::vector<domain::Event> concerning;
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (!concerns[i]) continue;
      concerning.push_back(std::move(events[i]));
      received_events.push_back(incoming[i].received);
      headers.push_back(incoming[i].received.event);
    }
    events = std::move(concerning);
  }
  if (events.empty()) return true;
  // The effect knows an event by its id, the inbox by id and day: two of one id go one by one.
  if (HoldTwoOfOneId(headers)) {
    return absl::FailedPreconditionError("two events of one id among them");  // divide
  }
  const auto wait = [&](const std::string& reason) -> absl::StatusOr<bool> {
    if (entry != nullptr) return false;
    TODO_RETURN_IF_ERROR(Wait(consumer, received_events, reason));
    return true;
  };
  if (!MayTry(consumer.name())) return wait(std::string(kNothingToPrepareWith));
  std::optional<InFlight> in_flight(std::in_place, *this, false);
  TODO_ASSIGN_OR_RETURN(const int crashes, in_flight->Take(consumer.name(), headers));
  if (crashes > 0) {
    if (events.size() > 1) return absl::FailedPreconditionError("a suspect among them");  // divide
    if (crashes >= kMaxCrashes) return Deadly(crashes);
    in_flight.emplace(*this, true);
    TODO_RETURN_IF_ERROR(in_flight->Take(consumer.name(), headers).status());
  }
  const absl::StatusOr<EventConsumer::Effect> effect = consumer.Prepare(events);
  NoteTry(consumer.name(), effect.status());
  if (ports::IsTemporary(effect.status())) return wait(ReasonFor(effect.status()));
  TODO_RETURN_IF_ERROR(effect.status());

  bool ours = true;
  bool all_done = true;  // not so what was taken before, or waits behind others
  ports::Claimed claimed;
  const auto work = [&](ports::InboxTransaction& transaction) -> absl::Status {
    if (entry != nullptr) {
      TODO_ASSIGN_OR_RETURN(ours, transaction.TakeUp(*entry));
      all_done = ours;
      if (!ours) return absl::OkStatus();
      if (headers.front().id != entry->event_id) {
        // It could not be read when it was put there. Under its own id it may have been taken
        // since, or have to wait behind others of its task.
        TODO_ASSIGN_OR_RETURN(claimed, transaction.Claim(consumer.name(), received_events));
        all_done = !claimed.fresh.empty();
        if (claimed.fresh.empty()) return transaction.LeaveQueue(*entry, ports_.clock.Now());
      }
      TODO_RETURN_IF_ERROR(FaultsOf(events));
      TODO_RETURN_IF_ERROR((*effect)(transaction, events));
      return transaction.LeaveQueue(*entry, ports_.clock.Now());
    }
    claimed = {};
    if (TODO_PLANTED("skip-inbox")) {
      for (const domain::Event& event : events) claimed.fresh.insert(HeaderOf(event).id);
    } else {
      TODO_ASSIGN_OR_RETURN(claimed, transaction.Claim(consumer.name(), received_events));
    }
    std::vector<domain::Event> taken;
    for (const domain::Event& event : events) {
      // Erasing makes the second of two copies in the same batch stale.
      if (claimed.fresh.erase(HeaderOf(event).id) > 0) taken.push_back(event);
    }
    all_done = taken.size() == events.size();
    if (taken.empty()) return absl::OkStatus();
    TODO_RETURN_IF_ERROR(TODO_FAULT_POINT("after-inbox"));
    TODO_RETURN_IF_ERROR(FaultsOf(taken));
    TODO_RETURN_IF_ERROR((*effect)(transaction, taken));
    return TODO_FAULT_POINT("before-effect-commit");
  };
  constexpr int kAttempts = 3;
  absl::Status status;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    status = ports_.inbox.Transact(work);
    if (!absl::IsAborted(status)) break;  // deadlock or serialisation: the same call may succeed
  }
  TODO_RETURN_IF_ERROR(status);
  if (all_done) in_flight->Done();
  NoteReused(consumer.name(), received_events, claimed.reused);
  return ours;
}

void EventProcessor::NoteReused(std::string_view consumer,
                                const std::vector<ReceivedEvent>& received_events,
                                const std::set<domain::EventId>& reused) {
  if (reused.empty()) return;
  reused_ids_ += reused.size();
  std::set<domain::EventId> to_tell = reused;
  for (const ReceivedEvent& received : received_events) {
    if (to_tell.erase(received.event.id) == 0) continue;
    util::Log(Severity::kWarning, "event_id_reused",
              {{"event_id", received.event.id.value()},
               {"consumer", consumer},
               {"source", received.event.source},
               {"topic", received.record.topic},
               {"partition", received.record.partition},
               {"offset", received.record.offset}});
  }
}

absl::Status EventProcessor::Wait(const EventConsumer& consumer,
                                  const std::vector<ReceivedEvent>& received_events,
                                  const std::string& reason) {
  for (const ReceivedEvent& received : received_events) {
    TODO_RETURN_IF_ERROR(
        ports_.retries
            .Enqueue(consumer.name(), received,
                     {.failed_at = std::nullopt, .due_at = ports_.clock.Now(), .reason = reason})
            .status());
  }
  return absl::OkStatus();
}

bool EventProcessor::MayTry(std::string_view consumer) {
  auto away = away_.Lock();
  const auto until = away->find(consumer);
  if (until == away->end()) return true;
  const Instant now = ports_.clock.Now();
  if (now < until->second) return false;
  until->second = now + kAwayFor;  // others go on waiting until this one knows
  return true;
}

void EventProcessor::NoteTry(std::string_view consumer, const absl::Status& status) {
  const bool is_away = ports::IsTemporary(status);
  bool was_away = false;
  {
    auto away = away_.Lock();
    const auto until = away->find(consumer);
    was_away = until != away->end();
    if (is_away) {
      away->insert_or_assign(std::string(consumer), ports_.clock.Now() + kAwayFor);
    } else if (was_away) {
      away->erase(until);
    }
  }
  if (is_away == was_away) return;
  util::Log(is_away ? Severity::kWarning : Severity::kInfo,
            is_away ? "consumer_waits" : "consumer_goes_on",
            {{"consumer", std::string(consumer)}, {"status", status.ToString()}});
}

std::vector<std::string> EventProcessor::Active() {
  auto away = away_.Lock();
  const Instant now = ports_.clock.Now();
  std::vector<std::string> names;
  for (const std::string& name : consumer_names_) {
    const auto until = away->find(name);
    if (until == away->end() || until->second <= now) names.push_back(name);
  }
  return names;
}

std::optional<Instant> EventProcessor::NextTry() {
  auto away = away_.Lock();
  const Instant now = ports_.clock.Now();
  std::optional<Instant> next;
  for (const auto& [name, until] : *away) {
    if (until > now) next = std::min(next.value_or(until), until);
  }
  return next;
}

absl::Status EventProcessor::RunAlone(EventConsumer& consumer, const IncomingEvent& incoming) {
  const ReceivedEvent& received = incoming.received;
  const absl::Status failure = Run(consumer, {incoming}, nullptr).status();
  if (failure.ok() || ports::IsTemporary(failure)) return failure;

  const Instant now = ports_.clock.Now();
  const std::optional<ports::RetrySchedule> schedule = ScheduleRetry(failure, 1, now, now);
  if (!schedule) {
    return AddDeadLetter(domain::DeadLetterOf(consumer.name(), received, AttemptsOf(failure, 1),
                                              now, now, util::FromAbsl(failure.message())),
                         false);
  }
  TODO_RETURN_IF_ERROR(ports_.retries.Enqueue(consumer.name(), received, *schedule).status());
  if (on_queued_) on_queued_(schedule->due_at);
  util::Log(Severity::kWarning, "event_parked",
            {{"consumer", std::string(consumer.name())},
             {"event_id", received.event.id.value()},
             {"task_id", received.event.task_id.value},
             {"error", failure.ToString()}});
  return absl::OkStatus();
}

absl::Status EventProcessor::AddUnreadableDeadLetter(const EventStream& stream,
                                                     const BusRecord& record,
                                                     const absl::Status& reason) {
  for (const EventConsumer* consumer : stream.consumers) {
    if (consumer->picks_events()) continue;
    TODO_RETURN_IF_ERROR(AddDeadLetter(
        domain::UnreadableDeadLetter(consumer->name(), record, util::FromAbsl(reason.message()),
                                     ports_.clock.Now()),
        false));
  }
  return absl::OkStatus();
}

absl::Status EventProcessor::AddDeadLetter(const DeadLetter& letter, bool from_queue) {
  const absl::StatusOr<bool> added =
      ports_.retries.AddDeadLetter(letter, from_queue, ports_.clock.Now());
  if (!added.ok()) return added.status();
  if (*added) {
    util::Log(Severity::kError, "event_dead",
              {{"consumer", letter.consumer},
               {"event_id", letter.event_id.value()},
               {"task_id", letter.task_id.value},
               {"topic", letter.record.topic},
               {"partition", letter.record.partition},
               {"offset", letter.record.offset},
               {"attempts", letter.attempts},
               {"reason", letter.reason}});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Instant>> EventProcessor::RunDueRetries(int limit) {
  TODO_ASSIGN_OR_RETURN(const std::vector<RetryEntry> due,
                        ports_.retries.Due(Active(), ports_.clock.Now(), limit));
  absl::Status failures;
  bool any_done = due.empty();
  for (const RetryEntry& entry : due) {
    // Another thread may have read it too. Trying it twice would be harmless, but it would not be 1
    // s, 2 s and 4 s.
    if (!retrying_.Lock()->emplace(entry.consumer, entry.event_id).second) continue;
    const absl::StatusOr<bool> done = Retry(entry);
    retrying_.Lock()->erase({entry.consumer, entry.event_id});
    failures.Update(done.status());
    if (ports::IsOutage(failures)) break;
    any_done = any_done || (done.ok() && *done);
  }
  TODO_RETURN_IF_ERROR(failures);
  // Those behind what was done now are due at once.
  TODO_ASSIGN_OR_RETURN(std::optional<Instant> next, ports_.retries.NextDue(Active()));
  if (next && !any_done) next = std::max(*next, ports_.clock.Now() + kInOtherHands);
  const std::optional<Instant> next_try = NextTry();
  return next && next_try ? std::min(*next, *next_try) : next ? next : next_try;
}

absl::StatusOr<bool> EventProcessor::Retry(const RetryEntry& entry) {
  const ConsumerEntry& entry_consumer = consumers_.at(entry.consumer);
  absl::StatusOr<domain::Event> event = entry_consumer.stream->parse(entry.record.bytes);
  if (!event.ok()) {
    ReceivedEvent unreadable;
    unreadable.event.at = domain::kMinInstant;
    unreadable.record = entry.record;
    TODO_RETURN_IF_ERROR(
        AddDeadLetter(DeadLetterOfEntry(entry, unreadable, entry.attempts + 1, ports_.clock.Now(),
                                        util::FromAbsl(event.status().message())),
                      true));
    return true;
  }
  const IncomingEvent incoming = IncomingEventOf(*std::move(event), entry.record);
  const ReceivedEvent& received = incoming.received;
  const absl::StatusOr<bool> done = Run(*entry_consumer.consumer, {incoming}, &entry);
  if (done.ok() || ports::IsTemporary(done.status())) return done;
  TODO_RETURN_IF_ERROR(FinishRetry(entry, received, done.status()));
  return true;
}

absl::Status EventProcessor::FinishRetry(const RetryEntry& entry, const ReceivedEvent& received,
                                         const absl::Status& failure) {
  const Instant now = ports_.clock.Now();
  const int attempts = entry.attempts + 1;
  const std::optional<ports::RetrySchedule> schedule =
      ScheduleRetry(failure, attempts, entry.first_failed_at.value_or(now), now);
  if (schedule) return ports_.retries.Reschedule(entry, *schedule);
  return AddDeadLetter(
      DeadLetterOfEntry(entry, received, AttemptsOf(failure, attempts), now, ReasonFor(failure)),
      true);
}

}  // namespace todo::service
