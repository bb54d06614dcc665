#include "live/feed_threads.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace todo::live {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPauseWhenFull{200};

}  // namespace

FeedThreads::FeedThreads(std::size_t threads, std::size_t queue_limit)
    : workers_(threads, queue_limit,
               {.running = std::max<std::size_t>(1, threads / 2), .waiting = queue_limit}) {}

void FeedThreads::Run(const domain::UserId& user, std::function<void()> task) {
  // The pool takes the task only if it has room.
  const auto shared = std::make_shared<std::function<void()>>(std::move(task));
  if (workers_.TrySubmit(user.value, [shared] { (*shared)(); })) return;
  RunAfter(kPauseWhenFull, user, [shared] { (*shared)(); });
}

void FeedThreads::RunAfter(std::chrono::milliseconds delay, const domain::UserId& user,
                           std::function<void()> task) {
  alarms_.Call(steady_clock::now() + delay,
               [this, user, task = std::move(task)] { Run(user, task); });
}

util::Alarm FeedThreads::CallAfter(std::chrono::milliseconds delay,
                                   std::function<void()> callback) {
  return alarms_.At(steady_clock::now() + delay, std::move(callback));
}

void FeedThreads::Stop() {
  alarms_.Stop();
  if (workers_.Shutdown(steady_clock::now())) return;
  workers_.Shutdown(steady_clock::time_point::max());  // those that have begun
}

}  // namespace todo::live
