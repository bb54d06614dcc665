#include "live/watch.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "util/status.h"

namespace todo::live {
namespace {

using std::chrono::milliseconds;

// The clock may be corrected meanwhile, so a later expiry is looked at again after this time.
constexpr milliseconds kLongestExpiryWait = std::chrono::hours(1);
// An alarm may come a little before the expiry by the clock.
constexpr milliseconds kShortestExpiryWait{5};
// Signs of life come with the checks, which are at regular times, so the nearest one is taken.
constexpr milliseconds kTolerance{1'000};

/// Calls `call` without the lock of `state`.
template <typename Handle, typename Call>
void Unlocked(Handle& state, const Call& call) {
  state.lock().unlock();
  call();
  state.lock().lock();
}

}  // namespace

Watch::Watch(std::shared_ptr<const domain::UserId> user, const ports::WatchRequest& request,
             std::shared_ptr<ports::FeedSink> sink, const Options& options, WatchServices& services)
    : user_(std::move(user)),
      head_interval_(options.head_interval),
      services_(services),
      state_(std::in_place, WatchState(request.cursor, request.scope, options.registers_late),
             std::move(sink)) {
  auto state = state_.Lock();
  state->last_sent = services.SteadyNow();
  state->next_head = state->last_sent + head_interval_;
}

void Watch::Start(std::optional<domain::Instant> expiry) {
  SetExpiry(expiry);
  auto state = state_.Lock();
  Advance(state);
}

void Watch::SetExpiry(std::optional<domain::Instant> expiry) {
  auto state = state_.Lock();
  state->expiry = expiry;
  ArmExpiry(state);
}

void Watch::Close() {
  std::shared_ptr<ports::FeedSink> sink;  // released without the lock
  auto state = state_.Lock();
  sink = std::move(state->sink);
  state->expiry_alarm.Cancel();
  state.lock().unlock();
}

void Watch::End(ports::FeedEnd end) {
  auto state = state_.Lock();
  if (!state->sink || state->end) return;
  state->end = std::make_unique<ports::FeedEnd>(std::move(end));
  Advance(state);
}

void Watch::TakeChange(const std::shared_ptr<const domain::LiveChange>& change) {
  auto state = state_.Lock();
  state->feed.TakeChange(change);
  Advance(state);
}

void Watch::TakeNotification(const ports::FeedNotification& notification) {
  auto state = state_.Lock();
  state->feed.TakeNotification(notification);
  Advance(state);
}

void Watch::TakeHint() {
  auto state = state_.Lock();
  state->feed.TakeHint();
  Advance(state);
}

bool Watch::TakeCheck(const domain::ChangeCursor& asked, const ports::CheckedCursor& answer) {
  const SteadyTime now = services_.SteadyNow();
  auto state = state_.Lock();
  const bool head_due = now + std::min(kTolerance, head_interval_ / 2) >= state->next_head;
  const bool again = state->feed.TakeCheck(asked, answer, head_due);
  Advance(state);
  return again && state->sink;
}

void Watch::KeepAlive(bool head_may_come) {
  const SteadyTime due = services_.SteadyNow() + std::min(kTolerance, head_interval_ / 2);
  auto state = state_.Lock();
  if (!state->sink || due < state->last_sent + head_interval_) return;
  if (state->feed.waits_for_drain() || (head_may_come && state->feed.checkable())) return;
  state->alive_due = true;
  Advance(state);
}

bool Watch::BeginRead() {
  auto state = state_.Lock();
  if (!state->sink) return false;
  if (state->feed.BeginRead()) return true;
  Advance(state);
  return false;
}

void Watch::TakeMissed(const Missed& missed) {
  auto state = state_.Lock();
  state->feed.TakeMissed(missed);
  Advance(state);
}

void Watch::TakePage(ports::TaskPage page, const Missed& after_page,
                     std::optional<int> next_limit) {
  auto state = state_.Lock();
  state->feed.TakePage(std::move(page), after_page, next_limit);
  Advance(state);
}

std::optional<domain::ChangeCursor> Watch::checkable() {
  auto state = state_.Lock();
  return state->sink ? state->feed.checkable() : std::nullopt;
}

std::optional<WatchState::PagePlan> Watch::BeginPage(int page_size) {
  auto state = state_.Lock();
  if (!state->sink) return std::nullopt;
  return state->feed.BeginPage(page_size);
}

void Watch::Drained() {
  auto state = state_.Lock();
  state->feed.TakeDrained();
  Advance(state);
}

void Watch::Advance(Handle& state) {
  if (state->sending) return;
  state->sending = true;
  while (state->sink) {
    if (state->end) {
      Finish(state);
    } else if (const auto message = state->feed.Next()) {
      Send(state, *message);
    } else if (state->alive_due) {
      Send(state, ports::FeedAlive{});
    } else if (state->feed.TakeCheckWanted()) {
      Unlocked(state, [&] { services_.CheckSoon(*user_); });
    } else if (const auto work = state->feed.TakeWork()) {
      Begin(state, *work);
    } else {
      break;
    }
  }
  state->sending = false;
}

void Watch::Send(Handle& state, const ports::FeedMessage& message) {
  std::shared_ptr<ports::FeedSink> sink = state->sink;
  state->alive_due = false;
  state->last_sent = services_.SteadyNow();
  if (std::holds_alternative<ports::FeedHead>(message)) {
    state->next_head = state->last_sent + head_interval_;
  }
  const bool drain_wanted = state->feed.TakeDrainWanted();
  bool sent = false;
  Unlocked(state, [&] {
    sent = sink->Send(message);
    if (!sent) return;
    services_.counters().NoteSent(message);
    if (drain_wanted) {
      sink->OnDrained([weak = weak_from_this()] {
        if (const auto watch = weak.lock()) watch->Drained();
      });
    }
    sink.reset();  // it may be the last one
  });
  if (sent) return;
  const bool was_open = state->sink != nullptr;
  state->sink.reset();  // `sink` holds it still
  state->expiry_alarm.Cancel();
  Unlocked(state, [&] {
    sink.reset();
    if (!was_open) return;
    ++services_.counters().lost_sinks;
    services_.Remove(shared_from_this());
  });
}

void Watch::Begin(Handle& state, const WatchState::Work& work) {
  Unlocked(state, [&] {
    if (const auto* missed = std::get_if<MissedWanted>(&work)) {
      services_.ReadMissed(shared_from_this(), *missed);
    } else {
      services_.ReadPage(shared_from_this());
    }
  });
}

void Watch::Finish(Handle& state) {
  std::shared_ptr<ports::FeedSink> sink = std::move(state->sink);
  const std::unique_ptr<ports::FeedEnd> end = std::move(state->end);
  state->expiry_alarm.Cancel();
  Unlocked(state, [&] {
    services_.Remove(shared_from_this());
    sink->End(*end);
    sink.reset();
  });
}

void Watch::ArmExpiry(Handle& state) {
  state->expiry_alarm.Cancel();
  if (!state->sink || !state->expiry) return;
  // Both ends are kept within bounds: the difference of any two instants fits into microseconds.
  const auto left = std::chrono::ceil<milliseconds>(*state->expiry - services_.Now());
  const milliseconds wait = std::clamp(left, kShortestExpiryWait, kLongestExpiryWait);
  state->expiry_alarm = services_.CallAfter(wait, [weak = weak_from_this()] {
    if (const auto watch = weak.lock()) watch->CheckExpiry();
  });
}

void Watch::CheckExpiry() {
  auto state = state_.Lock();
  if (!state->sink || !state->expiry || state->end) return;
  if (*state->expiry > services_.Now()) return ArmExpiry(state);
  // A renewal comes either before the lock was taken, or too late.
  state->end = std::make_unique<ports::FeedEnd>(ports::FeedEnd{
      .status =
          util::WithReason(absl::UnauthenticatedError("the token has expired"), "TOKEN_EXPIRED"),
      .retry_after = std::nullopt});
  Unlocked(state, [&] { ++services_.counters().expired; });
  Advance(state);
}

}  // namespace todo::live
