#include "util/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "util/log_level.h"
#include "util/span.h"
#include "util/trace_context.h"

namespace todo::util {
namespace {

spdlog::level::level_enum LevelOf(Severity severity) {
  switch (severity) {
    case Severity::kDebug: return spdlog::level::debug;
    case Severity::kInfo: return spdlog::level::info;
    case Severity::kWarning: return spdlog::level::warn;
    case Severity::kError: return spdlog::level::err;
  }
  return spdlog::level::err;
}

spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made =
        std::make_shared<spdlog::logger>("todo", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *logger;
}

/// The threshold that counts when no other one was set for a while, and when that ends.
class Thresholds {
 public:
  void Settle(Severity threshold) {
    const std::lock_guard lock(mutex_);
    settled_ = threshold;
    ends_at_ = kNever;
    Logger().set_level(LevelOf(threshold));
  }
  void SetFor(Severity threshold, std::chrono::seconds duration) {
    const std::lock_guard lock(mutex_);
    ends_at_ = (Clock::now() + duration).time_since_epoch();
    Logger().set_level(LevelOf(threshold));
  }
  /// To be called before each look at the logger's level.
  void EndWhatIsOver() {
    if (!IsOver()) return;
    const std::lock_guard lock(mutex_);
    if (!IsOver()) return;
    ends_at_ = kNever;
    Logger().set_level(LevelOf(settled_));
  }
  Severity settled() const { return settled_; }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr Clock::duration kNever = Clock::duration::max();

  bool IsOver() const {
    const Clock::duration ends_at = ends_at_;
    return ends_at != kNever && Clock::now().time_since_epoch() >= ends_at;
  }

  std::mutex mutex_;
  std::atomic<Severity> settled_{Severity::kInfo};
  std::atomic<Clock::duration> ends_at_{kNever};
};

Thresholds& TheThresholds() {
  static Thresholds thresholds;
  return thresholds;
}

nlohmann::json JsonOf(const LogValue& value) {
  return std::visit(
      [](const auto& held) -> nlohmann::json {
        using Held = std::remove_cvref_t<decltype(held)>;
        if constexpr (std::same_as<Held, std::span<const std::string>>) {
          return std::vector<std::string>(held.begin(), held.end());
        } else if constexpr (std::same_as<Held, std::span<const int>>) {
          return std::vector<int>(held.begin(), held.end());
        } else {
          return held;
        }
      },
      value.value());
}

}  // namespace

void SetLogThreshold(Severity threshold) { TheThresholds().Settle(threshold); }

void SetLogThresholdFor(Severity threshold, std::chrono::seconds duration) {
  TheThresholds().SetFor(threshold, duration);
}

Severity SettledLogThreshold() { return TheThresholds().settled(); }

void Log(Severity severity, std::string_view event, std::initializer_list<LogField> fields) {
  const spdlog::level::level_enum level = LevelOf(severity);
  TheThresholds().EndWhatIsOver();
  if (!Logger().should_log(level)) return;
  const auto level_name = spdlog::level::to_string_view(level);
  nlohmann::ordered_json line;
  line["time"] = absl::FormatTime("%Y-%m-%d%ET%H:%M:%E6SZ", absl::Now(), absl::UTCTimeZone());
  line["severity"] = std::string(level_name.data(), level_name.size());
  line["event"] = event;
  if (const TraceContext& trace = CurrentTrace(); trace.valid()) {
    line["trace_id"] = TraceIdOf(trace);
    line["span_id"] = SpanIdText(trace.span);
  }
  for (const auto& [key, value] : fields) line[std::string(key)] = JsonOf(value);
  Logger().log(level, "{}", line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace todo::util
