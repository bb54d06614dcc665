#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <utility>

#include "util/guarded.h"

namespace todo::util {

class Alarms;

/// An alarm that was set. Its destruction cancels the alarm: a callback that has not begun is never
/// called. A callback that has begun on the thread of the alarms goes on beside the destruction, so
/// a callback holds what it uses, for example by a weak_ptr. Nothing happens if the alarm is over.
/// Thread safety: one thread at a time, so a callback that touches its own alarm needs a lock,
/// which the thread that sets the alarm holds as well. The destruction never blocks; it may happen
/// inside of any callback, and after the end of the Alarms.
class Alarm {
 public:
  Alarm() = default;  // no alarm
  Alarm(Alarm&& other) noexcept = default;
  Alarm& operator=(Alarm&& other) noexcept {
    if (this != &other) {
      Cancel();
      state_ = std::move(other.state_);
      key_ = other.key_;
    }
    return *this;
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  ~Alarm() { Cancel(); }

  /// Does at once what the destruction would do.
  void Cancel();

 private:
  friend class Alarms;
  struct State;
  using Key = std::pair<std::chrono::steady_clock::time_point, std::uint64_t>;
  Alarm(std::weak_ptr<State> state, Key key) : state_(std::move(state)), key_(key) {}

  std::weak_ptr<State> state_;
  Key key_;
};

/// Calls functions at given times, one after another, on one thread of its own. The functions must
/// not block or throw: the others wait behind them. An alarm takes about 150 bytes.
/// Thread safety: all methods may be called from any thread, At also from a callback. Nothing
/// blocks but Stop and the destructor.
class Alarms {
 public:
  using Time = std::chrono::steady_clock::time_point;

  Alarms();
  /// Stops.
  ~Alarms() { Stop(); }
  Alarms(const Alarms&) = delete;
  Alarms& operator=(const Alarms&) = delete;

  /// Calls `callback` once, at `time` or soon after it; at once, on the alarms' thread, when `time`
  /// has passed. Alarms of one time are called in the order of their setting.
  [[nodiscard]] Alarm At(Time time, std::function<void()> callback);
  /// The same, for a callback that only the end of the alarms cancels.
  void Call(Time time, std::function<void()> callback) { Set(time, std::move(callback)); }

  /// Cancels all alarms and waits for the callback that has begun. Alarms that are set afterwards
  /// are never called. Repeating it is harmless; to be called by one thread, not by a callback.
  void Stop();

  /// The alarms that are set and have not begun.
  std::size_t count();

 private:
  Alarm::Key Set(Time time, std::function<void()> callback);
  void Run();

  const std::shared_ptr<Alarm::State> state_;
  std::thread thread_;
};

/// What the thread and the alarms share.
struct Alarm::State {
  struct Plan {
    std::map<Key, std::function<void()>> alarms;
    std::uint64_t last_number = 0;
    bool stopped = false;
  };
  Guarded<Plan> plan;
  std::condition_variable changed;  // the first alarm is another one, or stopped
};

}  // namespace todo::util
