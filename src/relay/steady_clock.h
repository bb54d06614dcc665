#pragma once

#include <chrono>
#include <functional>

namespace todo::relay {

using SteadyTime = std::chrono::steady_clock::time_point;

/// The clock for leases and intervals. It goes on while the process is frozen. May be called from
/// many threads at once.
using SteadyClock = std::function<SteadyTime()>;

}  // namespace todo::relay
