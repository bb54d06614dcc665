#include "chat/model_intents.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/ascii.h"
#include "chat/grammar/intent_reader.h"
#include "chat/grammar/references.h"
#include "chat/grammar/sentence_words.h"
#include "util/status.h"

namespace todo::chat {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxArgumentsBytes = 4'000;

/// A task, a title or words that must be in the user's text, or a date in words.
enum class Parameter { kTask, kTitle, kWords, kWhen };

struct Tool {
  const char* name;
  const char* description;
  std::vector<Parameter> parameters;  // all are required
};

const char* NameOf(Parameter parameter) {
  switch (parameter) {
    case Parameter::kTask: return "task";
    case Parameter::kTitle: return "title";
    case Parameter::kWords: return "words";
    case Parameter::kWhen: return "when";
  }
  return "";
}

const char* DescriptionOf(Parameter parameter) {
  switch (parameter) {
    case Parameter::kTask: return "The words that name the task, exactly as the user wrote them.";
    case Parameter::kTitle: return "The new title, exactly as the user wrote it.";
    case Parameter::kWords: return "The words to look for, exactly as the user wrote them.";
    case Parameter::kWhen:
      return "A date in English words: friday, tomorrow at 9, in 20 minutes, this week.";
  }
  return "";
}

const std::vector<Tool>& Tools() {
  static const std::vector<Tool> tools = {
      {"add_task", "Adds a new task without a date.", {Parameter::kTask}},
      {"add_task_due", "Adds a new task with a due date.", {Parameter::kTask, Parameter::kWhen}},
      {"complete_task", "Marks a task as done.", {Parameter::kTask}},
      {"reopen_task", "Marks a completed task as not done.", {Parameter::kTask}},
      {"delete_task", "Deletes a task; the user is asked before.", {Parameter::kTask}},
      {"rename_task", "Gives a task a new title.", {Parameter::kTask, Parameter::kTitle}},
      {"postpone_task", "Moves the due date.", {Parameter::kTask, Parameter::kWhen}},
      {"remind_of_task", "Sets a reminder.", {Parameter::kTask, Parameter::kWhen}},
      {"list_due_tasks", "Lists the tasks of a day or a week.", {Parameter::kWhen}},
      {"list_overdue_tasks", "Lists the tasks that are overdue.", {}},
      {"list_open_tasks", "Lists all open tasks.", {}},
      {"search_tasks", "Looks for tasks by words.", {Parameter::kWords}},
      {"usage", "Tells how many tasks were done.", {}}};
  return tools;
}

/// The arguments of one call, checked against its tool.
class Arguments {
 public:
  Arguments(const Tool& tool, const ports::ModelCall& call, std::string_view text,
            const GrammarContext& context)
      : text_(text), context_(context) {
    if (call.arguments.size() > kMaxArgumentsBytes) return;
    const Json json = Json::parse(call.arguments.empty() ? "{}" : call.arguments, nullptr,
                                  /*allow_exceptions=*/false);
    if (!json.is_object() || json.size() != tool.parameters.size()) return;
    for (const Parameter parameter : tool.parameters) {
      const auto value = json.find(NameOf(parameter));
      if (value == json.end() || !value->is_string()) return;
      const std::string words = value->get<std::string>();
      if (words.empty()) return;
      if (parameter != Parameter::kWhen && !SpanInText(words)) return;
      values_[parameter] = words;
    }
    valid_ = true;
  }

  bool valid() const { return valid_; }
  const std::string& Get(Parameter parameter) const { return values_.at(parameter); }

  TaskReference Task() const {
    // Only the words of the user count.
    const Span span = SpanInText(Get(Parameter::kTask)).value_or(Span());
    std::vector<Word> words = SplitWords(text_);
    std::erase_if(words, [&](const Word& word) {
      return word.span.begin < span.begin || word.span.end > span.end;
    });
    if (!words.empty()) return ReferenceOf(words, text_, context_);
    TaskReference part_of_a_word;
    part_of_a_word.words = Written(Parameter::kTask);
    part_of_a_word.span = span;
    return part_of_a_word;
  }

  /// The title as the user wrote it.
  std::string Written(Parameter parameter) const {
    const Span span = SpanInText(Get(parameter)).value_or(Span());
    return std::string(TextOf(text_, span));
  }
  std::optional<WhenPhrase> When() const { return ParseWhen(Get(Parameter::kWhen), context_); }

 private:
  /// Where `words` stand in the text, without regard to case.
  std::optional<Span> SpanInText(std::string_view words) const {
    const auto found = std::search(text_.begin(), text_.end(), words.begin(), words.end(),
                                   [](unsigned char a, unsigned char b) {
                                     return absl::ascii_tolower(a) == absl::ascii_tolower(b);
                                   });
    if (found == text_.end()) return std::nullopt;
    const auto begin = static_cast<std::size_t>(found - text_.begin());
    return Span{.begin = begin, .end = begin + words.size()};
  }

  std::string_view text_;
  const GrammarContext& context_;
  std::map<Parameter, std::string> values_;
  bool valid_ = false;
};

std::optional<Intent> Add(const Arguments& arguments, bool due) {
  AddIntent intent;
  intent.task.title = arguments.Written(Parameter::kTask);
  if (!due) return intent;
  const std::optional<WhenPhrase> when = arguments.When();
  if (!when || !when->moment) return std::nullopt;
  intent.task.due = when->moment;
  intent.task.notes = when->notes;
  return intent;
}

std::optional<Intent> Remind(const Arguments& arguments, const GrammarContext& context) {
  const std::optional<WhenPhrase> when = arguments.When();
  if (!when || !when->moment) return std::nullopt;
  const std::optional<Moment> at = ReminderAt(*when->moment, context);
  if (!at) return std::nullopt;
  return RemindIntent{.task = arguments.Task(),
                      .reminders = {{.before = std::nullopt, .at = at}},
                      .when_text = arguments.Get(Parameter::kWhen)};
}

std::optional<Intent> List(const Arguments& arguments, const GrammarContext& context) {
  const std::string& when = arguments.Get(Parameter::kWhen);
  const std::optional<DayRange> range = ParseDayRange(when, context);
  if (!range) return std::nullopt;
  return ListIntent{.what = ListIntent::What::kRange, .range = range, .range_text = when};
}

std::optional<Intent> IntentOf(std::string_view tool, const Arguments& arguments,
                               const GrammarContext& context) {
  if (tool == "add_task") return Add(arguments, /*due=*/false);
  if (tool == "add_task_due") return Add(arguments, /*due=*/true);
  if (tool == "complete_task") return CompleteIntent{arguments.Task()};
  if (tool == "reopen_task") return UncompleteIntent{arguments.Task()};
  if (tool == "delete_task") return DeleteIntent{arguments.Task()};
  if (tool == "rename_task") {
    return RenameIntent{.task = arguments.Task(), .title = arguments.Written(Parameter::kTitle)};
  }
  if (tool == "postpone_task") {
    const std::optional<WhenPhrase> when = arguments.When();
    if (!when) return std::nullopt;
    return PostponeIntent{
        .task = arguments.Task(), .when = when, .when_text = arguments.Get(Parameter::kWhen)};
  }
  if (tool == "remind_of_task") return Remind(arguments, context);
  if (tool == "list_due_tasks") return List(arguments, context);
  if (tool == "list_overdue_tasks")
    return ListIntent{.what = ListIntent::What::kOverdue, .range = {}, .range_text = {}};
  if (tool == "list_open_tasks")
    return ListIntent{.what = ListIntent::What::kAllOpen, .range = {}, .range_text = {}};
  if (tool == "search_tasks") return SearchIntent{arguments.Written(Parameter::kWords)};
  return UsageIntent{};
}

}  // namespace

std::string ModelInstructions() {
  return "The user talks to a list of tasks. Call the functions that carry out what the text asks "
         "for, in its order. Copy the words that name tasks from the text. Call no function when "
         "the text asks for something else, or when you are not sure.";
}

std::vector<ports::ModelTool> ModelTools() {
  std::vector<ports::ModelTool> tools;
  for (const Tool& tool : Tools()) {
    Json properties = Json::object();
    Json required = Json::array();
    for (const Parameter parameter : tool.parameters) {
      properties[NameOf(parameter)] = {{"type", "string"},
                                       {"description", DescriptionOf(parameter)}};
      required.push_back(NameOf(parameter));
    }
    const Json schema = {{"type", "object"},
                         {"properties", std::move(properties)},
                         {"required", std::move(required)},
                         {"additionalProperties", false}};
    tools.push_back(
        {.name = tool.name, .description = tool.description, .parameters_schema = schema.dump()});
  }
  return tools;
}

absl::StatusOr<std::vector<Intent>> IntentsOf(const std::vector<ports::ModelCall>& calls,
                                              std::string_view text,
                                              const GrammarContext& context) {
  const auto refused = [](std::string_view why) {
    return util::MakeStatus(absl::StatusCode::kInvalidArgument,
                            fmt::format("the model's choice is refused: {}", why));
  };
  if (calls.empty() || calls.size() > kMaxIntents) return refused("the number of calls");
  std::vector<Intent> intents;
  for (const ports::ModelCall& call : calls) {
    const auto tool =
        std::ranges::find_if(Tools(), [&](const Tool& one) { return one.name == call.name; });
    if (tool == Tools().end()) return refused("no such function");
    const Arguments arguments(*tool, call, text, context);
    if (!arguments.valid()) return refused(fmt::format("arguments of {}", tool->name));
    std::optional<Intent> intent = IntentOf(tool->name, arguments, context);
    if (!intent) return refused(fmt::format("the date of {}", tool->name));
    intents.push_back(*std::move(intent));
  }
  return intents;
}

}  // namespace todo::chat
