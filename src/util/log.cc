#include "util/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
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

void SetLogThreshold(Severity threshold) { Logger().set_level(LevelOf(threshold)); }

void Log(Severity severity, std::string_view event, std::initializer_list<LogField> fields) {
  const spdlog::level::level_enum level = LevelOf(severity);
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
