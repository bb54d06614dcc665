#include "domain/reminder/reminder.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "domain/event/event.h"
#include "domain/event/event_writer.h"
#include "domain/time_zone.h"
#include "util/status.h"

namespace todo::domain {
namespace {

using std::chrono::days;
using std::chrono::seconds;

constexpr std::string_view kJobPrefix = "reminder-task-";

constexpr std::array kStates = {std::pair{ReminderState::kPending, std::string_view("pending")},
                                std::pair{ReminderState::kFired, std::string_view("fired")},
                                std::pair{ReminderState::kCancelled, std::string_view("cancelled")},
                                std::pair{ReminderState::kDeleted, std::string_view("deleted")}};

absl::Status NotAPeriod() {
  return util::MakeStatus(
      absl::StatusCode::kInvalidArgument,
      fmt::format("must be an ISO 8601 duration such as PT1H, P1D or P1DT12H, of at most {} days",
                  kMaxReminderOffset.count()));
}

/// Takes the digits at the front of `text`. nullopt: there are none, or too many for any period.
std::optional<int> TakeNumber(std::string_view& text) {
  constexpr std::size_t kMaxDigits = 8;
  std::size_t length = 0;
  while (length < text.size() && text[length] >= '0' && text[length] <= '9') ++length;
  int number = 0;
  if (length == 0 || length > kMaxDigits) return std::nullopt;
  std::from_chars(text.data(), text.data() + length, number);
  text.remove_prefix(length);
  return number;
}

std::optional<Instant> InRange(Instant instant) {
  if (instant < kMinInstant || instant > kMaxInstant) return std::nullopt;
  return instant;
}

/// A positive number without leading zeros, as job names have them.
template <typename Number>
std::optional<Number> ParseOrdinal(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1 || text[0] == '0') {
    return std::nullopt;
  }
  return number;
}

std::string Quote(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

absl::StatusOr<Period> ParsePeriod(std::string_view text) {
  struct Unit {
    char letter;
    bool of_time;
    int days_count;
    int seconds_count;
  };
  constexpr Unit kUnits[] = {{'W', false, 7, 0},
                             {'D', false, 1, 0},
                             {'H', true, 0, 3600},
                             {'M', true, 0, 60},
                             {'S', true, 0, 1}};
  Period period;
  std::string_view rest = text;
  if (!rest.starts_with('P')) return NotAPeriod();
  rest.remove_prefix(1);
  bool in_time = false;
  const Unit* next = std::begin(kUnits);  // each unit at most once, the long ones first
  bool any = false;
  while (!rest.empty()) {
    if (rest[0] == 'T') {
      if (in_time) return NotAPeriod();
      in_time = true;
      any = false;
      rest.remove_prefix(1);
      continue;
    }
    const std::optional<int> number = TakeNumber(rest);
    if (!number || rest.empty()) return NotAPeriod();
    while (next != std::end(kUnits) && (next->letter != rest[0] || next->of_time != in_time))
      ++next;
    if (next == std::end(kUnits)) return NotAPeriod();
    period.days += days(std::int64_t{*number} * next->days_count);
    period.time += seconds(std::int64_t{*number} * next->seconds_count);
    ++next;
    any = true;
    rest.remove_prefix(1);
  }
  if (!any || period.days + period.time > kMaxReminderOffset) return NotAPeriod();
  return period;
}

std::string FormatPeriod(const Period& period) {
  std::string text = "P";
  if (period.days.count() != 0) text += fmt::format("{}D", period.days.count());
  if (period.time.count() == 0) return text.size() > 1 ? text : "PT0S";
  const auto total = period.time.count();
  text += 'T';
  if (total >= 3600) text += fmt::format("{}H", total / 3600);
  if (total / 60 % 60 != 0) text += fmt::format("{}M", total / 60 % 60);
  if (total % 60 != 0) text += fmt::format("{}S", total % 60);
  return text;
}

std::optional<Instant> ResolveReminder(const ReminderTime& time, const TaskFields& fields) {
  if (time.at) return InRange(*time.at);
  if (time.before && fields.due.kind == DueKind::kNone) return std::nullopt;
  // Time that passes needs no calendar.
  if (time.before && time.before->days.count() == 0 && !time.time_of_day) {
    return InRange(fields.due.at - time.before->time);
  }
  const absl::StatusOr<TimeZone> zone = TimeZone::Load(fields.time_zone);
  if (!zone.ok()) return std::nullopt;
  if (time.at_local) {
    if (time.at_local->year() < 1 || time.at_local->year() > 9999) return std::nullopt;
    return InRange(zone->ToInstant(*time.at_local));
  }

  const absl::CivilSecond due =
      fields.due.kind == DueKind::kInstant ? zone->ToLocal(fields.due.at) : fields.due.local;
  const absl::CivilSecond midnight(absl::CivilDay(due) - time.before->days.count());
  const std::int64_t since_midnight =
      time.time_of_day ? time.time_of_day->count() : due - absl::CivilSecond(absl::CivilDay(due));
  return InRange(zone->ToInstant(midnight + since_midnight) - time.before->time);
}

Instant After(Instant from, const Period& period, std::string_view time_zone) {
  // Time that passes needs no calendar.
  if (period.days.count() == 0) return from + period.time;
  const absl::StatusOr<TimeZone> zone = TimeZone::Load(time_zone);
  if (!zone.ok()) return from + period.days + period.time;
  const absl::CivilSecond local = zone->ToLocal(from);
  const absl::CivilDay day(local);
  const absl::CivilSecond midnight(day + period.days.count());
  return zone->ToInstant(midnight + (local - absl::CivilSecond(day))) + period.time;
}

std::string_view ToString(ReminderState state) {
  return kStates[static_cast<std::size_t>(state)].second;
}

std::optional<ReminderState> ParseReminderState(std::string_view text) {
  for (const auto& [state, name] : kStates) {
    if (name == text) return state;
  }
  return std::nullopt;
}

void Plan(Reminder& reminder, const Task& task) {
  if (!reminder.unplanned_since) return;
  const Instant since = *std::exchange(reminder.unplanned_since, std::nullopt);
  if (reminder.state == ReminderState::kDeleted) return;
  const std::optional<Instant> planned = ResolveReminder(reminder.time, task.fields);
  if (planned != reminder.planned_at) {
    reminder.planned_at = reminder.remind_at = planned;
    reminder.state = ReminderState::kCancelled;  // its former state was for another date
  }
  if (task.completed || task.deleted || !reminder.remind_at) {
    if (reminder.state == ReminderState::kPending) reminder.state = ReminderState::kCancelled;
  } else if (reminder.state == ReminderState::kCancelled && *reminder.remind_at > since) {
    reminder.state = ReminderState::kPending;
  }
}

bool IsDue(const Reminder& reminder, Instant now) {
  return reminder.state == ReminderState::kPending && *reminder.remind_at <= now;
}

std::string ReminderJobName(TaskId task_id, int number) {
  std::string name = fmt::format("{}{}", kJobPrefix, task_id.value);
  if (number > 1) name += fmt::format("-{}", number);
  return name;
}

std::optional<ReminderJobTarget> ParseReminderJobName(std::string_view name) {
  if (!name.starts_with(kJobPrefix)) return std::nullopt;
  name.remove_prefix(kJobPrefix.size());
  const std::size_t dash = name.find('-');
  const auto task_id = ParseOrdinal<std::int64_t>(name.substr(0, dash));
  const auto number =
      dash == std::string_view::npos ? std::optional(1) : ParseOrdinal<int>(name.substr(dash + 1));
  if (!task_id || !number) return std::nullopt;
  return ReminderJobTarget{.task_id = TaskId{*task_id}, .number = *number};
}

std::string ReminderJobData(const Reminder& reminder) {
  return fmt::format(
      R"({{"task_id":{},"user_id":{},"type":"reminder","number":{},"remind_at":"{}"}})",
      reminder.id.task_id.value, Quote(reminder.id.user.value), reminder.id.number,
      FormatInstant(*reminder.remind_at));
}

std::string ReminderEventRecord(const Reminder& reminder, const Task& task, const EventId& event_id,
                                Instant now) {
  std::string data = fmt::format(
      R"({{"id":"{}","task_id":{},"title":{},"remind_at":"{}","user_id":{},"number":{})",
      event_id.value(), task.id.value, Quote(task.fields.title), FormatInstant(*reminder.remind_at),
      Quote(task.user.value), reminder.id.number);
  const Due& due = task.fields.due;
  if (due.kind != DueKind::kNone) {
    data += fmt::format(R"(,"due_date":"{}","due_kind":"{}")", FormatInstant(due.at),
                        ToString(due.kind));
  }
  if (const std::string local = FormatDueLocal(due); !local.empty())
    data += fmt::format(R"(,"due_local":"{}")", local);
  if (now - *reminder.remind_at > kReminderIsLateAfter) data += R"(,"late":true)";
  return fmt::format(
      R"({{"specversion":"1.0","id":"{}","source":"{}","type":"todo.reminder.due.v1","subject":"{}",)"
      R"("time":"{}","datacontenttype":"application/json","data":{}}}}})",
      event_id.value(), kEventSource, task.id.value, FormatInstant(now), data);
}

}  // namespace todo::domain
