#include "live/watch_state.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "util/require.h"

namespace todo::live {
namespace {

/// The first element; the memory of an empty vector is given back.
template <typename T>
T PopFront(std::vector<T>& queue) {
  T first = std::move(queue.front());
  queue.erase(queue.begin());
  if (queue.empty()) queue = {};
  return first;
}

}  // namespace

std::uint32_t WatchState::Recent::HashOf(const domain::ChangeCursor& cursor) {
  const auto hash = static_cast<std::uint32_t>(std::hash<domain::EventId>()(cursor.event_id));
  return hash == kNone ? 1 : hash;
}

bool WatchState::Recent::Contradicts(const domain::ChangeCursor& update, std::int64_t newest) {
  if (update.seq + static_cast<std::int64_t>(kSize) <= newest) return false;
  const std::uint32_t sent = At(update.seq);
  return sent != kNone && sent != HashOf(update);
}

WatchState::WatchState(std::optional<domain::ChangeCursor> cursor, ports::SnapshotScope scope,
                       bool registers_late)
    : phase_(cursor ? Phase::kResuming : Phase::kStarting),
      scope_(scope),
      registers_late_(registers_late) {
  if (cursor) last_ = *std::move(cursor);
}

void WatchState::TakeChange(const Update& change) {
  const std::int64_t seq = change->change().seq;
  if (phase_ != Phase::kStarting && seq <= last_.seq) {
    if (phase_ != Phase::kLive || doubted_) return;
    if (!recent_.Contradicts(change->cursor(), last_.seq)) return;  // a repeat
    doubted_ = std::make_unique<domain::ChangeCursor>(change->cursor());
    check_wanted_ = true;
    return;
  }
  if (const auto held = held_.find(seq); held != held_.end()) {
    if (held->second->cursor() == change->cursor()) return;
    Release(held);  // the log must tell which one is right
    dropped_ = true;
    return;
  }
  if (proof_ && seq <= proof_->seq) return;
  Hold(change);
  if (held_.size() <= kMaxHeldUpdates && held_bytes_ <= kMaxHeldBytes) return;
  ReleaseAll();
  dropped_ = true;
}

void WatchState::TakeNotification(const ports::FeedNotification& notification) {
  if (notifications_.size() >= kMaxHeldNotifications) notifications_.erase(notifications_.begin());
  notifications_.push_back(notification);
}

bool WatchState::TakeCheck(const domain::ChangeCursor& asked, const ports::CheckedCursor& answer,
                           bool head_due) {
  // A watch with a lower number than the one asked about has been told to start anew meanwhile.
  if (!checkable() || last_.seq < asked.seq) return false;
  if (doubted_ && *doubted_ == asked) {
    doubted_.reset();
    // If the log has the contradicting change, then what was sent is not in the log.
    if (answer.known) Resync(ports::FeedResync::Reason::kUnknownCursor, answer.head);
    return false;
  }
  if (!answer.known) {
    Resync(ports::FeedResync::Reason::kUnknownCursor, answer.head);
    return false;
  }
  if (head_due) head_due_at_ = answer.head.seq;
  if (answer.head.seq <= last_.seq) {
    lacks_ = 0;
    return false;
  }
  // The newest changes may still be on their way. Those of the check before are late.
  if (lacks_ > last_.seq) behind_ = true;
  lacks_ = answer.head.seq;
  return !behind_;
}

bool WatchState::BeginRead() {
  TODO_REQUIRE(waiting_ == Waiting::kForMissed);
  const bool wanted = phase_ != Phase::kLive || read_begun_ || dropped_ || behind_ || HasGap();
  if (!wanted) {
    waiting_ = Waiting::kForNothing;
    return false;
  }
  read_begun_ = true;
  dropped_ = behind_ = hinted_ = false;
  newest_held_at_read_ = held_.empty() ? 0 : held_.rbegin()->first;
  return true;
}

void WatchState::TakeMissed(const Missed& missed) {
  TODO_REQUIRE(waiting_ == Waiting::kForMissed && read_begun_);
  waiting_ = Waiting::kForNothing;
  read_begun_ = false;
  lacks_ = 0;
  if (phase_ == Phase::kStarting) return BeginSnapshot(missed.head);
  if (!missed.cursor_known || Disproves(missed)) {
    return Resync(ports::FeedResync::Reason::kUnknownCursor, missed.head);
  }
  const bool is_portion = catching_up_ && !missed.changes.empty();
  if (!missed.complete && !is_portion) {
    return Resync(ports::FeedResync::Reason::kTooFarBehind, missed.head);
  }
  if (phase_ == Phase::kResuming) {
    phase_ = Phase::kLive;
    catching_up_ = true;
    recent_.Note(last_);
    first_.emplace_back(ports::FeedResumed{missed.head});
    ReleaseOld();
  }
  Merge(missed);
  if (!missed.complete) dropped_ = true;
}

WatchState::PagePlan WatchState::BeginPage(int page_size) {
  TODO_REQUIRE(waiting_ == Waiting::kForPage);
  newest_held_at_read_ = held_.empty() ? 0 : held_.rbegin()->first;
  dropped_ = behind_ = hinted_ = false;
  PagePlan plan;
  if (scope_ == ports::SnapshotScope::kOpen) plan.query.completed = false;
  plan.query.limit = std::min(page_size, snapshot_->limit.value_or(page_size));
  plan.query.page_cursor = snapshot_->next_page;
  plan.snapshot = last_;
  plan.seen = snapshot_->seen;
  return plan;
}

void WatchState::TakePage(ports::TaskPage page, const Missed& after_page,
                          std::optional<int> next_limit) {
  TODO_REQUIRE(waiting_ == Waiting::kForPage);
  waiting_ = Waiting::kForNothing;
  const bool last = page.next_cursor.empty();
  // Only a complete answer to the last page is about the snapshot's cursor; others are about
  // `seen`.
  const bool seen_is_known =
      !last || !after_page.complete || snapshot_->seen == last_ ||
      std::any_of(after_page.changes.begin(), after_page.changes.end(),
                  [&](const Update& change) { return change->cursor() == snapshot_->seen; });
  if (!after_page.cursor_known || !seen_is_known) {
    return Resync(ports::FeedResync::Reason::kUnknownCursor, after_page.head);
  }
  first_.emplace_back(
      ports::FeedSnapshot{.tasks = std::move(page.tasks), .last = last, .cursor = last_});
  waiting_ = Waiting::kForDrain;
  if (!last) {
    snapshot_->next_page = std::move(page.next_cursor);
    snapshot_->seen = after_page.head;
    snapshot_->limit = next_limit;
    return;
  }
  snapshot_.reset();
  phase_ = Phase::kLive;
  catching_up_ = true;
  ReleaseOld();
  if (after_page.head.seq > last_.seq) {
    proof_ = std::make_unique<domain::ChangeCursor>(after_page.head);
  }
  if (after_page.complete) return Merge(after_page);
  // Updates up to `proof_` may have come before it was known.
  ReleaseAll();
  dropped_ = true;
}

void WatchState::TakeDrained() {
  if (waiting_ != Waiting::kForDrain) return;
  waiting_ = Waiting::kForNothing;
  portion_bytes_ = 0;
}

std::optional<ports::FeedMessage> WatchState::Next() {
  if (!first_.empty()) {
    drain_wanted_ = waiting_ == Waiting::kForDrain;
    return PopFront(first_);
  }
  if (phase_ != Phase::kLive || doubted_ || waiting_ == Waiting::kForDrain) return std::nullopt;
  const bool reads = waiting_ != Waiting::kForNothing;
  if (!held_.empty() && !HasGap() && !(catching_up_ && reads)) {
    const auto next = held_.begin();
    Update update = next->second;
    Release(next);
    return Sent(std::move(update));
  }
  if (held_.empty() && !dropped_ && !behind_ && !reads) {
    catching_up_ = false;
    portion_bytes_ = 0;
  }
  if (!notifications_.empty()) return PopFront(notifications_);
  if (head_due_at_ != kNoHead && last_.seq >= head_due_at_) {
    head_due_at_ = kNoHead;
    return ports::FeedHead{last_};
  }
  return std::nullopt;
}

ports::FeedMessage WatchState::Sent(Update update) {
  last_ = update->cursor();
  recent_.Note(last_);
  if (proof_ && last_.seq >= proof_->seq) proof_.reset();
  if (catching_up_) portion_bytes_ += update->json()->size();
  if (portion_bytes_ >= kPortionBytes) {
    waiting_ = Waiting::kForDrain;
    drain_wanted_ = true;
  }
  return update;
}

std::optional<WatchState::Work> WatchState::TakeWork() {
  if (waiting_ != Waiting::kForNothing) return std::nullopt;
  switch (phase_) {
    case Phase::kStarting: waiting_ = Waiting::kForMissed; return MissedWanted{.head_only = true};
    case Phase::kResuming: waiting_ = Waiting::kForMissed; return MissedWanted{.cursor = last_};
    case Phase::kSnapshot: waiting_ = Waiting::kForPage; return PageWanted{};
    case Phase::kLive:
      if (!dropped_ && !behind_ && !HasGap()) return std::nullopt;
      waiting_ = Waiting::kForMissed;
      return MissedWanted{.cursor = last_, .may_wait = !dropped_ && (!behind_ || hinted_)};
  }
  return std::nullopt;
}

std::optional<domain::ChangeCursor> WatchState::checkable() const {
  if (phase_ != Phase::kLive || waiting_ != Waiting::kForNothing) return std::nullopt;
  return doubted_ ? *doubted_ : last_;
}

bool WatchState::HasGap() const {
  return !registers_late_ && !held_.empty() && held_.begin()->first != last_.seq + 1;
}

void WatchState::Hold(const Update& update) {
  held_.emplace(update->change().seq, update);
  held_bytes_ += update->json()->size();
}

void WatchState::Release(std::map<std::int64_t, Update>::iterator held) {
  held_bytes_ -= held->second->json()->size();
  held_.erase(held);
}

void WatchState::ReleaseAll() {
  held_.clear();
  held_bytes_ = 0;
}

void WatchState::ReleaseOld() {
  while (!held_.empty() && held_.begin()->first <= last_.seq) Release(held_.begin());
}

void WatchState::ReleaseForeign(std::int64_t head_seq) {
  auto held = held_.begin();
  for (std::int64_t seq = last_.seq + 1; held != held_.end() && held->first == seq; ++seq) ++held;
  while (held != held_.end() && held->first <= head_seq) ++held;
  while (held != held_.end() && held->first <= newest_held_at_read_) Release(held++);
}

void WatchState::Merge(const Missed& missed) {
  for (const Update& change : missed.changes) {
    const std::int64_t seq = change->change().seq;
    if (seq <= last_.seq) continue;
    // Where bus and log disagree, the log is right.
    if (const auto held = held_.find(seq); held != held_.end()) Release(held);
    Hold(change);
  }
  ReleaseForeign(missed.head.seq);
}

bool WatchState::Disproves(const Missed& missed) const {
  if (!proof_) return false;
  if (missed.head.seq < proof_->seq) return true;
  return std::any_of(missed.changes.begin(), missed.changes.end(), [&](const Update& change) {
    return change->change().seq == proof_->seq && change->cursor() != *proof_;
  });
}

void WatchState::Resync(ports::FeedResync::Reason reason, const domain::ChangeCursor& head) {
  first_.emplace_back(ports::FeedResync{reason});
  // Held updates may be of a log that is no more, and updates of the new log may have been taken
  // for repeats. So the changes behind the snapshot are read.
  ReleaseAll();
  dropped_ = true;
  doubted_.reset();
  BeginSnapshot(head);
}

void WatchState::BeginSnapshot(const domain::ChangeCursor& head) {
  last_ = head;
  recent_.Forget();
  recent_.Note(head);
  lacks_ = 0;
  head_due_at_ = kNoHead;
  catching_up_ = false;
  portion_bytes_ = 0;
  proof_.reset();
  if (scope_ != ports::SnapshotScope::kNone) {
    phase_ = Phase::kSnapshot;
    snapshot_ = std::make_unique<Snapshot>(Snapshot{.next_page = {}, .seen = head, .limit = {}});
    return;
  }
  first_.emplace_back(ports::FeedSnapshot{.tasks = {}, .last = true, .cursor = head});
  snapshot_.reset();
  phase_ = Phase::kLive;
  catching_up_ = true;
  ReleaseOld();
}

}  // namespace todo::live
