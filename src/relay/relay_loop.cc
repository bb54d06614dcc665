#include "relay/relay_loop.h"

#include <algorithm>
#include <set>
#include <utility>

#include "domain/event/event.h"
#include "domain/event/event_writer.h"
#include "ports/failure.h"
#include "util/fault_point.h"
#include "util/log.h"
#include "util/status.h"

namespace todo::relay {
namespace {

using util::Severity;

constexpr int kFailuresUntilSuspicion = 3;

}  // namespace

RelayLoop::RelayLoop(ports::OutboxLog& log, ports::EventPublisher& publisher, RelayOptions options,
                     SteadyClock clock, std::shared_ptr<Mailbox> mailbox)
    : log_(log),
      publisher_(publisher),
      options_(std::move(options)),
      clock_(std::move(clock)),
      mailbox_(std::move(mailbox)) {
  lease_until_ = renew_at_ = poll_at_ = cursor_write_at_ = database_retry_at_ = last_acknowledged_ =
      bus_failing_since_ = probe_at_ = clock_();
}

SteadyTime RelayLoop::Step() {
  TakeMail();
  if (stop_at_) {
    Drain();
  } else {
    WatchSidecar();
    Renew();
    WriteCursors();
    GiveBack();
    ReadBatches();
    PublishReady();
  }
  UpdateStats();
  return NextStep();
}

void RelayLoop::TakeMail() {
  const Letters letters = mailbox_->Take();
  for (int number : letters.woken) {
    if (auto shard = shards_.find(number); shard != shards_.end()) shard->second.due = true;
  }
  for (const Completion& completion : letters.completions) OnCompletion(completion);
  if (letters.stop_at) stop_at_ = letters.stop_at;
}

// --- Shards and leases

void RelayLoop::WatchSidecar() {
  const SteadyTime now = clock_();
  // The batches that failed have gone with their shards, and nothing says how the bus is now.
  if (bus_failing_ && !resting_ && !AnyStreamFails()) bus_failing_ = outage_reported_ = false;
  const SteadyTime silent_since = std::max(bus_failing_since_, last_acknowledged_);
  const bool suspect = bus_failing_ && now - silent_since >= options_.give_up_after;
  if (now < probe_at_ || !(resting_ || suspect)) return;
  probe_at_ = now + options_.probe_interval;
  const bool away = !options_.sidecar_answers();
  if (std::exchange(resting_, away) == away) return;
  if (away) {
    for (auto& [number, shard] : shards_) shard.leaving = true;
    TellHeld();
    util::Log(Severity::kError, "relay_without_sidecar", {{"shards", shards_.size()}});
  } else {
    bus_failing_since_ = renew_at_ = clock_();
    util::Log(Severity::kInfo, "relay_sidecar_back");
  }
}

void RelayLoop::Renew() {
  if (resting_) return;
  const SteadyTime asked_at =
      clock_();  // the lease counts from the database's answer, so surely not from earlier
  if (asked_at < renew_at_ || !DatabaseReady(asked_at)) return;
  auto answer = log_.Renew(options_.owner, options_.lease);
  if (!DatabaseAnswered(answer.status(), "renew leases")) return;
  if (!shards_.empty() && !LeaseHolds(asked_at))
    util::Log(Severity::kWarning, "relay_lease_had_run_out");
  lease_until_ = asked_at + options_.lease;
  renew_at_ = asked_at + options_.renew_interval;
  Adopt(*answer);
}

void RelayLoop::Adopt(const ports::OutboxShards& answer) {
  Shards held;
  std::vector<int> taken;
  std::vector<int> set_back;
  for (const ports::OutboxShard& shard : answer.owned) {
    auto known = shards_.find(shard.number);
    if (known != shards_.end() && known->second.epoch == shard.epoch) {
      // Nobody else had it in between, even if our lease had run out.
      if (!Reconcile(known->second, shard.cursor)) set_back.push_back(shard.number);
      held.insert(shards_.extract(known));
    } else {
      Shard& fresh = held[shard.number];
      fresh.epoch = shard.epoch;
      fresh.cursor = fresh.stored = fresh.sent = shard.cursor;
      taken.push_back(shard.number);
    }
  }
  std::vector<int> lost;
  for (const auto& [number, shard] : shards_) lost.push_back(number);
  shards_ = std::move(held);

  if (!lost.empty()) util::Log(Severity::kInfo, "relay_shards_lost", {{"shards", lost}});
  if (!taken.empty()) util::Log(Severity::kInfo, "relay_shards_taken", {{"shards", taken}});
  if (!set_back.empty())
    util::Log(Severity::kWarning, "relay_cursors_set_back", {{"shards", set_back}});

  auto excess = static_cast<std::ptrdiff_t>(shards_.size()) - answer.fair_share;
  for (auto& [number, shard] : shards_) shard.leaving = false;
  for (bool idle : {true, false}) {
    for (auto& [number, shard] : shards_) {
      if (excess > 0 && !shard.leaving && Idle(number) == idle) {
        shard.leaving = true;
        --excess;
      }
    }
  }
  TellHeld();
}

bool RelayLoop::Reconcile(Shard& shard, const ports::OutboxCursor& stored) {
  const bool ours = stored == shard.stored || stored == shard.sent;
  shard.stored = shard.sent = stored;
  if (ours) return true;
  shard.cursor = stored;
  shard.write_at.reset();
  shard.batch.reset();
  shard.due = true;
  return false;
}

void RelayLoop::GiveBack() {
  if (!DatabaseReady(clock_())) return;
  std::vector<int> numbers;
  for (const auto& [number, shard] : shards_) {
    if (shard.leaving && Idle(number)) numbers.push_back(number);
  }
  Release(numbers);
}

bool RelayLoop::Release(const std::vector<int>& numbers) {
  if (numbers.empty()) return true;
  if (!DatabaseAnswered(log_.Release(Cursors(numbers)), "release shards")) return false;
  for (int number : numbers) shards_.erase(number);
  TellHeld();
  util::Log(Severity::kInfo, "relay_shards_released", {{"shards", numbers}});
  return true;
}

void RelayLoop::WriteCursors() {
  const SteadyTime now = clock_();
  if (now < cursor_write_at_ || !DatabaseReady(now)) return;
  bool due = false;
  std::vector<int> numbers;
  for (const auto& [number, shard] : shards_) {
    if (!shard.write_at) continue;
    due = due || *shard.write_at <= now;
    // Who would be due before the next write comes along.
    if (*shard.write_at <= now + options_.cursor_interval) numbers.push_back(number);
  }
  if (!due) return;
  cursor_write_at_ = now + options_.cursor_interval;
  TODO_FAULT_POINT("before-mark").IgnoreError();
  const std::vector<ports::OutboxShard> written = Cursors(numbers);
  for (int number : numbers) shards_.at(number).sent = shards_.at(number).cursor;
  auto lost = log_.Advance(written);
  if (!DatabaseAnswered(lost.status(), "write cursors")) {
    renew_at_ = now;  // which tells whether it was written
    return;
  }
  for (int number : numbers) {
    Shard& shard = shards_.at(number);
    shard.stored = shard.sent;
    shard.write_at.reset();
  }
  if (lost->empty()) return;
  for (int number : *lost) shards_.erase(number);
  TellHeld();
  util::Log(Severity::kInfo, "relay_shards_lost", {{"shards", *lost}});
}

std::vector<ports::OutboxShard> RelayLoop::Cursors(const std::vector<int>& numbers) const {
  std::vector<ports::OutboxShard> cursors;
  cursors.reserve(numbers.size());
  for (int number : numbers) {
    const Shard& shard = shards_.at(number);
    cursors.push_back(
        {.number = number, .epoch = shard.epoch, .cursor = shard.cursor, .stored = shard.stored});
  }
  return cursors;
}

void RelayLoop::TellHeld() {
  std::set<int> held;
  for (const auto& [number, shard] : shards_) {
    if (!shard.leaving) held.insert(number);
  }
  mailbox_->SetHeld(std::move(held), lease_until_);
}

// --- Reading

bool RelayLoop::Readable(int number, const Shard& shard) const {
  // A call may still be in flight from before the shard was lost and taken again.
  return shard.due && !shard.leaving && !shard.batch && Idle(number);
}

void RelayLoop::ReadBatches() {
  const SteadyTime now = clock_();
  if (now >= poll_at_) {
    for (auto& [number, shard] : shards_) shard.due = true;
    poll_at_ =
        now + (options_.announced() ? options_.announced_poll_interval : options_.poll_interval);
  }
  if (!LeaseHolds(now) || !DatabaseReady(now)) return;
  std::vector<int> numbers;
  for (const auto& [number, shard] : shards_) {
    if (Readable(number, shard)) numbers.push_back(number);
  }
  if (numbers.empty()) return;
  auto batches = log_.Read(Cursors(numbers), options_.batch_limit);
  if (!DatabaseAnswered(batches.status(), "read changes")) return;

  for (int number : numbers) shards_.at(number).due = false;
  for (ports::OutboxBatch& content : *batches) {
    auto found = shards_.find(content.shard);
    if (found == shards_.end()) continue;
    Shard& shard = found->second;
    if (content.changes.empty() && content.messages.empty()) {
      if (shard.cursor == content.next) continue;
      shard.cursor = std::move(content.next);
      if (!shard.write_at) shard.write_at = now + options_.idle_cursor_interval;
      continue;
    }
    shard.batch = MakeBatch(std::move(content));
  }
}

RelayLoop::Batch RelayLoop::MakeBatch(ports::OutboxBatch content) {
  Batch batch;
  batch.id = ++last_batch_id_;
  batch.next = std::move(content.next);
  batch.count = content.changes.size() + content.messages.size();
  batch.oldest = content.changes.empty() ? content.messages.front().at : content.changes.front().at;

  std::map<std::string, std::vector<ports::OutgoingEvent>> by_topic;
  const auto add = [&by_topic](const std::string& topic, const std::string& key,
                               const std::string& id, std::string payload) {
    by_topic[topic].push_back({.key = key, .entry_id = id, .payload = std::move(payload)});
  };
  for (const domain::Change& change : content.changes) {
    const std::string& user = change.user.value;
    add(options_.task_events_topic, user, change.event_id.value(), domain::TaskEventRecord(change));
    add(options_.task_updates_topic, user, change.event_id.value(),
        domain::TaskUpdateRecord(change));
  }
  for (ports::OutboxMessage& message : content.messages) {
    add(message.topic, message.key, message.id.value(), std::move(message.payload));
  }
  for (auto& [topic, events] : by_topic) {
    Stream& stream = batch.streams.emplace_back();
    stream.topic = topic;
    stream.run = events.size();
    stream.events = std::move(events);
    if (TODO_PLANTED("swap-order")) std::reverse(stream.events.begin(), stream.events.end());
  }
  return batch;
}

// --- Publishing

bool RelayLoop::Sendable(const Stream& stream) {
  return stream.in_flight == 0 && stream.acknowledged < stream.events.size();
}

void RelayLoop::PublishReady() {
  for (auto& [number, shard] : shards_) {
    if (!shard.batch || shard.leaving) continue;
    for (std::size_t index = 0; index < shard.batch->streams.size(); ++index) {
      const Stream& stream = shard.batch->streams[index];
      if (Sendable(stream) && stream.retry_at <= clock_()) Send(number, *shard.batch, index);
    }
  }
}

void RelayLoop::Send(int number, Batch& batch, std::size_t index) {
  Stream& stream = batch.streams[index];
  const std::size_t count = std::min(stream.run, stream.events.size() - stream.acknowledged);
  const auto first = stream.events.begin() + static_cast<std::ptrdiff_t>(stream.acknowledged);
  // A copy: it may have to be sent again.
  std::vector<ports::OutgoingEvent> events(first, first + static_cast<std::ptrdiff_t>(count));
  TODO_FAULT_POINT("before-publish").IgnoreError();
  // The last moment to notice that the process was frozen and the shard may be somebody else's by
  // now.
  if (!LeaseHolds(clock_())) return;
  stream.in_flight = count;
  ++calls_in_flight_[number];
  publisher_.Publish(
      stream.topic, std::move(events),
      [mailbox = mailbox_, number, id = batch.id, index](absl::Status status) {
        mailbox->Complete(
            {.shard = number, .batch_id = id, .stream = index, .status = std::move(status)});
      });
}

void RelayLoop::OnCompletion(const Completion& completion) {
  const int number = completion.shard;
  if (auto calls = calls_in_flight_.find(number); --calls->second == 0)
    calls_in_flight_.erase(calls);
  if (!completion.status.ok()) {
    ++own_stats_.publish_failures;
    own_stats_.last_error = completion.status.ToString();
  }
  auto found = shards_.find(number);
  if (found == shards_.end()) return;
  Shard& shard = found->second;
  if (!shard.batch || shard.batch->id != completion.batch_id)
    return;  // of a time before the shard was lost

  Batch& batch = *shard.batch;
  Stream& stream = batch.streams[completion.stream];
  if (!completion.status.ok()) return OnFailed(number, batch, completion.stream, completion.status);
  TODO_FAULT_POINT("after-publish").IgnoreError();
  OnAcknowledged(stream);
  for (const Stream& other : batch.streams) {
    if (other.acknowledged < other.events.size()) return;
  }
  const SteadyTime now = clock_();
  const SteadyTime write_at = now + options_.cursor_interval;
  own_stats_.published_count += batch.count;
  shard.cursor = std::move(batch.next);
  shard.write_at = shard.write_at ? std::min(*shard.write_at, write_at) : write_at;
  shard.due = true;  // there may be more
  shard.batch.reset();
}

void RelayLoop::OnAcknowledged(Stream& stream) {
  last_acknowledged_ = clock_();
  stream.acknowledged += std::exchange(stream.in_flight, 0);
  if (stream.acknowledged < stream.suspect_end) {
    stream.run = std::max<std::size_t>(1, (stream.suspect_end - stream.acknowledged) / 2);
    return;
  }
  stream.suspect_end = 0;
  stream.run = stream.events.size();
  stream.failures = 0;
  if (!bus_failing_ || AnyStreamFails()) return;
  bus_failing_ = false;
  outage_reported_ = false;
  util::Log(Severity::kInfo, "relay_publish_recovered");
}

void RelayLoop::OnFailed(int number, Batch& batch, std::size_t index, const absl::Status& status) {
  Stream& stream = batch.streams[index];
  const SteadyTime now = clock_();
  const std::size_t count = std::exchange(stream.in_flight, 0);
  if (++stream.failures == 1) stream.failing_since = now;
  stream.retry_at = now + Backoff(stream.failures);
  if (stream.failures >= kFailuresUntilSuspicion && !ports::IsUnanswered(status)) {
    stream.suspect_end = stream.acknowledged + count;
    stream.run = std::max<std::size_t>(1, count / 2);
  }
  if (!std::exchange(bus_failing_, true)) {
    bus_failing_since_ = now;
    util::Log(Severity::kWarning, "relay_publish_failing",
              {{"shard", number}, {"topic", stream.topic}, {"error", status.ToString()}});
  }
  ReportIfStuck(number, batch, index, status);
}

void RelayLoop::ReportIfStuck(int number, const Batch& batch, std::size_t index,
                              const absl::Status& status) {
  const Stream& stream = batch.streams[index];
  if (stream.failures % options_.failures_until_error != 0) return;
  // While other events get through it is this one; otherwise it is the bus, which is worth saying
  // once.
  const bool only_this = last_acknowledged_ > stream.failing_since;
  if (!only_this && std::exchange(outage_reported_, true)) return;
  util::Log(Severity::kError, only_this ? "relay_shard_stuck" : "relay_bus_away",
            {{"shard", number},
             {"topic", stream.topic},
             {"event_id", stream.events[stream.acknowledged].entry_id},
             {"events", stream.run},
             {"attempts", stream.failures},
             {"error", status.ToString()}});
}

bool RelayLoop::AnyStreamFails() const {
  return std::any_of(shards_.begin(), shards_.end(), [](const auto& entry) {
    const std::optional<Batch>& batch = entry.second.batch;
    return batch && std::any_of(batch->streams.begin(), batch->streams.end(),
                                [](const Stream& stream) { return stream.failures > 0; });
  });
}

// --- The end

void RelayLoop::Drain() {
  const SteadyTime now = clock_();
  const bool late = now >= *stop_at_;
  if (DatabaseReady(now)) {
    std::vector<int> numbers;
    for (const auto& [number, shard] : shards_) {
      if (late || Idle(number)) numbers.push_back(number);
    }
    Release(numbers);
  }
  finished_ = late || shards_.empty();
  if (finished_ && !shards_.empty()) util::Log(Severity::kWarning, "relay_shards_not_released");
}

// --- Bookkeeping

SteadyTime RelayLoop::NextStep() const {
  const SteadyTime now = clock_();
  const auto with_database = [this](SteadyTime at) { return std::max(at, database_retry_at_); };
  if (stop_at_) {
    const bool waits_for_database = std::any_of(
        shards_.begin(), shards_.end(), [this](const auto& entry) { return Idle(entry.first); });
    return waits_for_database ? std::min(*stop_at_, with_database(now)) : *stop_at_;
  }
  SteadyTime next = std::min(resting_ ? probe_at_ : with_database(renew_at_), poll_at_);
  const bool may_publish = LeaseHolds(now);
  for (const auto& [number, shard] : shards_) {
    if (shard.write_at)
      next = std::min(next, with_database(std::max(*shard.write_at, cursor_write_at_)));
    if (shard.leaving) {
      if (Idle(number)) next = std::min(next, with_database(now));
      continue;
    }
    if (!may_publish) continue;
    if (Readable(number, shard)) next = std::min(next, with_database(now));
    if (!shard.batch) continue;
    for (const Stream& stream : shard.batch->streams) {
      if (Sendable(stream)) next = std::min(next, stream.retry_at);
    }
  }
  return next;
}

void RelayLoop::UpdateStats() {
  own_stats_.owned_shards = static_cast<int>(shards_.size());
  own_stats_.lease_held = LeaseHolds(clock_());
  own_stats_.bus_failing = bus_failing_;
  own_stats_.database_failing = database_failures_ > 0;
  own_stats_.oldest_unpublished.reset();
  for (const auto& [number, shard] : shards_) {
    if (!shard.batch) continue;
    const domain::Instant at = shard.batch->oldest;
    own_stats_.oldest_unpublished = std::min(own_stats_.oldest_unpublished.value_or(at), at);
  }
  *stats_.Lock() = own_stats_;
}

bool RelayLoop::DatabaseAnswered(const absl::Status& status, std::string_view attempt) {
  if (status.ok()) {
    if (std::exchange(database_failures_, 0) > 0)
      util::Log(Severity::kInfo, "relay_database_recovered");
    return true;
  }
  const absl::Status failure = util::Annotate(status, attempt);
  ++own_stats_.database_failures;
  own_stats_.last_error = failure.ToString();
  database_retry_at_ = clock_() + Backoff(++database_failures_);
  if (database_failures_ == 1) {
    util::Log(Severity::kWarning, "relay_database_failing", {{"error", failure.ToString()}});
  }
  return false;
}

SteadyTime::duration RelayLoop::Backoff(int failures) const {
  const int doublings = std::min(failures - 1, 10);
  return std::min(options_.min_backoff * (1 << doublings), options_.max_backoff);
}

}  // namespace todo::relay
