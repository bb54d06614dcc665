#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/ids.h"
#include "domain/task/task.h"
#include "domain/time.h"
#include "service/analytics/usage_service.h"

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

struct Action {
  ActionKind kind = ActionKind::kHelp;
  std::vector<domain::Task> tasks;  // after the action
  std::vector<int> reminder_numbers;
  std::vector<Resolved> resolved;
  std::optional<service::UsageSummary> usage;
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
