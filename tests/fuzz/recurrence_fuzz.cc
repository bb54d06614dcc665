// Feeds the rule room whatever comes: rule texts, anchors, zones, moments. Stops at anything that
// its headers rule out.
//
// An input is bytes: 0 zone, with its highest bit for all-day series, 1 to 4 anchor, 5 to 8 moment,
// the rest the rule. Short inputs are rules alone.

#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "domain/recurrence/recurrence.h"
#include "require.h"

namespace {

using todo::domain::Instant;
using todo::domain::Recurrence;
using todo::domain::TimeZone;
using todo::fuzz::Require;

constexpr std::size_t kHeaderBytes = 9;

const TimeZone& ZoneOf(std::uint8_t byte) {
  static const TimeZone zones[] = {TimeZone(),
                                   TimeZone::Load("Europe/Berlin").value(),
                                   TimeZone::Load("Pacific/Apia").value(),
                                   TimeZone::Load("Australia/Lord_Howe").value(),
                                   TimeZone::Load("America/Sao_Paulo").value(),
                                   TimeZone::Load("Africa/Casablanca").value()};
  return zones[byte % std::size(zones)];
}

std::uint32_t NumberAt(const std::uint8_t* data) {
  std::uint32_t number = 0;
  std::memcpy(&number, data, sizeof(number));
  return number;
}

void CheckSeries(const Recurrence& series, Instant moment) {
  const Instant anchor = series.zone().ToInstant(series.anchor());
  Require(series.NextAfter(anchor).has_value(), "an accepted series goes on");

  Instant before = anchor;
  std::int64_t number = 1;
  for (const Recurrence::Occurrence& occurrence : series.Upcoming(anchor, 20)) {
    Require(occurrence.at > before, "occurrences increase");
    Require(occurrence.number == ++number, "numbers have no gaps");
    Require(series.zone().ToInstant(occurrence.local) == occurrence.at, "local and instant agree");
    before = occurrence.at;
  }
  const auto found = series.Upcoming(moment, 3);
  if (!found.empty()) {
    Require(found.front().at > moment && found.front().at > anchor, "what comes next is later");
    Require(series.NextAfter(moment) == found.front(), "one and several agree");
    const auto same = series.NextAfter(found.front().at - std::chrono::microseconds{1});
    Require(same == found.front(), "the next from just before is the same");
  }
  series.NextAfterCompletion(moment, number);
  if (series.all_day()) {
    for (const Recurrence::Occurrence& occurrence : series.Upcoming(anchor, 20))
      Require(occurrence.local == absl::CivilSecond(absl::CivilDay(occurrence.local)),
              "a day starts at midnight");
  }
  Require(series.Warnings().size() < 100, "warnings are few");

  const auto again =
      Recurrence::Parse({series.rule(), series.anchor(), series.zone(), series.all_day()});
  Require(again.ok(), "the one spelling is a rule");
  Require(again->rule() == series.rule(), "the one spelling is one");
  Require(again->Upcoming(anchor, 20) == series.Upcoming(anchor, 20), "it means the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string whole(reinterpret_cast<const char*>(data), size);
  (void)todo::domain::ParseInstant(whole);
  // Names that are well-formed would fill Abseil's cache only if they were zones, and there are few
  // of those.
  (void)TimeZone::Load(whole);

  std::uint8_t header[kHeaderBytes] = {};
  std::string_view rule = whole;
  if (size > kHeaderBytes) {
    std::memcpy(header, data, kHeaderBytes);
    rule.remove_prefix(kHeaderBytes);
  }
  // Anchors and moments a little beyond what is allowed too.
  const absl::CivilSecond anchor =
      absl::CivilSecond(1969) + static_cast<std::int64_t>(NumberAt(header + 1)) * 3;
  const Instant moment{std::chrono::seconds{static_cast<std::int64_t>(NumberAt(header + 5)) * 4}};

  const bool all_day = (header[0] & 0x80) != 0;
  const auto series = Recurrence::Parse({rule, anchor, ZoneOf(header[0]), all_day});
  if (series.ok()) {
    CheckSeries(*series, moment);
  } else {
    Require(series.status().code() == absl::StatusCode::kInvalidArgument ||
                series.status().code() == absl::StatusCode::kOutOfRange,
            "refusals have the documented codes");
    Require(series.status().message().size() < 1000, "reasons are short");
  }
  return 0;
}
