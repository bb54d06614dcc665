#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "domain/reminder/reminder.h"

// Inside the room only: conversion between reminders and the columns of their tables.

namespace todo::store {

/// The columns of the time that a user gave a reminder.
nlohmann::json ReminderTimeRow(const domain::ReminderTime& time);
/// The columns of a reminder, without those of its job.
nlohmann::json ReminderRow(const domain::Reminder& reminder);

/// Reads JSON of ReminderRow or of the database's to_jsonb. kInternal: it cannot be read (logged).
absl::StatusOr<domain::Reminder> DecodeReminder(std::string_view json);

/// The due date in the columns of a task; `local` is a text, empty if there is none. Old rows have
/// no kind.
domain::Due DecodeDue(std::string_view kind, std::string_view local,
                      std::optional<domain::Instant> at);

/// Reads an array of reminders, each as DecodeReminder does.
absl::StatusOr<std::vector<domain::Reminder>> DecodeReminders(std::string_view json);

}  // namespace todo::store
