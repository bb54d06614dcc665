// Answers questions about recurrence rules, one JSON object per line on standard input:
//   {"rule": "FREQ=DAILY", "zone": "Europe/Berlin", "anchor": "2026-10-24T06:45:00", "n": 10}
// `after` (RFC 3339) asks for what follows a later instant than the anchor; `all_day` (true) makes
// the series one of days. The answer, also one line each:
//   {"next": [["2026-10-25T06:45:00", 1792907100, 2], …], "text": "FREQ=DAILY",
//    "warnings": ["…"], "micros": [12.5, 3.0]}
//   {"refused": "reason", "code": "INVALID_ARGUMENT", "micros": [80.1]}
// An occurrence is its wall-clock time, its second since the epoch, and its number. `micros` are
// the times spent in Parse and in Upcoming.

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "domain/recurrence/recurrence.h"
#include "util/status.h"

namespace {

using nlohmann::json;
using todo::domain::Instant;
using todo::domain::Recurrence;
using todo::domain::TimeZone;

double MicrosSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
      .count();
}

json Refusal(const absl::Status& status) {
  return {{"refused", std::string(status.message())},
          {"code", absl::StatusCodeToString(status.code())}};
}

json Answer(const json& question) {
  absl::StatusOr<TimeZone> zone = TimeZone::Load(question.value("zone", "UTC"));
  if (!zone.ok()) return Refusal(zone.status());
  absl::CivilSecond anchor;
  if (!absl::ParseCivilTime(question.at("anchor").get<std::string>(), &anchor))
    return {{"refused", "bad anchor"}};

  auto begin = std::chrono::steady_clock::now();
  absl::StatusOr<Recurrence> recurrence = Recurrence::Parse(
      {question.at("rule").get<std::string>(), anchor, *zone, question.value("all_day", false)});
  double parse_micros = MicrosSince(begin);
  if (!recurrence.ok()) {
    json answer = Refusal(recurrence.status());
    answer["micros"] = {parse_micros};
    return answer;
  }
  Instant after = zone->ToInstant(anchor);
  if (question.contains("after")) {
    absl::StatusOr<Instant> parsed =
        todo::domain::ParseInstant(question["after"].get<std::string>());
    if (!parsed.ok()) return Refusal(parsed.status());
    after = *parsed;
  }
  begin = std::chrono::steady_clock::now();
  std::vector<Recurrence::Occurrence> next = recurrence->Upcoming(after, question.value("n", 10));
  double next_micros = MicrosSince(begin);

  json answer = {{"next", json::array()},
                 {"text", recurrence->rule()},
                 {"warnings", recurrence->Warnings()},
                 {"micros", {parse_micros, next_micros}}};
  for (const Recurrence::Occurrence& occurrence : next) {
    answer["next"].push_back(
        {absl::FormatCivilTime(occurrence.local),
         std::chrono::floor<std::chrono::seconds>(occurrence.at).time_since_epoch().count(),
         occurrence.number});
  }
  return answer;
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    json answer;
    try {
      answer = Answer(json::parse(line));
    } catch (const json::exception& error) {
      answer = {{"refused", error.what()}};
    }
    std::cout << answer.dump(-1, ' ', false, json::error_handler_t::replace) << "\n" << std::flush;
  }
}
