#pragma once

#include <chrono>
#include <functional>

namespace todo::relay {

using SteadyTime = std::chrono::steady_clock::time_point;

/// Tells the time that leases and intervals are measured in: it goes on while the process is
/// frozen. May be called from many threads at once.
using SteadyClock = std::function<SteadyTime()>;

}  // namespace todo::relay
