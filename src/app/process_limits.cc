#include "app/process_limits.h"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "util/sleep.h"

namespace todo::app {
namespace {

using namespace std::chrono_literals;

constexpr rlim_t kMaxDescriptors = 65'536;
/// Of a connection: the client's end, and both ends of the socket pair behind it; and one of a
/// connection that waits.
constexpr std::size_t kDescriptorsPerConnection = 4;
constexpr std::size_t kMaxApiConnections = 2'048;
constexpr std::size_t kMaxAppConnections = 256;

constexpr int kMaxArenas = 8;
constexpr std::size_t kWorthwhileBytes = 32UL * 1024 * 1024;
constexpr auto kReturnInterval = 5s;

}  // namespace

std::size_t RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1'024;
  const rlim_t wanted = std::min(limit.rlim_max, kMaxDescriptors);
  if (limit.rlim_cur < wanted) {
    const rlim_t before = std::exchange(limit.rlim_cur, wanted);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  }
  return std::min(limit.rlim_cur, kMaxDescriptors);
}

ConnectionShares ConnectionSharesOf(std::size_t descriptor_limit) {
  const std::size_t all = descriptor_limit * 3 / 8 / kDescriptorsPerConnection;
  return {.api = std::clamp<std::size_t>(all * 3 / 4, 1, kMaxApiConnections),
          .app = std::clamp<std::size_t>(all / 4, 1, kMaxAppConnections),
          .web = std::max<std::size_t>(descriptor_limit / 4, 1)};
}

void LimitMallocArenas() { mallopt(M_ARENA_MAX, kMaxArenas); }

void ReturnFreeMemory(const std::stop_token& stop) {
  while (util::SleepFor(stop, kReturnInterval)) {
    if (mallinfo2().fordblks > kWorthwhileBytes) malloc_trim(0);
  }
}

}  // namespace todo::app
