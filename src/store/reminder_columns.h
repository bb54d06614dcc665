#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "domain/reminder/reminder.h"

// Inside the room only: between reminders and the columns of their tables.

namespace todo::store {

/// The columns of a reminder, without those of its job.
nlohmann::json ReminderRow(const domain::Reminder& reminder);

/// Reads what ReminderRow or the database's to_jsonb wrote. kInternal: that cannot be read
/// (logged).
absl::StatusOr<domain::Reminder> DecodeReminder(std::string_view json);

/// The due date in columns as those of tasks; `local` as its text, empty for none. Rows without a
/// kind are from before there was one.
domain::Due DecodeDue(std::string_view kind, std::string_view local,
                      std::optional<domain::Instant> at);

/// Reads an array of them.
absl::StatusOr<std::vector<domain::Reminder>> DecodeReminders(std::string_view json);

}  // namespace todo::store
