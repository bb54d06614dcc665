#pragma once

#include <chrono>

#include "util/log.h"

namespace todo::util {

/// Lines below `threshold` are dropped for as long as `duration`. Then the threshold of the last
/// SetLogThreshold counts again; another call of either function ends it earlier.
/// Thread safety: may be called from any thread, at any time.
void SetLogThresholdFor(Severity threshold, std::chrono::seconds duration);

/// The threshold of the last SetLogThreshold.
Severity SettledLogThreshold();

}  // namespace todo::util
