#include "chat/grammar/series.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "chat/grammar/calendar.h"
#include "chat/grammar/rule_words.h"
#include "chat/grammar/words.h"
#include "domain/recurrence/recurrence.h"
#include "domain/recurrence/recurrence_pattern.h"

namespace todo::chat::grammar {
namespace {

using absl::CivilDay;
using domain::RecurrenceRule;
using std::chrono::seconds;
using Frequency = RecurrenceRule::Frequency;

constexpr int kLastYear = 2399;  // of series: domain::RecurrencePattern::kEnd

/// The moment from which on the rule is asked for its first date.
std::optional<Moment> EarliestOf(const RulePhrase& phrase, const MomentPhrase& said,
                                 const GrammarContext& context, std::vector<std::string>& notes) {
  MomentPhrase start;
  if (phrase.start) start = *phrase.start;
  if (!start.day) start.day = said.day;
  for (const MomentPhrase* source : {&phrase.clock, &said}) {
    if (!start.time) start.time = source->time;
    if (!start.part) start.part = source->part;
  }
  if (start.day) return Resolve(start, context, notes);
  if (const std::optional<seconds> time = TimeOfDay(start, context)) {
    Moment earliest{.local = absl::CivilSecond(Today(context)) + time->count(), .has_time = true};
    while (IsPast(earliest, context)) earliest.local += seconds(std::chrono::days(1)).count();
    return earliest;
  }
  return Moment{.local = absl::CivilSecond(Today(context)), .has_time = false};
}

/// The first date of `rule` from `earliest` on. Every period counts, whatever the interval is.
std::optional<Moment> FirstDate(RecurrenceRule rule, const Moment& earliest) {
  rule.interval = 1;
  const auto parsed = domain::ParseRecurrenceRule(domain::FormatRecurrenceRule(rule));
  if (!parsed.ok() || earliest.local.year() > kLastYear) return std::nullopt;
  const domain::RecurrencePattern pattern(*parsed, earliest.local);
  if (pattern.NamesStart()) return earliest;
  const auto next = pattern.From(domain::ToLocalSeconds(earliest.local)).Next();
  if (!next) return std::nullopt;
  return Moment{.local = domain::ToCivilSecond(*next), .has_time = earliest.has_time};
}

/// Makes short months use their last day, and says so, when the rule names a day that some lack.
void FillShortMonths(RecurrenceRule& rule, const Moment& first, std::vector<std::string>& notes) {
  constexpr int kDaysOfEveryMonth = 28;
  const bool yearly = rule.frequency == Frequency::kYearly;
  if (!rule.by_day.empty() || (!yearly && rule.frequency != Frequency::kMonthly)) return;
  const int day =
      rule.by_month_day.empty() ? first.local.day() : std::ranges::max(rule.by_month_day);
  if (day <= kDaysOfEveryMonth) return;
  const int month = rule.by_month.empty() ? first.local.month() : rule.by_month.front();
  constexpr int kFebruary = 2;
  if (yearly && month != kFebruary) return;
  rule.skip = RecurrenceRule::Skip::kBackward;
  notes.push_back(yearly ? "In years without a 29 February, the task is due on 28 February."
                         : fmt::format("In months without a {}, the task is due on the last day.",
                                       Ordinal(day)));
}

/// Says that some months are left out.
void WarnOfFifthWeekday(const RecurrenceRule& rule, std::vector<std::string>& notes) {
  constexpr int kFifth = 5;
  for (const RecurrenceRule::Weekday& day : rule.by_day) {
    if (day.position != kFifth) continue;
    const auto weekday = static_cast<absl::Weekday>(day.day.iso_encoding() - 1);
    notes.push_back(fmt::format("Months without a 5th {} are left out.", NameOf(weekday)));
  }
}

/// Sets UNTIL. false: the end lies before the beginning.
bool SetEnd(RecurrenceRule& rule, const RulePhrase& phrase, const Moment& first,
            const GrammarContext& context, std::vector<std::string>& notes) {
  std::optional<CivilDay> last;
  const CivilDay first_day(first.local);
  if (phrase.until) {
    MomentPhrase day_alone = *phrase.until;
    day_alone.time.reset();
    day_alone.part.reset();
    const std::optional<Moment> until = Resolve(day_alone, context, notes);
    if (!until) return false;
    last = CivilDay(until->local);
  } else if (phrase.length) {
    last = AddMonths(first_day, phrase.length->months) + phrase.length->days - 1;
  }
  if (!last) return true;
  rule.until = {RecurrenceRule::Until::Kind::kDate, absl::CivilSecond(*last)};
  return *last >= first_day && IsInCalendar(*last);
}

}  // namespace

std::optional<Series> ResolveSeries(const RulePhrase& phrase, const MomentPhrase& said,
                                    const GrammarContext& context,
                                    std::vector<std::string>& notes) {
  RecurrenceRule rule = phrase.rule;
  if (rule.frequency == Frequency::kYearly && !rule.by_month.empty() && rule.by_day.empty() &&
      rule.by_month_day.empty())
    rule.by_month_day = {1};
  if (rule.interval > 1 && !rule.by_day.empty())
    rule.week_start = std::chrono::weekday(static_cast<unsigned>(context.wording.week_start) + 1);
  const std::optional<Moment> earliest = EarliestOf(phrase, said, context, notes);
  if (!earliest) return std::nullopt;
  std::vector<std::string> surprises;
  FillShortMonths(rule, *earliest, surprises);
  const std::optional<Moment> first = FirstDate(rule, *earliest);
  const bool ends_well = first && SetEnd(rule, phrase, *first, context, notes);
  absl::StatusOr<domain::Recurrence> series = absl::InvalidArgumentError("it names no date");
  if (ends_well) {
    series = domain::Recurrence::Parse({.rule = domain::FormatRecurrenceRule(rule),
                                        .anchor = first->local,
                                        .zone = context.zone,
                                        .all_day = !first->has_time});
  }
  if (!series.ok()) {
    notes.emplace_back("The rule names no second date, so it is not used.");
    return std::nullopt;
  }
  WarnOfFifthWeekday(rule, surprises);
  for (std::string& note : surprises) notes.push_back(std::move(note));
  const auto parsed = domain::ParseRecurrenceRule(series->rule());
  Series answer{.first = *first, .rule = std::string(series->rule()), .meaning = {}};
  answer.meaning = RuleInWords(*parsed, context.wording);
  if (phrase.basis == domain::RecurrenceBasis::kCompletion) answer.meaning += ", after completion";
  return answer;
}

}  // namespace todo::chat::grammar
