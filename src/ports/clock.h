#pragma once

#include "domain/ids.h"
#include "domain/time.h"

namespace todo::ports {

/// The time of day. Thread safety: may be called from many threads at once.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual domain::Instant Now() const = 0;
};

/// Fresh ids. Thread safety: may be called from many threads at once.
class IdSource {
 public:
  virtual ~IdSource() = default;
  /// A UUIDv7: it grows with time, so that index entries made together lie together.
  virtual domain::Uuid NewId() = 0;
};

}  // namespace todo::ports
