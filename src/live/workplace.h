#pragma once

#include <chrono>
#include <functional>

#include "domain/ids.h"
#include "util/alarms.h"

namespace todo::live {

/// Where the feed's work is done. Thread safety: any thread; no method blocks.
class Workplace {
 public:
  Workplace() = default;
  virtual ~Workplace() = default;
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;

  /// Runs `task` on a thread that may block. Users take turns.
  virtual void Run(const domain::UserId& user, std::function<void()> task) = 0;
  /// The same, not before `delay` has passed.
  virtual void RunAfter(std::chrono::milliseconds delay, const domain::UserId& user,
                        std::function<void()> task) = 0;
  /// Calls `callback` after `delay`, on a thread that must not be blocked.
  virtual util::Alarm CallAfter(std::chrono::milliseconds delay,
                                std::function<void()> callback) = 0;
};

}  // namespace todo::live
