#pragma once

#include <cstddef>
#include <functional>

#include "util/worker_pool.h"

namespace todo::util {

/// Calls `work(i)` once for each i below `count`: on the calling thread, and on threads of `pool`
/// that have nothing else to do meanwhile. Returns when all calls have ended. `work` may be called
/// on several threads at once; the first exception that it throws is thrown again here at the end.
///
/// The caller may be a thread of `pool` itself: it waits for calls that run, never for a free
/// thread.
void RunTogether(WorkerPool& pool, std::size_t count, const std::function<void(std::size_t)>& work);

}  // namespace todo::util
