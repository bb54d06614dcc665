#include "app/database_probe.h"

#include <utility>

#include "util/log.h"
#include "util/sleep.h"

namespace todo::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLookInterval{1'000};
/// Between two measurements of the database's clock while other parts hear from the database.
constexpr milliseconds kMeasureInterval{10'000};

}  // namespace

void DatabaseProbe::Run(const std::stop_token& stop) {
  while (util::SleepFor(stop, kLookInterval)) {
    if (health_.ready()) Look(steady_clock::now());
  }
}

void DatabaseProbe::Look(SteadyTime now) {
  const SteadyTime heard = last_answer_();
  if (answers_ && now - heard < 2 * kLookInterval && now - measured_ < kMeasureInterval) {
    health_.NoteAnswer(heard);
    return;
  }
  const absl::Status status = measure_();
  if (status.ok()) {
    measured_ = steady_clock::now();
    health_.NoteAnswer(measured_);
  }
  if (std::exchange(answers_, status.ok()) == status.ok()) return;
  if (status.ok()) {
    util::Log(util::Severity::kInfo, "database_back");
  } else {
    util::Log(util::Severity::kWarning, "database_lost", {{"status", status.ToString()}});
  }
}

}  // namespace todo::app
