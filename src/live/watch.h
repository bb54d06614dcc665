#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "domain/event/event.h"
#include "domain/event/live_change.h"
#include "domain/ids.h"
#include "domain/time.h"
#include "live/counters.h"
#include "live/missed.h"
#include "live/watch_state.h"
#include "ports/change_feed.h"
#include "ports/clock.h"
#include "ports/live_log.h"
#include "ports/task_store.h"
#include "util/alarms.h"
#include "util/guarded.h"

namespace todo::live {

using SteadyTime = std::chrono::steady_clock::time_point;

class Watch;

/// What a watch asks of its feed. Thread safety: any thread; no method blocks. The watch has its
/// lock during CallAfter and the clocks, and during nothing else.
class WatchServices {
 public:
  WatchServices() = default;
  virtual ~WatchServices() = default;
  WatchServices(const WatchServices&) = delete;
  WatchServices& operator=(const WatchServices&) = delete;

  /// Begins a read; its answer comes by Watch::TakeMissed, after Watch::BeginRead.
  virtual void ReadMissed(std::shared_ptr<Watch> watch, const MissedWanted& wanted) = 0;
  /// Begins a read; its answer comes by Watch::TakePage.
  virtual void ReadPage(std::shared_ptr<Watch> watch) = 0;
  /// Asks for an early check of the user's watches.
  virtual void CheckSoon(const domain::UserId& user) = 0;
  /// The watch has ended by itself.
  virtual void Remove(const std::shared_ptr<Watch>& watch) = 0;
  /// Calls `callback` after `delay`, on a thread that must not be blocked.
  virtual util::Alarm CallAfter(std::chrono::milliseconds delay,
                                std::function<void()> callback) = 0;
  virtual domain::Instant Now() const = 0;
  virtual SteadyTime SteadyNow() const = 0;
  virtual Counters& counters() = 0;
};

/// One watcher: passes on to its sink what its WatchState decides. Sends are one after another, and
/// without a lock, by the thread that brings something; another thread that brings something
/// meanwhile leaves it to the first one.
/// Thread safety: any thread; nothing blocks.
class Watch final : public std::enable_shared_from_this<Watch> {
 public:
  struct Options {
    std::chrono::milliseconds head_interval{15'000};
    bool registers_late = false;  // see FeedOptions
  };

  /// `services` outlives the watch's last call. `request.user` counts no more: `user` is it.
  Watch(std::shared_ptr<const domain::UserId> user, const ports::WatchRequest& request,
        std::shared_ptr<ports::FeedSink> sink, const Options& options, WatchServices& services);

  const domain::UserId& user() const { return *user_; }
  const std::shared_ptr<const domain::UserId>& name() const { return user_; }

  /// To be called once, after the watch is known to all who bring updates.
  void Start(std::optional<domain::Instant> expiry);
  void SetExpiry(std::optional<domain::Instant> expiry);
  /// Nothing more is sent, but a send that has begun on another thread goes on. The sink is
  /// released.
  void Close();
  /// Tells the sink, after what is being sent now.
  void End(ports::FeedEnd end);

  // Each passes something on to the state; see there. All do nothing after the end.
  void TakeChange(const std::shared_ptr<const domain::LiveChange>& change);
  void TakeNotification(const ports::FeedNotification& notification);
  void TakeHint();
  bool TakeCheck(const domain::ChangeCursor& asked, const ports::CheckedCursor& answer);
  /// Sends a FeedAlive if nothing was sent for a while, unless the sink has something to send.
  /// `head_may_come`: a check comes now, so a watch that it is about can wait for its FeedHead.
  void KeepAlive(bool head_may_come);
  bool BeginRead();
  void TakeMissed(const Missed& missed);
  void TakePage(ports::TaskPage page, const Missed& after_page, std::optional<int> next_limit);
  std::optional<domain::ChangeCursor> checkable();
  bool is_open() { return state_.Lock()->sink != nullptr; }
  /// nullopt: the watch has ended.
  std::optional<WatchState::PagePlan> BeginPage(int page_size);

 private:
  struct State {
    State(WatchState feed_, std::shared_ptr<ports::FeedSink> sink_)
        : feed(std::move(feed_)), sink(std::move(sink_)) {}
    WatchState feed;
    std::shared_ptr<ports::FeedSink> sink;  // null: the watch has ended
    bool sending = false;                   // a thread is in Advance
    bool alive_due = false;                 // a FeedAlive is to be sent
    std::unique_ptr<ports::FeedEnd> end;    // to be told
    std::optional<domain::Instant> expiry;
    util::Alarm expiry_alarm;
    SteadyTime next_head;
    SteadyTime last_sent;  // the begin, if nothing was sent
  };
  using Handle = util::Guarded<State>::Handle;

  /// Does all that is to be done, without the lock meanwhile, unless another thread does it.
  void Advance(Handle& state);
  void Send(Handle& state, const ports::FeedMessage& message);
  void Begin(Handle& state, const WatchState::Work& work);
  void Finish(Handle& state);
  void Drained();
  void ArmExpiry(Handle& state);
  void CheckExpiry();

  const std::shared_ptr<const domain::UserId> user_;
  const std::chrono::milliseconds head_interval_;
  WatchServices& services_;
  util::Guarded<State> state_;
};

}  // namespace todo::live
