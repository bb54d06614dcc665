#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace todo::util {

enum class Severity { kDebug, kInfo, kWarning, kError };

/// Where lines of lower severity are dropped; lines go to stderr. Call before the first thread
/// starts.
void SetLogThreshold(Severity threshold);

using LogField = std::pair<std::string_view, nlohmann::json>;

/// Writes one JSON object as one line: time, severity, `event` (snake_case, names what happened)
/// and the fields. kError means that a person should act. Never pass payloads or credentials.
/// Thread safety: may be called from any thread. Does not throw on text that is not UTF-8.
void Log(Severity severity, std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace todo::util
