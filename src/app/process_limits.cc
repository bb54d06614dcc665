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
/// The web port leaves as many descriptors to the rest of a process that has enough of them.
constexpr std::size_t kAmpleRest = 9'000;

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

ConnectionShares ConnectionSharesOf(std::size_t descriptor_limit, std::size_t wanted_web) {
  const std::size_t beyond_rest = descriptor_limit > kAmpleRest ? descriptor_limit - kAmpleRest : 0;
  const std::size_t most_web = std::max<std::size_t>({descriptor_limit / 4, beyond_rest, 1});
  const std::size_t web = std::min(wanted_web, most_web);
  const std::size_t grpc = (descriptor_limit - web) / 2 / kDescriptorsPerConnection;
  return {.api = std::clamp<std::size_t>(grpc * 3 / 4, 1, kMaxApiConnections),
          .app = std::clamp<std::size_t>(grpc / 4, 1, kMaxAppConnections),
          .web = web};
}

void LimitMallocArenas() { mallopt(M_ARENA_MAX, kMaxArenas); }

void ReturnFreeMemory(const std::stop_token& stop) {
  while (util::SleepFor(stop, kReturnInterval)) {
    if (mallinfo2().fordblks > kWorthwhileBytes) malloc_trim(0);
  }
}

}  // namespace todo::app
