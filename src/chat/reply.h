#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/ids.h"
#include "domain/task/task.h"
#include "domain/time.h"

// What the conversation answers: words for a person, and the same as data.

namespace todo::chat {

enum class ActionKind {
  kAdd,
  kComplete,
  kUncomplete,
  kDelete,
  kRename,
  kPostpone,
  kRemind,
  kList,
  kSearch,
  kUsage,
  kUndo,
  kHelp
};

/// What words about a date came to.
struct Resolved {
  std::string phrase;    // as it was written
  std::string meaning;   // in words
  domain::Instant time;  // of a day: its start in the user's zone
  bool operator==(const Resolved&) const = default;
};

/// Numbers about a user.
struct Usage {
  std::int64_t created = 0;  // this and the next: in the last seven days
  std::int64_t completed = 0;
  std::int64_t open = 0;     // now
  std::int64_t overdue = 0;  // now
  std::int64_t streak_days = 0;
  bool operator==(const Usage&) const = default;
};

struct Action {
  ActionKind kind = ActionKind::kHelp;
  std::vector<domain::Task> tasks;  // after the action
  std::vector<int> reminder_numbers;
  std::vector<Resolved> resolved;
  std::optional<Usage> usage;
  bool changed = false;
  std::vector<std::string> notes;
  bool operator==(const Action&) const = default;
};

/// A task that a question offers.
struct Offer {
  int number = 0;  // from 1; a task that is gone leaves a gap
  domain::Task task;
  bool operator==(const Offer&) const = default;
};

struct Question {
  std::string text;
  ActionKind kind = ActionKind::kHelp;  // of the action that waits
  std::vector<Offer> offers;            // empty: a yes or a no is expected
  domain::Instant expires_at;
  bool operator==(const Question&) const = default;
};

struct Reply {
  std::string text;
  std::vector<Action> actions;
  std::optional<Question> question;
  std::string understood_by;
  bool undoable = false;
  bool operator==(const Reply&) const = default;
};

/// The text that the state store keeps; nullopt: it is no such text.
std::string FormatReply(const Reply& reply);
std::optional<Reply> ParseReply(std::string_view json);

}  // namespace todo::chat
