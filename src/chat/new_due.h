#pragma once

#include <optional>
#include <string>

#include "chat/grammar/grammar.h"
#include "domain/task/task.h"
#include "domain/time.h"
#include "domain/time_zone.h"
#include "service/tasks/task_input.h"

// From "to friday" and "by two days" to the new due date of a task. Pure functions.

namespace todo::chat {

struct NewDue {
  service::DueInput due;
  std::optional<std::string> time_zone;  // to be set with it
  std::string words;                     // on the clocks of the user, as the wording says
  domain::Instant at;                    // of a day: its start
  std::string note;                      // a surprise; empty: there is none
};

/// A day keeps the task's time of day, and a time keeps the task's day unless it has passed then. A
/// shift counts from the task's due date, or from now when the new date would have passed.
/// Precondition: `when` has a moment or a shift.
NewDue Postponed(const domain::Task& task, const WhenPhrase& when, const GrammarContext& context);

/// The due date that the user's words say: on the clocks of `zone`.
service::DueInput DueAt(const Moment& moment);

}  // namespace todo::chat
