#pragma once

#include <chrono>

#include "ports/clock.h"

namespace todo::app {

/// The machine's clock.
class SystemClock final : public ports::Clock {
 public:
  domain::Instant Now() const override {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
};

}  // namespace todo::app
