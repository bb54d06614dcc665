#include "api/mcp/tool_schemas.h"

#include <utility>

#include "api/mcp/plain_json.h"
#include "todo/v1/todo_service.pb.h"

namespace todo::api::mcp {
namespace {

Json Schema(const char* type, std::string description) {
  return {{"type", type}, {"description", std::move(description)}};
}

}  // namespace

Json TextSchema(std::string description) { return Schema("string", std::move(description)); }

Json TextSchema(std::string description, int max_characters) {
  Json schema = TextSchema(std::move(description));
  schema["maxLength"] = max_characters;
  return schema;
}

Json FlagSchema(std::string description) { return Schema("boolean", std::move(description)); }

Json NumberSchema(std::string description, int min, int max) {
  Json schema = Schema("integer", std::move(description));
  schema["minimum"] = min;
  schema["maximum"] = max;
  return schema;
}

Json TextsSchema(std::string description) {
  Json schema = Schema("array", std::move(description));
  schema["items"] = {{"type", "string"}};
  return schema;
}

Json ChoiceSchema(const google::protobuf::EnumDescriptor& type, std::string description) {
  Json schema = Schema("string", std::move(description));
  for (int i = 1; i < type.value_count(); ++i)  // the first value is the unspecified one
    schema["enum"].push_back(PlainName(*type.value(i)));
  return schema;
}

Json ArgumentsSchema(Json properties, const std::vector<std::string>& required) {
  Json schema = {{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = required;
  schema["additionalProperties"] = false;
  return schema;
}

Json ResultSchema(Json properties, const std::vector<std::string>& required) {
  return {{"type", "object"}, {"properties", std::move(properties)}, {"required", required}};
}

const CommonSchemas& Common() {
  static const CommonSchemas schemas{
      .id = {{"type", "integer"},
             {"description", "The task's id, as find_tasks showed it."},
             {"minimum", 1}},
      .etag = TextSchema(
          "The task's etag, as it was shown. The call is refused if the task has changed since."),
      .request_id = TextSchema(
          "A UUID that you choose for this change. Repeat a call whose outcome you do not know "
          "with "
          "the same one: the change is then made once. Use a new one for each other change."),
      .title = TextSchema("1 to 500 characters."),
      .description = TextSchema("Up to 10,000 characters. An empty text removes it."),
      .priority = ChoiceSchema(*v1::Priority_descriptor(), "The priority of a new task is medium."),
      .tags = TextsSchema(
          "Up to 20 tags, each 1 to 50 characters, without '#'. They replace the present ones."),
      .due_local = TextSchema(
          "When the task is due: a day like 2026-11-27, or a wall-clock time like "
          "2026-11-27T09:00, in time_zone and without an offset. An empty text removes it."),
      .time_zone =
          TextSchema("IANA name of the zone, like Europe/Berlin. Left out: the user's own zone."),
      .recurrence_rule = TextSchema(
          "How the task recurs: an RRULE of RFC 5545 like FREQ=WEEKLY;BYDAY=MO, or daily, weekly, "
          "monthly, yearly or weekdays. Needs a due date. An empty text removes it. preview_rule "
          "shows the dates that a rule makes."),
      .recurrence_basis = ChoiceSchema(
          *v1::RecurrenceBasis_descriptor(),
          "What the next occurrence is counted from: the calendar, or the day of completion."),
      .scope = ChoiceSchema(
          *v1::SeriesScope_descriptor(),
          "The occurrences of a recurring task that the call applies to: this one, this one and "
          "those that follow, or all open ones.")};
  return schemas;
}

Json TaskSchema() {
  return ResultSchema({{"id", {{"type", "integer"}}},
                       {"title", {{"type", "string"}}},
                       {"completed", {{"type", "boolean"}}},
                       {"priority", {{"type", "string"}}},
                       {"etag", TextSchema("Changes with every change of the task.")},
                       {"fit", TextSchema("Of a search by words: exact, all_words or similar.")},
                       {"due_local", TextSchema("A day or a wall-clock time, in time_zone.")},
                       {"due_date", TextSchema("The point in time that due_local stands for.")}},
                      {"id", "title", "completed", "etag"});
}

}  // namespace todo::api::mcp
