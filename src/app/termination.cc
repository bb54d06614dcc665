#include "app/termination.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <thread>

#include "util/log.h"

namespace todo::app {
namespace {

sigset_t Signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

Termination::Termination() {
  const sigset_t signals = Signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int Termination::Wait() {
  const sigset_t signals = Signals();
  int number = 0;
  while (sigwait(&signals, &number) != 0) {
  }
  return number;
}

void Termination::Request() { kill(getpid(), SIGTERM); }

void Termination::EnforceWithin(std::chrono::milliseconds limit, int exit_code) {
  std::thread([limit, exit_code] {
    const sigset_t signals = Signals();
    const timespec timeout{.tv_sec = limit.count() / 1'000,
                           .tv_nsec = limit.count() % 1'000 * 1'000'000};
    const int number = sigtimedwait(&signals, nullptr, &timeout);
    util::Log(util::Severity::kWarning, "stopped_at_once",
              {{"why", number > 0 ? "a second signal" : "stopping took too long"}});
    std::_Exit(exit_code);
  }).detach();
}

}  // namespace todo::app
