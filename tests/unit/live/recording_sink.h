#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "ports/change_feed.h"

namespace todo::live {

/// A watcher that writes down what it gets. Thread safety: any thread.
class RecordingSink final : public ports::FeedSink {
 public:
  struct Received {
    std::vector<ports::FeedMessage> messages;
    std::optional<ports::FeedEnd> end;
    bool full = false;  // Send answers false
    std::function<void()> drained;

    template <typename Message>
    std::vector<Message> All() const {
      std::vector<Message> all;
      for (const ports::FeedMessage& message : messages) {
        if (const auto* one = std::get_if<Message>(&message)) all.push_back(*one);
      }
      return all;
    }
    std::vector<std::int64_t> Updates() const {
      std::vector<std::int64_t> seqs;
      for (const auto& change : All<std::shared_ptr<const domain::LiveChange>>()) {
        seqs.push_back(change->change().seq);
      }
      return seqs;
    }
  };

  bool Send(const ports::FeedMessage& message) override {
    const std::lock_guard lock(mutex_);
    if (received_.full) return false;
    received_.messages.push_back(message);
    changed_.notify_all();
    return true;
  }
  void OnDrained(std::function<void()> callback) override {
    if (!holds_drained) return callback();
    const std::lock_guard lock(mutex_);
    received_.drained = std::move(callback);
    changed_.notify_all();
  }
  void End(const ports::FeedEnd& end) override {
    const std::lock_guard lock(mutex_);
    received_.end = end;
    changed_.notify_all();
  }

  Received received() {
    const std::lock_guard lock(mutex_);
    return received_;
  }
  void SetFull() {
    const std::lock_guard lock(mutex_);
    received_.full = true;
  }
  /// Waits until `condition` holds. False: it does not, after a long time.
  bool WaitFor(const std::function<bool(const Received&)>& condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return condition(received_); });
  }

  bool holds_drained = false;  // to be set before the first call

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Received received_;
};

}  // namespace todo::live
