#include "domain/recurrence/recurrence.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "domain/recurrence/recurrence_warnings.h"
#include "util/status.h"

namespace todo::domain {
namespace {

using std::chrono::days;
using std::chrono::seconds;

constexpr int kMaxUpcoming = 100;
constexpr int kFirstAnchorYear = 1970;
constexpr int kLastAnchorYear = 2399;
// No clock was ever put forward by more than a day.
constexpr days kLongestGap{1};
// How far beyond its anchor a series is searched for occurrences that a change of clocks moves.
constexpr days kGapWarningHorizon{2 * 366};

absl::Status Refuse(absl::StatusCode code, std::string_view reason) {
  return util::MakeStatus(code, fmt::format("recurrence rule: {}", reason));
}

std::optional<Instant> UntilOf(const RecurrenceRule& rule, const TimeZone& zone) {
  if (!rule.until) return std::nullopt;
  switch (rule.until->kind) {
    case RecurrenceRule::Until::Kind::kUtc: return TimeZone().ToInstant(rule.until->time);
    case RecurrenceRule::Until::Kind::kFloating: return zone.ToInstant(rule.until->time);
    case RecurrenceRule::Until::Kind::kDate: break;
  }
  return zone.ToInstant(rule.until->time + (24 * 60 * 60 - 1));
}

absl::CivilSecond MidnightOf(absl::CivilSecond time) {
  return absl::CivilSecond(absl::CivilDay(time));
}

std::string FormatDay(absl::CivilSecond time) {
  return fmt::format("{:04}-{:02}-{:02}", time.year(), time.month(), time.day());
}

std::string FormatMinute(absl::CivilSecond time) {
  return fmt::format("{} {:02}:{:02}", FormatDay(time), time.hour(), time.minute());
}

/// The last moment of the day of `at`.
Instant EndOfDay(Instant at, const TimeZone& zone) {
  const absl::CivilDay next = absl::CivilDay(zone.ToLocal(at)) + 1;
  return zone.ToInstant(absl::CivilSecond(next)) - Instant::duration{1};
}

bool NamesDays(const RecurrenceRule& rule) {
  return !rule.by_month.empty() || !rule.by_week_no.empty() || !rule.by_year_day.empty() ||
         !rule.by_month_day.empty() || !rule.by_day.empty();
}

/// Whether a time of day of `pattern` falls into `gap` on some day, be it one of the rule's days or
/// not.
bool MayFallInto(const RecurrencePattern& pattern, const TimeZone::Gap& gap) {
  const LocalSeconds first = ToLocalSeconds(gap.first);
  const LocalSeconds end = ToLocalSeconds(gap.end);
  for (auto day = std::chrono::floor<days>(first); day < end; day += days{1}) {
    for (seconds time : pattern.times_of_day()) {
      if (day + time >= first && day + time < end) return true;
    }
  }
  return false;
}

}  // namespace

Recurrence::Recurrence(const RecurrenceRule& rule, absl::CivilSecond anchor, TimeZone zone,
                       bool anchor_is_later)
    : rule_(rule),
      anchor_(anchor),
      zone_(std::move(zone)),
      pattern_(rule, anchor),
      anchor_at_(anchor_is_later ? zone_.ToLaterInstant(anchor) : zone_.ToInstant(anchor)),
      until_(UntilOf(rule, zone_)) {
  if (!anchor_is_later) return;
  // Later times of that hour come in the first of the two equal hours, before the anchor.
  const LocalSeconds start = ToLocalSeconds(anchor);
  RecurrencePattern::Walk walk = pattern_.From(start, start + kLongestGap);
  while (std::optional<LocalSeconds> time = walk.Next()) {
    if (zone_.ToInstant(ToCivilSecond(*time)) <= anchor_at_) ++over_;
  }
}

absl::Status Recurrence::CheckAnchor(absl::CivilSecond anchor) {
  if (anchor.year() >= kFirstAnchorYear && anchor.year() <= kLastAnchorYear)
    return absl::OkStatus();
  return Refuse(absl::StatusCode::kInvalidArgument,
                fmt::format("the first occurrence must be in the years {} to {}", kFirstAnchorYear,
                            kLastAnchorYear));
}

absl::StatusOr<Recurrence> Recurrence::Parse(Definition definition) {
  TODO_ASSIGN_OR_RETURN(RecurrenceRule parsed, ParseRecurrenceRule(definition.rule));
  std::string text = FormatRecurrenceRule(parsed);
  std::vector<std::string_view> ignored;
  absl::CivilSecond anchor = definition.anchor;
  if (definition.all_day) {
    ignored = LimitToDays(parsed);
    anchor = MidnightOf(anchor);
  }
  TODO_RETURN_IF_ERROR(CheckAnchor(anchor));
  Recurrence recurrence(parsed, anchor, std::move(definition.zone),
                        !definition.all_day && definition.anchor_is_later);
  recurrence.text_ = std::move(text);
  recurrence.all_day_ = definition.all_day;
  recurrence.ignored_ = std::move(ignored);
  if (!recurrence.pattern_.From(ToLocalSeconds(anchor)).Next()) {
    return Refuse(absl::StatusCode::kInvalidArgument,
                  fmt::format("it can never occur again: no day after {} and before {} fits {}",
                              recurrence.Show(anchor), kLastAnchorYear + 1, recurrence.text_));
  }
  if (parsed.count == 1) {
    return Refuse(absl::StatusCode::kOutOfRange,
                  "it can never occur again: COUNT=1 is the first occurrence alone");
  }
  if (recurrence.Search(recurrence.anchor_at_, 1).empty()) {
    return Refuse(absl::StatusCode::kOutOfRange,
                  fmt::format("it can never occur again: nothing follows {} up to UNTIL",
                              recurrence.Show(anchor)));
  }
  return recurrence;
}

std::string Recurrence::Show(absl::CivilSecond time) const {
  return all_day_ ? FormatDay(time) : FormatMinute(time);
}

std::vector<Recurrence::Occurrence> Recurrence::Search(Instant after, std::size_t n,
                                                       Periods periods) const {
  std::vector<Occurrence> found;
  after = std::max(after, anchor_at_);
  if (n == 0 || after > kMaxInstant || HasEndedBefore(after)) return found;
  // A time that the clocks skip comes late: begin where one could still come after `after`, and
  // after one has been found go on for as long as a later time can overtake it.
  const LocalSeconds from = ToLocalSeconds(zone_.ToLocal(after)) - kLongestGap;
  RecurrencePattern::Walk walk =
      periods == Periods::kLater ? pattern_.FromLaterPeriods(from) : pattern_.From(from);
  while (std::optional<LocalSeconds> time = walk.Next()) {
    absl::CivilSecond local = ToCivilSecond(*time);
    if (found.size() >= n && *time > ToLocalSeconds(found[n - 1].local) + kLongestGap) break;
    Instant at = zone_.ToInstant(local);
    if (until_ && at > *until_ + kLongestGap) break;
    if (at <= after || HasEndedBefore(at)) continue;
    auto place = std::lower_bound(
        found.begin(), found.end(), at,
        [](const Occurrence& occurrence, Instant value) { return occurrence.at < value; });
    if (place == found.end() || place->at != at) found.insert(place, {local, at, 0});
    if (found.size() >= n && zone_.ToLocal(found[n - 1].at) == found[n - 1].local) break;
  }
  if (found.size() > n) found.resize(n);
  return found;
}

std::int64_t Recurrence::NumberAt(Instant at) const {
  // Occurrences are counted by the time that clocks really show, which tells the instants apart. It
  // differs from the time that the rule names only inside a gap.
  const LocalSeconds shown = ToLocalSeconds(zone_.ToLocal(at));
  std::int64_t number = 1 + pattern_.CountUpTo(shown) - over_;

  const LocalSeconds anchor = ToLocalSeconds(anchor_);
  const LocalSeconds anchor_shown = ToLocalSeconds(zone_.ToLocal(anchor_at_));
  auto gap = zone_.NextGap(anchor_at_ - 2 * kLongestGap);
  for (; gap && gap->at <= at; gap = zone_.NextGap(gap->at)) {
    const LocalSeconds first = ToLocalSeconds(gap->first);
    const LocalSeconds end = ToLocalSeconds(gap->end);
    if (anchor >= first && anchor < end) {
      // The anchor itself is late: a time after it by the rule, but not in real time, does not
      // count.
      number -= pattern_.CountUpTo(anchor_shown) - pattern_.CountUpTo(end - seconds{1});
    }
    if (!MayFallInto(pattern_, *gap)) continue;
    RecurrencePattern::Walk walk = pattern_.From(first, end);
    while (std::optional<LocalSeconds> time = walk.Next()) {
      const LocalSeconds late = *time + (end - first);
      if (late > shown || pattern_.Contains(late)) --number;
    }
  }
  return number;
}

std::vector<Recurrence::Occurrence> Recurrence::Upcoming(Instant after, int n) const {
  std::vector<Occurrence> found =
      Search(after, static_cast<std::size_t>(std::clamp(n, 0, kMaxUpcoming)));
  if (found.empty()) return found;
  std::int64_t number = NumberAt(found.front().at);
  for (Occurrence& occurrence : found) occurrence.number = number++;
  if (rule_.count) {
    std::erase_if(
        found, [this](const Occurrence& occurrence) { return occurrence.number > *rule_.count; });
  }
  return found;
}

std::optional<Recurrence::Occurrence> Recurrence::NextAfter(Instant after) const {
  std::vector<Occurrence> found = Upcoming(after, 1);
  if (found.empty()) return std::nullopt;
  return found.front();
}

std::optional<Recurrence::Occurrence> Recurrence::NextAfterCompletion(Instant completed,
                                                                      std::int64_t number,
                                                                      Instant scheduled) const {
  if (completed > kMaxInstant || completed < kMinInstant || (rule_.count && number >= *rule_.count))
    return std::nullopt;
  absl::CivilDay day(zone_.ToLocal(completed));
  if (day.year() < kFirstAnchorYear || day.year() > kLastAnchorYear) return std::nullopt;
  absl::CivilSecond anchor(day.year(), day.month(), day.day(), anchor_.hour(), anchor_.minute(),
                           anchor_.second());
  // A day that the rule takes from the anchor is one that it names when it names the month.
  const bool names_days = NamesDays(rule_);
  const Recurrence anew(names_days ? pattern_.rule() : rule_, anchor, zone_);
  Instant after = completed;
  if (names_days) {
    after = std::max(completed, scheduled);
    // A day with one occurrence has none left, at any time of day.
    if (pattern_.times_of_day().size() == 1) after = EndOfDay(after, zone_);
  }
  std::vector<Occurrence> found =
      anew.Search(after, 1, names_days && rule_.interval > 1 ? Periods::kLater : Periods::kAll);
  if (found.empty()) return std::nullopt;
  found.front().number = number + 1;
  return found.front();
}

LocalSeconds Recurrence::LocalEnd() const {
  if (until_) {
    return std::min(RecurrencePattern::kEnd, ToLocalSeconds(zone_.ToLocal(*until_)) + seconds{1});
  }
  if (!rule_.count) return RecurrencePattern::kEnd;
  RecurrencePattern::Walk walk = pattern_.From(ToLocalSeconds(anchor_));
  LocalSeconds last = ToLocalSeconds(anchor_);
  for (int number = 1; number < *rule_.count; ++number) {
    const std::optional<LocalSeconds> next = walk.Next();
    if (!next) return RecurrencePattern::kEnd;
    last = *next;
  }
  return last + seconds{1};
}

std::string Recurrence::WarnOfClocks() const {
  const LocalSeconds series_end = LocalEnd();
  const Instant horizon = anchor_at_ + kGapWarningHorizon;
  for (auto gap = zone_.NextGap(anchor_at_); gap && gap->at < horizon;
       gap = zone_.NextGap(gap->at)) {
    if (!MayFallInto(pattern_, *gap)) continue;
    const LocalSeconds gap_end = std::min(ToLocalSeconds(gap->end), series_end);
    std::optional<LocalSeconds> time = pattern_.From(ToLocalSeconds(gap->first), gap_end).Next();
    if (!time) continue;
    const absl::CivilSecond named = ToCivilSecond(*time);
    const Instant at = zone_.ToInstant(named);
    if (HasEndedBefore(at)) break;
    return fmt::format("Clocks in {} go forward over {}; that occurrence comes at {}.",
                       zone_.name(), FormatMinute(named), FormatMinute(zone_.ToLocal(at)));
  }
  return {};
}

std::vector<std::string> Recurrence::Warnings() const {
  std::vector<std::string> warnings = WarnOfMissingDays(pattern_, LocalEnd());
  if (!pattern_.NamesStart()) {
    warnings.push_back(
        fmt::format("The first occurrence, {}, is not one that the rule names; it counts as the "
                    "first all the same.",
                    Show(anchor_)));
  }
  if (!ignored_.empty()) {
    warnings.push_back(fmt::format("{} {} ignored: an all-day task has no time of day.",
                                   fmt::join(ignored_, ", "), ignored_.size() == 1 ? "is" : "are"));
  }
  if (all_day_) return warnings;  // no change of clocks moves a day
  if (std::string clocks = WarnOfClocks(); !clocks.empty()) warnings.push_back(std::move(clocks));
  return warnings;
}

}  // namespace todo::domain
