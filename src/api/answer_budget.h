#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "util/guarded.h"

namespace todo::api {

/// Bounds the memory of answers that were sent but not read. A client decides how fast it reads, so
/// answers would pile up for a client that does not read at all. When the answers of all callers
/// together are too large, a caller gives way whose answers have not been read for a second, and
/// among several, the one that holds most: its oldest answers are cancelled. Only without such a
/// caller, the one with most fresh answers gives way. An answer that is not read for long is
/// cancelled too.
///
/// Owns one thread. Thread safety: Hold may be called from many threads at once.
class AnswerBudget {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  struct Options {
    std::size_t max_bytes = 64UL * 1024 * 1024;  // gRPC takes about twice the bytes of an answer
    std::chrono::milliseconds patience{30'000};
    std::chrono::milliseconds tick{1'000};
    std::function<SteadyTime()> clock = std::chrono::steady_clock::now;
  };

  /// An answer on its way, or all that a stream has on its way. Thread safety: as the budget.
  class Held : public std::enable_shared_from_this<Held> {
   public:
    /// Counts more bytes, before they are sent. Where there were none, the time for reading them
    /// begins. The same rules for `cancel` as at Hold.
    void Add(std::size_t bytes);
    /// `bytes` of those that were added have been read. The time for the rest begins anew.
    void Remove(std::size_t bytes);
    /// The answer has been read, or the caller has gone. From now on it is not cancelled; a cancel
    /// in progress is waited for. Calling it again is harmless.
    void End();

   private:
    friend class AnswerBudget;
    Held(AnswerBudget& budget, std::string holder, std::size_t bytes, std::function<void()> cancel)
        : budget_(budget), holder_(std::move(holder)), bytes_(bytes), cancel_(std::move(cancel)) {}
    void Cancel();

    AnswerBudget& budget_;
    const std::string holder_;
    // With the lock of the budget's state.
    std::size_t bytes_;         // 0: not among the answers
    std::uint64_t number_ = 0;  // 0: not among the answers
    SteadyTime began_;
    bool over_ = false;  // ended or cancelled: counts no more

    std::mutex mutex_;              // held while cancelling, so that End can wait
    std::function<void()> cancel_;  // empty: ended
  };

  AnswerBudget() : AnswerBudget(Options{}) {}
  explicit AnswerBudget(Options options);
  /// All answers must have ended.
  ~AnswerBudget();
  AnswerBudget(const AnswerBudget&) = delete;
  AnswerBudget& operator=(const AnswerBudget&) = delete;

  /// Counts an answer for `holder`, before it is sent, until Held::End. `cancel` is called at most
  /// once, from any thread, possibly before Hold returns; it must not call End on its own thread.
  /// With no bytes the answer waits for nobody: it is never cancelled before bytes are added.
  std::shared_ptr<Held> Hold(std::string holder, std::size_t bytes, std::function<void()> cancel);

  /// Of all answers that were neither read nor cancelled.
  std::size_t held_bytes();
  /// The number of answers that were cancelled.
  std::uint64_t cancelled_count();
  /// Cancels the answers that have waited for too long.
  void CancelOverdue();

 private:
  using Number = std::uint64_t;
  struct Holder {
    std::size_t bytes = 0;
    std::map<Number, std::shared_ptr<Held>> answers;  // the oldest first
  };
  struct State {
    std::map<std::string, Holder> holders;
    std::map<Number, std::shared_ptr<Held>> answers;  // the oldest first
    std::size_t bytes = 0;
    Number last_number = 0;
    std::uint64_t cancelled_count = 0;
  };

  /// Begins to count the answer and its time. It has bytes, and was not counted.
  void Enter(State& state, const std::shared_ptr<Held>& held) const;
  /// Stops counting the answer, if it is counted.
  static void Forget(State& state, Held& held);
  /// The same for good.
  static void ForgetForGood(State& state, Held& held);
  /// Takes the answers that have to give way out of the count.
  std::vector<std::shared_ptr<Held>> TakeLargest(State& state) const;

  const Options options_;
  util::Guarded<State> state_;
  std::jthread ticker_;  // last: it uses all parts above
};

}  // namespace todo::api
