#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "ports/clock.h"

namespace todo::service {

inline domain::Instant At(std::string_view text) { return *domain::ParseInstant(text); }

/// Stands still until the test sets it.
class SetClock final : public ports::Clock {
 public:
  explicit SetClock(std::string_view now) { Set(now); }
  domain::Instant Now() const override { return now_; }
  void Set(std::string_view now) { now_ = At(now); }
  void SetTo(domain::Instant now) { now_ = now; }

 private:
  std::atomic<domain::Instant> now_;
};

/// Ids in the order in which they were asked for.
class CountedIds final : public ports::IdSource {
 public:
  domain::Uuid NewId() override {
    std::string bytes(16, '\0');
    std::uint32_t number = ++count_;
    for (std::size_t i = bytes.size(); number > 0; number >>= 8) {
      bytes[--i] = static_cast<char>(number & 0xffU);
    }
    return domain::Uuid::FromBytes(bytes, 7);
  }

 private:
  std::atomic<std::uint32_t> count_ = 0;
};

}  // namespace todo::service
