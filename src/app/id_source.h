#pragma once

#include <cstdint>

#include "ports/clock.h"
#include "util/guarded.h"

namespace todo::app {

/// UUIDv7 with a counter behind the milliseconds (RFC 9562, 6.2): each id of this process is
/// greater than all before it, also while the clock stands still or goes back. The other 62 bits
/// are random. Thread safety: may be called from many threads at once.
class RandomIdSource final : public ports::IdSource {
 public:
  /// `clock` must outlive the source.
  explicit RandomIdSource(const ports::Clock& clock) : clock_(clock) {}

  domain::Uuid NewId() override;

 private:
  struct Last {
    std::int64_t milliseconds = 0;
    std::uint32_t counter = 0;  // 12 bits
  };

  const ports::Clock& clock_;
  util::Guarded<Last> last_;
};

}  // namespace todo::app
