#include "chat/new_due.h"

#include <cstdint>

#include "chat/finding.h"
#include "chat/words.h"
#include "domain/reminder/reminder.h"
#include "util/require.h"

namespace todo::chat {
namespace {

using domain::DueKind;
using domain::Instant;
using domain::TimeZone;

/// The circumstances of one new date.
struct Setting {
  const domain::Task& task;
  const GrammarContext& context;
  const TimeZone& zone;  // of the user
  TimeZone task_zone;
  Instant now;

  absl::CivilDay today() const { return absl::CivilDay(zone.ToLocal(now)); }
};

NewDue OnDay(absl::CivilDay day, const Setting& setting) {
  const Moment moment{.local = absl::CivilSecond(day), .has_time = false};
  NewDue due{.due = DueAt(moment),
             .time_zone = {},
             .words = Describe(moment, setting.context.wording),
             .at = setting.zone.ToInstant(moment.local),
             .note = {}};
  if (setting.task.fields.due.kind == DueKind::kNone) due.time_zone = setting.zone.name();
  return due;
}

/// An instant, in the way in which the task has its due date.
NewDue AtInstant(Instant at, const Setting& setting) {
  NewDue due{
      .due = {}, .time_zone = {}, .words = InstantWords(at, setting.context), .at = at, .note = {}};
  if (setting.task.fields.due.kind == DueKind::kInstant) {
    due.due.due_date = at;
  } else {
    due.due = DueAt({.local = setting.task_zone.ToLocal(at), .has_time = true});
  }
  return due;
}

/// A wall-clock time of the user. A task that has a due date keeps its zone.
NewDue AtLocal(absl::CivilSecond local, const Setting& setting) {
  const Instant at = setting.zone.ToInstant(local);
  if (setting.task.fields.due.kind != DueKind::kNone) return AtInstant(at, setting);
  const Moment moment{.local = local, .has_time = true};
  return {.due = DueAt(moment),
          .time_zone = setting.zone.name(),
          .words = Describe(moment, setting.context.wording),
          .at = at,
          .note = {}};
}

NewDue ToMoment(const Moment& moment, const Setting& setting) {
  const domain::Due& due = setting.task.fields.due;
  if (moment.has_time) return AtLocal(moment.local, setting);
  const absl::CivilDay day(moment.local);
  if (due.kind == DueKind::kNone || due.kind == DueKind::kDate) return OnDay(day, setting);
  // The day is one of the clocks on which the task has its time.
  const TimeZone& zone = due.kind == DueKind::kLocal ? setting.task_zone : setting.zone;
  const absl::CivilSecond local = zone.ToLocal(due.at);
  const Instant at =
      zone.ToInstant(absl::CivilSecond(day) + (local - absl::CivilSecond(absl::CivilDay(local))));
  if (at > setting.now) return AtInstant(at, setting);
  NewDue whole_day = OnDay(day, setting);
  whole_day.note = "Its time of day has passed on that day, so it is due without a time.";
  return whole_day;
}

/// A time of day, on the day of the task. The day of `moment` stands in for one that has passed.
NewDue ToTime(const Moment& moment, const Setting& setting) {
  if (setting.task.fields.due.kind == DueKind::kNone) return ToMoment(moment, setting);
  const std::int64_t time = moment.local - absl::CivilSecond(absl::CivilDay(moment.local));
  const absl::CivilSecond local = absl::CivilSecond(DueDayOf(setting.task, setting.zone)) + time;
  return setting.zone.ToInstant(local) > setting.now ? AtLocal(local, setting)
                                                     : ToMoment(moment, setting);
}

NewDue ByShift(const domain::Period& shift, const Setting& setting) {
  const domain::Due& due = setting.task.fields.due;
  const bool whole_days = shift.time.count() == 0;
  const bool has_day = due.kind == DueKind::kNone || due.kind == DueKind::kDate;
  if (has_day && whole_days) {
    const absl::CivilDay from =
        due.kind == DueKind::kDate ? absl::CivilDay(due.local) : setting.today();
    const absl::CivilDay day = from + shift.days.count();
    return OnDay(day < setting.today() ? setting.today() + shift.days.count() : day, setting);
  }
  if (!has_day) {
    const Instant at = domain::After(due.at, shift, setting.task_zone.name());
    if (at > setting.now) return AtInstant(at, setting);
  }
  const Instant from_now = domain::After(setting.now, shift, setting.zone.name());
  return AtLocal(absl::CivilSecond(absl::CivilMinute(setting.zone.ToLocal(from_now))), setting);
}

}  // namespace

service::DueInput DueAt(const Moment& moment) {
  return {.due_date = {}, .due_local = ToDueLocal(moment)};
}

NewDue Postponed(const domain::Task& task, const WhenPhrase& when, const GrammarContext& context) {
  TODO_REQUIRE(when.moment || when.shift);
  const Setting setting{.task = task,
                        .context = context,
                        .zone = context.zone,
                        .task_zone = TimeZone::Load(task.fields.time_zone).value_or(context.zone),
                        .now = context.now};
  if (when.shift) return ByShift(*when.shift, setting);
  return when.has_no_day ? ToTime(*when.moment, setting) : ToMoment(*when.moment, setting);
}

}  // namespace todo::chat
