#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/finding.h"
#include "chat/grammar/intents.h"
#include "chat/memory.h"
#include "chat/reply.h"
#include "service/tasks/task_changes.h"
#include "service/tasks/task_service.h"

// From intents to changes: every reference becomes a task, or a question.

namespace todo::chat {

inline Slot SlotOf(const TaskReference& reference) {
  return {reference.span.begin, reference.span.end};
}

/// What one intent comes to.
struct Step {
  Action action;                              // without the tasks of a change
  std::optional<service::TaskChange> change;  // nullopt: it only reads, or nothing is to be done
  std::optional<domain::Task> target;         // as it is before
  std::string date_words;                     // of kPostpone and kRemind
  Intent intent;
};

/// What a sentence says of the new date of a task.
struct Dating {
  std::string effect = {};  // a sentence for questions; empty: there is no date
  std::string unread = {};  // words that the title must have
  std::string date = {};    // what is not understood otherwise, as it is written
};

/// A question to the user. Nothing is changed before its answer.
struct Ask {
  ActionKind kind = ActionKind::kHelp;
  std::string text;
  std::optional<Slot> slot;          // the reference that is asked about; nullopt: yes or no
  std::vector<domain::Task> offers;  // with a slot
};

struct Plan {
  std::vector<Step> steps;
  std::optional<Ask> ask;
  std::string refusal;  // not empty: nothing can be done, and why
  Pins pins;            // of all references
};

/// "Friday, 27 November 2026, 09:00", "30 minutes before it is due".
std::string ReminderWords(const std::vector<ReminderPhrase>& phrases,
                          const domain::Wording& wording);

/// Makes the plan of one text.
/// Thread safety: none. Make blocks on the database; its statuses are those of finding and reading.
class Planner {
 public:
  struct Input {
    service::TaskService& tasks;
    Finding finding;
    domain::UserId user;
    std::string text;
    GrammarContext context;
    Pins pins;               // references that the user has decided
    bool confirmed = false;  // the user said yes to the deletions, of the versions in `pins`
    std::optional<domain::TaskId> spoken_of;
  };
  explicit Planner(Input input) : input_(std::move(input)) {}

  /// To be called once.
  absl::StatusOr<Plan> Make(const std::vector<Intent>& intents);

 private:
  absl::Status Visit(const AddIntent& intent);
  absl::Status Visit(const CompleteIntent& intent);
  absl::Status Visit(const UncompleteIntent& intent);
  absl::Status Visit(const DeleteIntent& intent);
  absl::Status Visit(const RenameIntent& intent);
  absl::Status Visit(const PostponeIntent& intent);
  absl::Status Rename(const RenameIntent& intent);
  absl::Status Postpone(const PostponeIntent& intent);
  absl::Status Visit(const RemindIntent& intent);
  absl::Status Visit(const ListIntent& intent) { return Read(ActionKind::kList, intent); }
  absl::Status Visit(const SearchIntent& intent) { return Read(ActionKind::kSearch, intent); }
  absl::Status Visit(const UsageIntent& intent) { return Read(ActionKind::kUsage, intent); }
  absl::Status Visit(const HelpIntent& intent) { return Read(ActionKind::kHelp, intent); }
  absl::Status Visit(const UndoIntent& intent);
  absl::Status Read(ActionKind kind, Intent intent);
  absl::Status Complete(const TaskReference& reference, bool completed);
  void ConfirmDeletions();
  std::optional<domain::Instant> DueBy(const domain::Task& task) const;

  /// A task of the plan, with the reference that names it.
  using Use = std::function<void(const domain::Task&, const TaskReference&)>;
  /// Calls `use` for each task that `reference` names. It names several by its parts, or as
  /// those that are overdue. When a
  /// question or a refusal is needed first, the plan gets it, and `use` is not called.
  absl::Status ForEach(const TaskReference& reference, ActionKind kind, const Use& use,
                       const Dating& dating = {});
  /// nullopt: the plan has a question or a refusal.
  absl::StatusOr<std::optional<domain::Task>> Resolve(const TaskReference& reference,
                                                      ActionKind kind, const Dating& dating);
  absl::StatusOr<std::optional<domain::Task>> Get(domain::TaskId id, const std::string& if_gone);
  absl::StatusOr<std::optional<domain::Task>> SpokenOf();
  absl::StatusOr<Candidates> Find(const TaskReference& reference, ActionKind kind);
  absl::StatusOr<Candidates> FindNamed(const TaskReference& reference, ActionKind kind);
  absl::StatusOr<bool> PartsFit(const TaskReference& reference, ActionKind kind);
  /// Of the readings of one sentence, whose references are `first` and `others`: the number of the
  /// one of `others` that names a task exactly; nullopt: it is `first`. `may_be_part`: else, of a
  /// title that has the words of one of `others` as they are written.
  absl::StatusOr<std::optional<std::size_t>> ChooseReading(const TaskReference& first,
                                                           const std::vector<TaskReference>& others,
                                                           ActionKind kind, bool may_be_part);
  /// Calls `use` for each overdue task: `reference` names them all, and a task that is to be moved.
  /// False: it names no such group, or a task is called so.
  absl::StatusOr<bool> ForEachOverdue(const TaskReference& reference, ActionKind kind,
                                      const Use& use);
  /// More than fit into one text are not read to the end.
  absl::StatusOr<std::vector<domain::Task>> Overdue();
  void AskWhich(const TaskReference& reference, ActionKind kind, std::vector<domain::Task> offers,
                bool near, const std::string& effect);
  void RefuseUnknown(const TaskReference& reference);

  bool stopped() const { return plan_.ask.has_value() || !plan_.refusal.empty(); }
  void Refuse(std::string why) { plan_.refusal = std::move(why); }
  Step& Add(ActionKind kind, Intent intent);

  Input input_;
  Plan plan_;
};

}  // namespace todo::chat
