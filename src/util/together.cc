#include "util/together.h"

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <new>

namespace todo::util {
namespace {

/// The calls of one RunTogether. A helper may come to it when they have all ended.
class Calls {
 public:
  Calls(std::size_t count, const std::function<void(std::size_t)>& work)
      : count_(count), work_(work) {}

  /// Makes calls until none is left to begin.
  void Make() {
    std::unique_lock lock(mutex_);
    while (begun_ < count_) {
      const std::size_t own = begun_++;
      lock.unlock();
      std::exception_ptr thrown;
      try {
        work_(own);
      } catch (...) {
        thrown = std::current_exception();
      }
      lock.lock();
      if (thrown && !thrown_) thrown_ = thrown;
      if (++ended_ == count_) all_ended_.notify_one();
    }
  }

  void AwaitAll() {
    std::unique_lock lock(mutex_);
    all_ended_.wait(lock, [this] { return ended_ == count_; });
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  const std::size_t count_;
  const std::function<void(std::size_t)>& work_;  // used only while a call is left
  std::mutex mutex_;
  std::condition_variable all_ended_;
  std::size_t begun_ = 0;
  std::size_t ended_ = 0;
  std::exception_ptr thrown_;
};

}  // namespace

void RunTogether(WorkerPool& pool, std::size_t count,
                 const std::function<void(std::size_t)>& work) {
  const auto calls = std::make_shared<Calls>(count, work);
  try {
    for (std::size_t helper = 1; helper < count; ++helper) {
      if (!pool.TrySubmit([calls] { calls->Make(); })) break;
    }
  } catch (const std::bad_alloc&) {  // then there are fewer helpers
  }
  calls->Make();
  calls->AwaitAll();
}

}  // namespace todo::util
