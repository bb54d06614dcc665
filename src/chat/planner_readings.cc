#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "chat/planner.h"
#include "util/status.h"

// Sentences that may be read in several ways: the titles of the user's tasks decide.

namespace todo::chat {
namespace {

template <typename Change>
std::vector<TaskReference> ReferencesOf(const std::vector<Change>& readings) {
  std::vector<TaskReference> references;
  for (const Change& reading : readings) references.push_back(reading.task);
  return references;
}

}  // namespace

absl::Status Planner::Visit(const RenameIntent& intent) {
  TODO_ASSIGN_OR_RETURN(const std::optional<std::size_t> other,
                        ChooseReading(intent.task, ReferencesOf(intent.others), ActionKind::kRename,
                                      /*may_be_part=*/true));
  return Rename(other ? intent.others[*other] : intent);
}

absl::Status Planner::Visit(const PostponeIntent& intent) {
  TODO_ASSIGN_OR_RETURN(const std::optional<std::size_t> other,
                        ChooseReading(intent.task, ReferencesOf(intent.others),
                                      ActionKind::kPostpone, /*may_be_part=*/false));
  return Postpone(other ? intent.others[*other] : intent);
}

absl::StatusOr<std::optional<std::size_t>> Planner::ChooseReading(
    const TaskReference& first, const std::vector<TaskReference>& others, ActionKind kind,
    bool may_be_part) {
  for (std::size_t i = 0; i < others.size(); ++i)
    if (input_.pins.contains(SlotOf(others[i]))) return i;  // the user has answered a question
  if (others.empty() || input_.pins.contains(SlotOf(first))) return std::nullopt;

  using Test = bool (*)(const std::string& title, const std::string& words);
  const auto names = [&](const TaskReference& reference, Test test) -> absl::StatusOr<bool> {
    if (reference.words.empty()) return false;
    TODO_ASSIGN_OR_RETURN(const Candidates found, FindNamed(reference, kind));
    return std::ranges::any_of(found.fitting, [&](const domain::Task& task) {
      return test(task.fields.title, reference.words);
    });
  };
  const Test is_title = [](const std::string& title, const std::string& words) {
    return absl::EqualsIgnoreCase(title, words);
  };
  const Test is_part = [](const std::string& title, const std::string& words) {
    return absl::StrContains(absl::AsciiStrToLower(title), absl::AsciiStrToLower(words));
  };
  for (std::size_t i = 0; i < others.size(); ++i) {
    TODO_ASSIGN_OR_RETURN(const bool found, names(others[i], is_title));
    if (found) return i;
  }
  if (!may_be_part) return std::nullopt;
  TODO_ASSIGN_OR_RETURN(const bool first_is_title, names(first, is_title));
  for (std::size_t i = 0; i < others.size() && !first_is_title; ++i) {
    TODO_ASSIGN_OR_RETURN(const bool found, names(others[i], is_part));
    if (found) return i;
  }
  return std::nullopt;
}

}  // namespace todo::chat
