#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "absl/status/statusor.h"
#include "domain/reminder.h"

// Inside the room only: between reminders and the columns of their table.

namespace todo::store {

/// The columns of a reminder, without those of its job.
nlohmann::json ReminderRow(const domain::Reminder& reminder);

/// Reads what ReminderRow or the database's to_jsonb wrote. kInternal: that cannot be read
/// (logged).
absl::StatusOr<domain::Reminder> DecodeReminder(std::string_view json);

/// Reads an array of them.
absl::StatusOr<std::vector<domain::Reminder>> DecodeReminders(std::string_view json);

}  // namespace todo::store
