#include "app/secret_poll.h"

#include <chrono>

#include "util/backoff.h"
#include "util/sleep.h"

namespace todo::app {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstRetry{100};
constexpr milliseconds kLastRetry{5'000};
constexpr milliseconds kRecheck{60'000};

}  // namespace

void PollSecrets(const std::stop_token& stop, const std::function<Again()>& look) {
  util::Backoff backoff(kFirstRetry, kLastRetry);
  for (;;) {
    const Again again = look();
    if (again == Again::kNever) return;
    if (again != Again::kSoon) backoff.Reset();
    const milliseconds pause = again == Again::kSoon ? backoff.Next() : kRecheck;
    if (!util::SleepFor(stop, pause)) return;
  }
}

}  // namespace todo::app
