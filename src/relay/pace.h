#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "relay/steady_clock.h"

namespace todo::relay {

/// How long changes gather before the next ones are read: calls to the sidecar and the broker cost
/// more than events do. After few changes the next ones wait for a small part of `limit` only, and
/// a backlog does not wait at all.
class Pace {
 public:
  /// `full`: the size of a batch behind which there is probably more.
  Pace(SteadyTime::duration limit, std::size_t full) : limit_(limit), full_(full) {}

  /// A batch of `count` > 0 changes and messages was read; perhaps with others, at the same time.
  void NoteRead(SteadyTime now, std::size_t count) {
    if (now != read_at_) *this = Pace(limit_, full_);
    read_at_ = now;
    wait_ = std::min(limit_, wait_ + static_cast<int>(count) * kPerChange);
    backlog_ = backlog_ || count >= full_;
  }
  /// When to read again. `on_its_way`: what was read is still being published.
  SteadyTime next_read(bool on_its_way) const {
    if (backlog_) return read_at_;
    return read_at_ + (on_its_way ? limit_ : wait_);
  }

 private:
  static constexpr SteadyTime::duration kPerChange = std::chrono::milliseconds(4);

  SteadyTime::duration limit_;
  std::size_t full_;
  SteadyTime read_at_;
  SteadyTime::duration wait_{};
  bool backlog_ = false;
};

}  // namespace todo::relay
