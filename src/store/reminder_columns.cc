#include "store/reminder_columns.h"

#include <optional>
#include <string>
#include <utility>

#include "domain/time.h"
#include "util/log.h"
#include "util/status.h"

namespace todo::store {
namespace {

using domain::Instant;
using domain::Reminder;
using nlohmann::json;

json OrNull(const std::optional<Instant>& at) {
  return at ? json(domain::FormatInstant(*at)) : json();
}

/// Throws what the library throws when a column is missing or of another type, and std::exceptions
/// of its own.
template <typename Parse>
auto Read(const json& row, const char* column, Parse&& parse)
    -> std::optional<std::decay_t<decltype(*parse(std::string()))>> {
  const json& value = row.at(column);
  if (value.is_null()) return std::nullopt;
  auto parsed = parse(value.get<std::string>());
  if (!parsed.ok()) throw std::runtime_error(std::string(column));
  return *std::move(parsed);
}

absl::StatusOr<absl::CivilSecond> ParseLocal(const std::string& text) {
  absl::CivilSecond local;
  if (!absl::ParseLenientCivilTime(text, &local)) return absl::InvalidArgumentError("no time");
  return local;
}

Reminder Decode(const json& row) {
  Reminder reminder;
  reminder.id = {.user = {row.at("user_id").get<std::string>()},
                 .task_id = {row.at("task_id").get<std::int64_t>()},
                 .number = row.at("number").get<int>()};
  reminder.time = {.at = Read(row, "at", domain::ParseInstant),
                   .at_local = Read(row, "at_local", ParseLocal),
                   .before = Read(row, "before", domain::ParsePeriod),
                   .time_of_day = Read(row, "time_of_day", domain::ParseTimeOfDay)};
  reminder.planned_at = Read(row, "planned_at", domain::ParseInstant);
  reminder.remind_at = Read(row, "remind_at", domain::ParseInstant);
  const auto state = domain::ParseReminderState(row.at("state").get<std::string>());
  if (!state) throw std::runtime_error("state");
  reminder.state = *state;
  reminder.fired_at = Read(row, "fired_at", domain::ParseInstant);
  reminder.unplanned_since = Read(row, "unplanned_since", domain::ParseInstant);
  reminder.created_at = Read(row, "created_at", domain::ParseInstant).value();
  return reminder;
}

template <typename Work>
auto OrInternal(Work&& work) -> absl::StatusOr<decltype(work())> {
  try {
    return work();
  } catch (const std::exception& error) {
    util::Log(util::Severity::kError, "stored_reminder_not_understood", {{"reason", error.what()}});
    return absl::InternalError("store: a stored reminder cannot be read");
  }
}

}  // namespace

json ReminderTimeRow(const domain::ReminderTime& time) {
  return {{"at", OrNull(time.at)},
          {"at_local", time.at_local ? json(absl::FormatCivilTime(*time.at_local)) : json()},
          {"before", time.before ? json(domain::FormatPeriod(*time.before)) : json()},
          {"time_of_day",
           time.time_of_day ? json(domain::FormatTimeOfDay(*time.time_of_day)) : json()}};
}

json ReminderRow(const Reminder& reminder) {
  json row = ReminderTimeRow(reminder.time);
  row.update({{"user_id", reminder.id.user.value},
              {"task_id", reminder.id.task_id.value},
              {"number", reminder.id.number},
              {"planned_at", OrNull(reminder.planned_at)},
              {"remind_at", OrNull(reminder.remind_at)},
              {"state", domain::ToString(reminder.state)},
              {"fired_at", OrNull(reminder.fired_at)},
              {"unplanned_since", OrNull(reminder.unplanned_since)},
              {"created_at", domain::FormatInstant(reminder.created_at)}});
  return row;
}

absl::StatusOr<Reminder> DecodeReminder(std::string_view text) {
  return OrInternal([&] { return Decode(json::parse(text)); });
}

domain::Due DecodeDue(std::string_view kind, std::string_view local, std::optional<Instant> at) {
  if (!at) return {};
  domain::Due due{.kind = domain::DueKind::kInstant, .local = {}, .at = *at};
  const std::optional<domain::DueKind> meant = domain::ParseDueKind(kind);
  const absl::StatusOr<absl::CivilSecond> parsed = ParseLocal(std::string(local));
  if (meant && parsed.ok()) {
    due.kind = *meant;
    due.local = *parsed;
  }
  return due;
}

absl::StatusOr<std::vector<Reminder>> DecodeReminders(std::string_view text) {
  return OrInternal([&] {
    std::vector<Reminder> reminders;
    for (const json& row : json::parse(text)) reminders.push_back(Decode(row));
    return reminders;
  });
}

}  // namespace todo::store
