#include <utility>

#include "api/mcp/tool.h"
#include "api/mcp/tool_runs.h"
#include "api/mcp/tool_schemas.h"
#include "todo/v1/analytics_service.pb.h"
#include "todo/v1/todo_service.pb.h"

namespace todo::api::mcp {
namespace {

/// What a tool does to the tasks, for clients that ask their users before some calls.
enum class Effect {
  kReads,
  kAdds,
  kChanges,  // what was there can be brought back
  kDeletes
};

struct ToolText {
  const char* name;
  const char* title;
  const char* description;
};

Json Annotations(const ToolText& text, Effect effect) {
  return {{"title", text.title},
          {"readOnlyHint", effect == Effect::kReads},
          {"destructiveHint", effect == Effect::kDeletes},
          // A change happens once for each request_id, and without one in each call.
          {"idempotentHint", effect == Effect::kReads},
          {"openWorldHint", false}};
}

/// `arguments` of a tool that changes something get a request id.
Tool MakeTool(const ToolText& text, Effect effect, Json arguments, Json result,
              absl::StatusOr<Json> (*run)(ToolCall&)) {
  const bool changes = effect != Effect::kReads;
  if (changes) arguments["properties"]["request_id"] = Common().request_id;
  return {.name = text.name,
          .listing = {{"name", text.name},
                      {"title", text.title},
                      {"description", text.description},
                      {"inputSchema", std::move(arguments)},
                      {"outputSchema", std::move(result)},
                      {"annotations", Annotations(text, effect)}},
          .run = run,
          .changes = changes};
}

Json OneTask() { return ResultSchema({{"task", TaskSchema()}}, {"task"}); }

Tool FindTool() {
  constexpr int kMaxShown = 50;
  constexpr int kMaxWordsCharacters = 500;
  constexpr int kMaxNameCharacters = 50;
  constexpr int kMaxTokenCharacters = 2'000;
  return MakeTool(
      {.name = "find_tasks",
       .title = "Find tasks",
       .description =
           "The user's tasks that fit all given arguments, the soonest due first; without "
           "arguments "
           "all tasks. Call it before you change a task: it shows the ids and etags that the other "
           "tools take. It also tells the user's time and zone now. If several tasks fit the "
           "user's words, ask the user which one is meant."},
      Effect::kReads,
      ArgumentsSchema(
          {{"words",
            TextSchema("What the user calls the task, like buying milk. Forms of words and typing "
                       "errors are forgiven: fit says how well each task fits.",
                       kMaxWordsCharacters)},
           {"completed", FlagSchema("Only completed tasks, or only open ones. Left out: both.")},
           {"priority", ChoiceSchema(*v1::Priority_descriptor(), "Only this priority.")},
           {"tag", TextSchema("Only tasks with exactly this tag.", kMaxNameCharacters)},
           {"due_from", TextSchema("Only tasks due then or later: a day like 2026-11-27 (its "
                                   "start), or a time like 2026-11-27T09:00, in time_zone.",
                                   kMaxNameCharacters)},
           {"due_before", TextSchema("Only tasks due before then, in the forms of due_from. For "
                                     "the tasks of one day, give the next day.",
                                     kMaxNameCharacters)},
           {"time_zone", Common().time_zone},
           {"page_size", NumberSchema("How many tasks at most. Left out: 20.", 1, kMaxShown)},
           {"page_token", TextSchema("next_page_token of the result before, with the other "
                                     "arguments as they were. Not with words.",
                                     kMaxTokenCharacters)}}),
      ResultSchema({{"tasks", {{"type", "array"}, {"items", TaskSchema()}}},
                    {"next_page_token", TextSchema("There are more tasks: call again with it.")},
                    {"now", TextSchema("The user's time.")},
                    {"time_zone", TextSchema("The user's zone.")}},
                   {"tasks"}),
      FindTasks);
}

Tool AddTool() {
  return MakeTool(
      {.name = "add_task",
       .title = "Add a task",
       .description =
           "Adds a task for the user, from fields, or from a line of text as the user says it, or "
           "both: a field that is given counts, not what the text says of it. Tell the user the "
           "due date of the result, not your own reading of the words."},
      Effect::kAdds,
      ArgumentsSchema(
          {{"text", TextSchema("A line with title, date, recurrence, priority, tags and reminders "
                               "in words: \"pay rent every month on the 1st at 9 p1 #home, remind "
                               "me a day before\". Up to 2,000 characters.")},
           {"title", Common().title},
           {"description", Common().description},
           {"priority", Common().priority},
           {"tags", Common().tags},
           {"due_local", Common().due_local},
           {"time_zone", Common().time_zone},
           {"recurrence_rule", Common().recurrence_rule},
           {"recurrence_basis", Common().recurrence_basis}}),
      ResultSchema({{"task", TaskSchema()},
                    {"reminders", {{"type", "array"}, {"items", {{"type", "object"}}}}},
                    {"notes", TextsSchema("Surprises in the reading of the text: tell the user.")}},
                   {"task"}),
      AddTask);
}

Tool ChangeTool() {
  return MakeTool(
      {.name = "change_task",
       .title = "Change a task",
       .description = "Changes the given fields of a task and leaves the others. For a recurring "
                      "task, fields other than the due date change the following occurrences too, "
                      "and a due date only this one, unless scope says otherwise."},
      Effect::kChanges,
      ArgumentsSchema({{"id", Common().id},
                       {"etag", Common().etag},
                       {"title", Common().title},
                       {"description", Common().description},
                       {"priority", Common().priority},
                       {"tags", Common().tags},
                       {"due_local", Common().due_local},
                       {"time_zone", Common().time_zone},
                       {"recurrence_rule", Common().recurrence_rule},
                       {"recurrence_basis", Common().recurrence_basis},
                       {"scope", Common().scope}},
                      {"id"}),
      OneTask(), ChangeTask);
}

Tool CompleteTool() {
  return MakeTool(
      {.name = "complete_task",
       .title = "Complete a task",
       .description = "Marks a task as completed, or opens it again. The next occurrence of a "
                      "recurring task appears shortly after it is completed."},
      Effect::kChanges,
      ArgumentsSchema({{"id", Common().id},
                       {"etag", Common().etag},
                       {"completed", FlagSchema("false opens the task again. Left out: true.")}},
                      {"id"}),
      OneTask(), CompleteTask);
}

Tool PostponeTool() {
  return MakeTool(
      {.name = "postpone_task",
       .title = "Postpone a task",
       .description =
           "Moves the due date of one task. The series of a recurring task keeps its days."},
      Effect::kChanges,
      ArgumentsSchema(
          {{"id", Common().id},
           {"etag", Common().etag},
           {"due_local", TextSchema("The new day like 2026-11-27, which keeps the time of day, or "
                                    "day and time like 2026-11-27T09:00, in the task's zone.")}},
          {"id", "due_local"}),
      OneTask(), PostponeTask);
}

Tool RemindTool() {
  return MakeTool(
      {.name = "remind",
       .title = "Remind of a task",
       .description = "Adds a reminder to an open task: at a time, or before its due date. Give at "
                      "or before."},
      Effect::kAdds,
      ArgumentsSchema(
          {{"id", Common().id},
           {"at", TextSchema("A time like 2026-11-27T09:00 in the user's zone, or "
                             "2026-11-27T09:00:00+01:00.")},
           {"before", TextSchema("The time before the due date as an ISO 8601 duration: PT1H, P1D; "
                                 "PT0S is the due date itself.")},
           {"time_of_day", TextSchema("With before in whole days: 09:00 of that day.")}},
          {"id"}),
      ResultSchema({{"reminder", {{"type", "object"}}}}, {"reminder"}), Remind);
}

Tool DeleteTool() {
  return MakeTool(
      {.name = "delete_task",
       .title = "Delete a task",
       .description =
           "Deletes a task. Ask the user first, and name the task. Takes the id and the etag of "
           "the "
           "task as they were shown, so that nothing else can be deleted. restore_task brings the "
           "task back. For a recurring task, scope this skips one occurrence, and all ends the "
           "series."},
      Effect::kDeletes,
      ArgumentsSchema({{"id", Common().id}, {"etag", Common().etag}, {"scope", Common().scope}},
                      {"id", "etag"}),
      OneTask(), DeleteTask);
}

Tool RestoreTool() {
  return MakeTool({.name = "restore_task",
                   .title = "Restore a task",
                   .description = "Brings a deleted task back under its id, as it was."},
                  Effect::kChanges, ArgumentsSchema({{"id", Common().id}}, {"id"}), OneTask(),
                  RestoreTask);
}

Tool PreviewTool() {
  constexpr int kMaxOccurrences = 100;
  return MakeTool(
      {.name = "preview_rule",
       .title = "Preview a recurrence rule",
       .description = "The dates that a recurrence rule makes after a first due date. Stores "
                      "nothing. Use it to check a rule before you set it."},
      Effect::kReads,
      ArgumentsSchema(
          {{"recurrence_rule", TextSchema("An RRULE of RFC 5545 like FREQ=WEEKLY;BYDAY=MO, or "
                                          "daily, weekly, monthly, yearly or weekdays.")},
           {"due_local", Common().due_local},
           {"time_zone", Common().time_zone},
           {"count", NumberSchema("How many dates. Left out: 10.", 1, kMaxOccurrences)}},
          {"recurrence_rule", "due_local"}),
      ResultSchema({{"occurrences", {{"type", "array"}, {"items", {{"type", "object"}}}}},
                    {"warnings", TextsSchema("Surprises in the rule: tell the user.")},
                    {"recurrence_rule", {{"type", "string"}}}},
                   {"occurrences"}),
      PreviewRule);
}

Tool UsageTool() {
  return MakeTool(
      {.name = "usage",
       .title = "Usage",
       .description =
           "How the user is doing: tasks created, completed and deleted over time, the tasks open "
           "and overdue now, the completion rate, the days in a row with a completed task."},
      Effect::kReads,
      ArgumentsSchema(
          {{"start", TextSchema("The first day, like 2026-11-01. Left out: the last 30 days.")},
           {"end", TextSchema("The day after the last one. Left out: up to now.")},
           {"bucket", ChoiceSchema(*v1::UsageBucket_descriptor(),
                                   "The length of each point. Left out: day.")},
           {"breakdown", ChoiceSchema(*v1::UsageBreakdown_descriptor(),
                                      "Adds the numbers of each priority, tag or series.")},
           {"compare", FlagSchema("Adds the totals of the period right before.")},
           {"time_zone", Common().time_zone}}),
      ResultSchema({{"open", {{"type", "integer"}}}, {"overdue", {{"type", "integer"}}}},
                   {"open", "overdue"}),
      ShowUsage);
}

}  // namespace

const std::vector<Tool>& Tools() {
  static const std::vector<Tool> tools = {
      FindTool(),   AddTool(),    ChangeTool(),  CompleteTool(), PostponeTool(),
      RemindTool(), DeleteTool(), RestoreTool(), PreviewTool(),  UsageTool()};
  return tools;
}

}  // namespace todo::api::mcp
