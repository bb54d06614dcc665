#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "live/workplace.h"

namespace todo::live {

/// Tasks that run when the test says so, in an order of its choice. Delays are not waited for.
/// Alarms are never called.
class ManualWorkplace final : public Workplace {
 public:
  void Run(const domain::UserId& /*user*/, std::function<void()> task) override {
    tasks_.push_back(std::move(task));
  }
  void RunAfter(std::chrono::milliseconds delay, const domain::UserId& /*user*/,
                std::function<void()> task) override {
    delays.push_back(delay);
    tasks_.push_back(std::move(task));
  }
  util::Alarm CallAfter(std::chrono::milliseconds /*delay*/,
                        std::function<void()> /*callback*/) override {
    return {};
  }

  std::size_t size() const { return tasks_.size(); }
  void RunOne(std::size_t index = 0) {
    const std::function<void()> task = std::move(tasks_[index]);
    tasks_.erase(tasks_.begin() + static_cast<std::ptrdiff_t>(index));
    task();
  }
  void RunAll() {
    while (!tasks_.empty()) RunOne();
  }

  std::vector<std::chrono::milliseconds> delays;

 private:
  std::vector<std::function<void()>> tasks_;
};

}  // namespace todo::live
