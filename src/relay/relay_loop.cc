#include "relay/relay_loop.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "ports/failure.h"
#include "relay/publish_span.h"
#include "util/fault_point.h"
#include "util/log.h"
#include "util/span.h"
#include "util/status.h"

namespace todo::relay {

using util::Severity;

RelayLoop::RelayLoop(ports::OutboxLog& log, ports::EventPublisher& publisher, RelayOptions options,
                     SteadyClock clock, std::shared_ptr<Mailbox> mailbox)
    : log_(log),
      publisher_(publisher),
      options_(std::move(options)),
      clock_(std::move(clock)),
      mailbox_(std::move(mailbox)),
      database_backoff_(NewBackoff()),
      bus_(clock_(), options_.failures_until_error),
      pace_(options_.gather, static_cast<std::size_t>(options_.batch_limit)) {
  lease_until_ = renew_at_ = poll_at_ = cursor_write_at_ = database_retry_at_ = probe_at_ =
      clock_();
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
  // The batches that failed have left with their shards: whether the bus works is not known.
  if (bus_.failing() && !resting_ && !AnyPartFails()) bus_.Forget();
  const bool suspect = bus_.failing() && now - bus_.silent_since() >= options_.give_up_after;
  if (now < probe_at_ || !(resting_ || suspect)) return;
  probe_at_ = now + options_.probe_interval;
  const bool away = !options_.sidecar_answers();
  if (std::exchange(resting_, away) == away) return;
  if (away) {
    for (auto& [number, shard] : shards_) shard.leaving = true;
    TellHeld();
    util::Log(Severity::kError, "relay_without_sidecar", {{"shards", shards_.size()}});
  } else {
    renew_at_ = clock_();
    bus_.BeginAnew(renew_at_);
    util::Log(Severity::kInfo, "relay_sidecar_back");
  }
}

void RelayLoop::Renew() {
  if (resting_) return;
  const SteadyTime asked_at =
      clock_();  // the lease begins when the database answers, so not earlier than now
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
      // No other replica had the shard in between, even if the lease had run out.
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
    // Cursors that would be due before the next write are written now.
    if (*shard.write_at <= now + options_.cursor_interval) numbers.push_back(number);
  }
  if (!due) return;
  cursor_write_at_ = now + options_.cursor_interval;
  TODO_FAULT_POINT("before-mark").IgnoreError();
  const std::vector<ports::OutboxShard> written = Cursors(numbers);
  for (int number : numbers) shards_.at(number).sent = shards_.at(number).cursor;
  auto lost = log_.Advance(written);
  if (!DatabaseAnswered(lost.status(), "write cursors")) {
    renew_at_ = now;  // the answer will tell whether the cursors were written
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
  // A publish from before the shard was lost and taken again may still be in flight.
  return shard.due && !shard.leaving && !shard.batch && Idle(number);
}

void RelayLoop::ReadBatches() {
  const SteadyTime now = clock_();
  if (now >= poll_at_) {
    for (auto& [number, shard] : shards_) shard.due = true;
    poll_at_ =
        now + (options_.announced() ? options_.announced_poll_interval : options_.poll_interval);
  }
  if (!LeaseHolds(now) || !DatabaseReady(now) || now < NextRead()) return;
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
    shard.batch = MakeBatch(
        ++last_batch_id_, std::move(content),
        {.task_events = options_.task_events_topic, .task_updates = options_.task_updates_topic},
        NewBackoff());
    pace_.NoteRead(now, shard.batch->count);
  }
}

SteadyTime RelayLoop::NextRead() const {
  return pace_.next_read(std::ranges::any_of(shards_, [](const auto& entry) {
    return entry.second.batch && entry.second.batch->is_fresh();
  }));
}

// --- Publishing

void RelayLoop::PublishReady() {
  PublishPlan plan(static_cast<std::size_t>(options_.batch_limit));
  for (const auto& [number, shard] : shards_) {
    if (!shard.batch || shard.leaving) continue;
    for (std::size_t index = 0; index < shard.batch->parts.size(); ++index) {
      const BatchPart& part = shard.batch->parts[index];
      if (part.waits() && part.retry_at() <= clock_()) plan.Add(number, *shard.batch, index);
    }
  }
  for (PlannedPublish& publish : plan.Take()) Send(std::move(publish));
}

void RelayLoop::Send(PlannedPublish publish) {
  TODO_FAULT_POINT("before-publish").IgnoreError();
  // The last chance to notice that the process was frozen and another replica may have the shards.
  if (!LeaseHolds(clock_())) return;
  for (const Completion& each : publish.completions) {
    shards_.at(each.shard).batch->parts[each.part].NoteSent();
    ++calls_in_flight_[each.shard];
  }
  const std::shared_ptr<util::Span> span = PublishSpan(publish.topic, publish.events);
  const util::WithTrace trace(*span);
  publisher_.Publish(publish.topic, std::move(publish.events),
                     [mailbox = mailbox_, span,
                      completions = std::move(publish.completions)](const absl::Status& status) {
                       span->End(status);
                       for (Completion each : completions) {
                         each.status = status;
                         mailbox->Complete(std::move(each));
                       }
                     });
}

void RelayLoop::OnCompletion(const Completion& completion) {
  const int number = completion.shard;
  if (auto calls = calls_in_flight_.find(number); --calls->second == 0)
    calls_in_flight_.erase(calls);
  if (!completion.status.ok()) ++own_stats_.publish_failures;
  auto found = shards_.find(number);
  if (found == shards_.end()) return;
  Shard& shard = found->second;
  if (!shard.batch || shard.batch->id != completion.batch_id)
    return;  // from before the shard was lost

  Batch& batch = *shard.batch;
  BatchPart& part = batch.parts[completion.part];
  const SteadyTime now = clock_();
  if (!completion.status.ok()) {
    part.NoteFailed(now, !ports::IsUnanswered(completion.status));
    return bus_.NoteFailed(number, part, completion.status, now);
  }
  TODO_FAULT_POINT("after-publish").IgnoreError();
  part.NoteAcknowledged();
  bus_.NoteAcknowledged(now);
  if (bus_.failing() && !AnyPartFails()) bus_.NoteRecovered();
  if (!batch.done()) return;
  const SteadyTime write_at = now + options_.cursor_interval;
  own_stats_.published_count += batch.count;
  shard.cursor = std::move(batch.next);
  shard.write_at = shard.write_at ? std::min(*shard.write_at, write_at) : write_at;
  shard.due = true;  // there may be more
  shard.batch.reset();
}

bool RelayLoop::AnyPartFails() const {
  return std::ranges::any_of(shards_, [](const auto& entry) {
    return entry.second.batch && !entry.second.batch->is_fresh();
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
    if (Readable(number, shard)) next = std::min(next, with_database(std::max(now, NextRead())));
    if (!shard.batch) continue;
    for (const BatchPart& part : shard.batch->parts) {
      if (part.waits()) next = std::min(next, part.retry_at());
    }
  }
  return next;
}

void RelayLoop::UpdateStats() {
  own_stats_.owned_shards = static_cast<int>(shards_.size());
  own_stats_.bus_failing = bus_.failing();
  *stats_.Lock() = own_stats_;
}

bool RelayLoop::DatabaseAnswered(const absl::Status& status, std::string_view attempt) {
  if (status.ok()) {
    if (std::exchange(database_failing_, false))
      util::Log(Severity::kInfo, "relay_database_recovered");
    database_backoff_.Reset();
    return true;
  }
  database_retry_at_ = clock_() + database_backoff_.Next();
  if (!std::exchange(database_failing_, true)) {
    util::Log(Severity::kWarning, "relay_database_failing",
              {{"error", util::Annotate(status, attempt).ToString()}});
  }
  return false;
}

}  // namespace todo::relay
