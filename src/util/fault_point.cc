#include "util/fault_point.h"

#ifdef TODO_FAULT_POINTS

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <thread>

#include "util/guarded.h"
#include "util/log.h"
#include "util/status.h"

namespace todo::util {
namespace {

struct Armed {
  std::string action;     // kill, delay:N, fail, fail:internal, plant
  std::optional<int> at;  // which time; nullopt: every time
  int reached = 0;
};
using Faults = std::map<std::string, Armed, std::less<>>;

/// A test that misspells a fault would test nothing, so that ends the process.
[[noreturn]] void Refuse(const std::string& text) {
  const std::string line = "TODO_FAULTS: not understood: " + text + "\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, line.data(), line.size());
  std::abort();
}

Faults ParseFaults(std::string_view text) {
  Faults faults;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos) Refuse(std::string(one));
    Armed armed;
    std::string_view action = one.substr(equals + 1);
    if (const std::size_t at = action.find('@'); at != std::string_view::npos) {
      armed.at = std::atoi(std::string(action.substr(at + 1)).c_str());
      action = action.substr(0, at);
    }
    if (action != "kill" && action != "fail" && action != "fail:internal" && action != "plant" &&
        !action.starts_with("delay:")) {
      Refuse(std::string(one));
    }
    armed.action = action;
    faults[std::string(one.substr(0, equals))] = armed;
  }
  return faults;
}

Guarded<Faults>& AllFaults() {
  static Guarded<Faults> faults(
      ParseFaults(std::getenv("TODO_FAULTS") != nullptr ? std::getenv("TODO_FAULTS") : ""));
  return faults;
}

}  // namespace

absl::Status AtFaultPoint(std::string_view name) {
  std::string action;
  {
    auto faults = AllFaults().Lock();
    const auto found = faults->find(name);
    if (found == faults->end()) return absl::OkStatus();
    const int times = ++found->second.reached;
    if (found->second.at && *found->second.at != times) return absl::OkStatus();
    action = found->second.action;
  }
  if (action == "kill") kill(getpid(), SIGKILL);
  if (action.starts_with("delay:")) {
    Log(Severity::kInfo, "fault_point", {{"name", name}, {"action", action}});
    std::this_thread::sleep_for(std::chrono::milliseconds(std::atoi(action.c_str() + 6)));
    return absl::OkStatus();
  }
  const std::string text = "fault point " + std::string(name);
  return action == "fail:internal" ? absl::InternalError(text) : absl::UnavailableError(text);
}

bool IsPlanted(std::string_view name) {
  auto faults = AllFaults().Lock();
  const auto found = faults->find(name);
  return found != faults->end() && found->second.action == "plant";
}

}  // namespace todo::util

#endif
