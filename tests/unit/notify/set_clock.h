#pragma once

#include "ports/clock.h"

namespace todo::notify {

/// A clock that stands where the test has set it.
class SetClock final : public ports::Clock {
 public:
  domain::Instant Now() const override { return now; }

  domain::Instant now{std::chrono::seconds{1'795'430'096}};
};

}  // namespace todo::notify
