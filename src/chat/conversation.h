#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/lookups.h"
#include "chat/memory.h"
#include "chat/planner.h"
#include "chat/reply.h"
#include "domain/notification/preferences.h"
#include "ports/clock.h"
#include "ports/language_model.h"
#include "ports/state_store.h"
#include "ports/task_finder.h"
#include "service/call_context.h"
#include "service/tasks/task_service.h"

namespace todo::chat {

inline constexpr std::size_t kMaxTextCharacters = 2'000;

struct Message {
  std::string text;
  std::string time_zone;  // IANA name; empty: the zone of the preferences
};

/// The preferences of a user. Blocks.
using ReadPreferences =
    std::function<absl::StatusOr<domain::NotificationPreferences>(const domain::UserId&)>;

/// Talks with users about their tasks: from a text to intents, from these to changes, and from the
/// outcome to an answer. All changes of a text are made together or not at all.
///
/// A text that could mean several tasks, and each deletion, leads to a question, and nothing is
/// changed before its answer. The question, and what takes back the last change, are remembered in
/// the state store, so any replica can go on.
///
/// Thread safety: Send may be called from many threads at once. It blocks on the database, the
/// state store and the model.
class Conversation {
 public:
  struct Parts {  // all must outlive the conversation
    service::TaskService& tasks;
    ports::TaskFinder& finder;
    ports::StateStore& state;
    const ports::Clock& clock;
    ports::IdSource& ids;
    ReadPreferences preferences;
    ReadUsage usage;                        // empty: there are no numbers
    ports::LanguageModel* model = nullptr;  // nullptr: only the grammar reads sentences
  };
  explicit Conversation(Parts parts) : parts_(std::move(parts)), memories_(parts_.state) {}

  /// kInvalidArgument with every violated field. kUnavailable (STATE_STORE_AWAY): preferences or
  /// memory cannot be read, or a question cannot be remembered; nothing was changed.
  /// kAlreadyExists: the request id was used for another text. Other statuses as of
  /// TaskService::ChangeAll: a text that asks for something impossible is answered in words, with
  /// OK.
  ///
  /// A repetition of a call with a request id gets the first answer, and changes nothing. A call
  /// with a request id whose answer cannot be remembered is kUnavailable, unless it changed
  /// something.
  absl::StatusOr<Reply> Send(const service::CallContext& call, const Message& message);

 private:
  /// One call of Send.
  struct Turn {
    const service::CallContext& call;
    std::string text;
    GrammarContext context;
    Memory memory;  // as it was read
    std::string etag;
  };
  /// What a turn comes to, and what is remembered of it.
  struct Outcome {
    Reply reply;
    std::optional<OpenQuestion> question;   // asked by the reply
    bool ends_question = true;              // that was open before
    std::optional<domain::Uuid> change_id;  // the request id of the change that the reply tells
    std::optional<Undo> undo;               // takes it back
    std::optional<domain::Uuid> no_change;  // the request id of a change that changed nothing
    bool undone = false;                    // the reply tells of an undo
  };
  /// A sentence to be carried out, with what is known about it.
  struct Order {
    Wish wish;
    std::vector<Intent> intents;
    Pins pins;
    bool confirmed = false;
    bool answers = false;       // a question
    service::CallContext call;  // of its changes
  };

  absl::StatusOr<Turn> Begin(const service::CallContext& call, const Message& message);
  absl::StatusOr<Outcome> Take(Turn& turn);
  // kAborted, from all that take a text: another call has changed the memory meanwhile.
  absl::StatusOr<Outcome> TakeSentence(Turn& turn);
  absl::StatusOr<Outcome> TakeAnswer(Turn& turn, const Choice& choice);
  absl::StatusOr<Outcome> AskAgain(const Turn& turn) const;
  absl::StatusOr<Outcome> CarryOut(Turn& turn, Order order);
  absl::Status Apply(Turn& turn, const Order& order, std::vector<Step>& steps, Outcome& outcome);
  absl::StatusOr<Outcome> TakeBack(const Turn& turn);
  /// The answer of an order whose changes were made, when its reply was not remembered.
  absl::StatusOr<std::optional<Outcome>> FirstAnswer(const Order& order) const;
  /// The intents that a model chooses; empty: there is no model, or it does not know either.
  absl::StatusOr<std::vector<Intent>> AskModel(const Turn& turn, Wish& wish) const;
  OpenQuestion Remembered(const Order& order, const Plan& plan,
                          const GrammarContext& context) const;
  absl::StatusOr<Reply> Finish(const Turn& turn, Outcome outcome);

  const Parts parts_;
  MemoryStore memories_;
};

}  // namespace todo::chat
