#include "api/mcp/arguments.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "api/mcp/advice.h"
#include "api/mcp/plain_json.h"
#include "api/mcp/tool.h"
#include "api/mcp/tool_runs.h"
#include "api/mcp/tool_schemas.h"
#include "support/status_matchers.h"
#include "todo/v1/analytics_service.pb.h"
#include "todo/v1/todo_service.pb.h"
#include "util/status.h"

namespace todo::api::mcp {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

const Json& SchemaOf(const std::string& tool_name) {
  for (const Tool& tool : Tools())
    if (tool.name == tool_name) return tool.listing.at("inputSchema");
  ADD_FAILURE() << tool_name;
  return Tools().front().listing;
}

std::string Wrong(Json given, const std::string& tool) {
  const Arguments arguments(std::move(given), SchemaOf(tool));
  std::string text;
  for (const auto& violation : util::FieldViolationsOf(arguments.Check()))
    text += violation.field + " " + violation.description + "\n";
  return text;
}

TEST(ArgumentsTest, FieldsGetTheValuesOfArgumentsWithTheirNames) {
  const Arguments arguments({{"id", 7},
                             {"title", "Buy milk"},
                             {"priority", "high"},
                             {"tags", {"home", "shop"}},
                             {"description", ""},
                             {"due_local", nullptr}},
                            SchemaOf("change_task"));
  EXPECT_THAT(arguments.Check(), support::IsOk());
  v1::Task task;
  arguments.Put({"id", "title", "priority", "tags", "description", "due_local", "etag"}, task);
  EXPECT_EQ(task.id(), 7);
  EXPECT_EQ(task.title(), "Buy milk");
  EXPECT_EQ(task.priority(), v1::PRIORITY_HIGH);
  EXPECT_EQ(task.tags_size(), 2);
  EXPECT_TRUE(arguments.Has("description"));
  EXPECT_FALSE(task.has_description());
  EXPECT_FALSE(arguments.Has("due_local"));
  EXPECT_EQ(arguments.Text("etag"), "");
  EXPECT_EQ(arguments.Number("id"), 7);
}

TEST(ArgumentsTest, EverythingThatIsWrongIsToldAtOnce) {
  const std::string wrong =
      Wrong({{"title", 5}, {"priority", "urgent"}, {"tags", "home"}, {"due", "2026-11-27"}},
            "change_task");
  EXPECT_THAT(wrong, HasSubstr("id must be given\n"));
  EXPECT_THAT(wrong, HasSubstr("title must be a text\n"));
  EXPECT_THAT(wrong, HasSubstr("priority must be one of: low, medium, high\n"));
  EXPECT_THAT(wrong, HasSubstr("tags must be a list of texts\n"));
  EXPECT_THAT(wrong, HasSubstr("due is no argument of this tool, which takes id, etag, title"));
  EXPECT_THAT(Wrong({{"tags", {"a", 1}}, {"id", 1}}, "change_task"), StartsWith("tags"));
  EXPECT_THAT(Wrong({{"id", "1"}}, "complete_task"), StartsWith("id must be a whole number"));
  EXPECT_THAT(Wrong({{"id", 1.5}}, "complete_task"), StartsWith("id must be a whole number"));
  EXPECT_THAT(Wrong({{"id", std::numeric_limits<std::uint64_t>::max()}}, "complete_task"),
              StartsWith("id must be a whole number"));
  EXPECT_THAT(Wrong({{"id", 1}, {"completed", "yes"}}, "complete_task"),
              StartsWith("completed must be true or false"));
  // A required argument of a wrong type is not also missing.
  EXPECT_THAT(Wrong({{"id", "1"}}, "complete_task"), Not(HasSubstr("must be given")));
}

TEST(ArgumentsTest, LimitsOfASchemaAreToldWithTheirNumbers) {
  for (const std::int64_t number : {std::int64_t{0}, std::int64_t{51}, -5'000'000'000}) {
    EXPECT_EQ(Wrong({{"page_size", number}}, "find_tasks"),
              "page_size must be a number from 1 to 50\n");
  }
  EXPECT_EQ(Wrong({{"page_size", 50}}, "find_tasks"), "");
  EXPECT_EQ(Wrong({{"id", 0}}, "complete_task"), "id must be at least 1\n");
  for (const char* name : {"words", "tag", "due_from", "due_before", "page_token"})
    EXPECT_THAT(Wrong({{name, std::string(2'001, 'a')}}, "find_tasks"),
                HasSubstr("must have at most"))
        << name;
  std::string umlauts;
  for (int i = 0; i < 50; ++i) umlauts += "ä";
  EXPECT_EQ(Wrong({{"tag", umlauts}}, "find_tasks"), "");
  EXPECT_EQ(Wrong({{"tag", umlauts + "x"}}, "find_tasks"),
            "tag must have at most 50 characters, none of them NUL\n");
}

TEST(ArgumentsTest, TheContentIsEqualForEqualArguments) {
  const Json& schema = SchemaOf("add_task");
  const Arguments first({{"text", "milk tomorrow"}, {"request_id", "a"}}, schema);
  const Arguments second({{"request_id", "b"}, {"text", "milk tomorrow"}, {"tags", nullptr}},
                         schema);
  EXPECT_EQ(first.Content(), second.Content());
  EXPECT_NE(first.Content(), Arguments({{"text", "eggs tomorrow"}}, schema).Content());
}

TEST(ArgumentsTest, AFloodOfUnknownNamesGetsAShortAnswer) {
  Json flood = Json::object();
  for (int i = 0; i < 1'000; ++i) flood[fmt::format("x{}{:y>500}", i, "")] = i;
  EXPECT_LT(Wrong(std::move(flood), "find_tasks").size(), 2'000u);
}

TEST(ArgumentsTest, ANumberThatDoesNotFitKeepsItsSide) {
  const Json schema = {{"properties", {{"page_size", {{"type", "integer"}}}}}};
  const Arguments arguments({{"page_size", -5'000'000'000}}, schema);
  v1::ListTasksRequest request;
  arguments.Put({"page_size"}, request);
  EXPECT_EQ(request.page_size(), std::numeric_limits<std::int32_t>::min());
}

// ---- plain JSON

TEST(PlainJsonTest, MessagesAreShortAndReadable) {
  v1::Task task;
  task.set_id(9'007'199'254'740'993);
  task.set_title("Pay");
  task.set_priority(v1::PRIORITY_HIGH);
  task.set_due_kind(v1::DUE_KIND_LOCAL);
  task.mutable_due_date()->set_seconds(1'800'000'000);
  task.add_tags("home");
  const Json json = PlainJson(task);
  EXPECT_EQ(json["id"], 9'007'199'254'740'993);
  EXPECT_EQ(json["priority"], "high");
  EXPECT_EQ(json["due_kind"], "local");
  EXPECT_EQ(json["due_date"], "2027-01-15T08:00:00Z");
  EXPECT_EQ(json["completed"], false);
  EXPECT_EQ(json["tags"], Json::array({"home"}));
  for (const char* name : {"description", "recurrence_rule", "etag", "completed_at"})
    EXPECT_FALSE(json.contains(name)) << name;
  EXPECT_FALSE(TaskJson(task).contains("user_id"));
  EXPECT_FALSE(TaskJson(task).contains("recurrence_basis"));
}

TEST(PlainJsonTest, NestedMessagesAndZeros) {
  v1::Usage usage;
  usage.add_points()->mutable_counts()->set_created(3);
  usage.mutable_totals()->set_completion_rate(0.5);
  const Json json = PlainJson(usage);
  EXPECT_EQ(json["points"][0]["counts"]["created"], 3);
  EXPECT_EQ(json["points"][0]["counts"]["completed"], 0);
  EXPECT_EQ(json["totals"]["completion_rate"], 0.5);
  EXPECT_EQ(json["open"], 0);
}

TEST(PlainJsonTest, ValuesOfEnumsAreFoundByTheirPlainNames) {
  EXPECT_EQ(FindByPlainName(*v1::SeriesScope_descriptor(), "this")->number(),
            v1::SERIES_SCOPE_THIS);
  EXPECT_EQ(FindByPlainName(*v1::SeriesScope_descriptor(), "unspecified"), nullptr);
  EXPECT_EQ(FindByPlainName(*v1::Priority_descriptor(), "HIGH"), nullptr);
}

// ---- advice

TEST(AdviceTest, WrongFieldsAreNamedAsArguments) {
  const std::string advice = AdviceFor(
      util::InvalidFields({{"task.due_local", "must be a day"}, {"filter.text", "is too long"}}),
      "");
  EXPECT_THAT(advice, HasSubstr("due_local: must be a day\nwords: is too long\n"));
  EXPECT_THAT(advice, HasSubstr("call again"));
}

TEST(AdviceTest, EveryFailureSaysWhatToDoDifferently) {
  const auto stale = util::WithReason(absl::AbortedError("task 7 has changed since"), "STALE_ETAG");
  EXPECT_THAT(AdviceFor(stale, "r"), HasSubstr("find_tasks"));
  const auto unknown = util::WithReason(absl::UnknownError("who knows"), "OUTCOME_UNKNOWN");
  EXPECT_THAT(AdviceFor(unknown, "0193"), HasSubstr("the request_id 0193"));
  EXPECT_THAT(AdviceFor(absl::UnavailableError("pg at 10.0.0.1"), ""), Not(HasSubstr("10.0.0.1")));
  EXPECT_THAT(AdviceFor(absl::UnavailableError(""), ""), HasSubstr("Wait a few seconds"));
  EXPECT_THAT(AdviceFor(absl::InternalError("secret"), ""), Not(HasSubstr("secret")));
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "");
    EXPECT_THAT(AdviceFor(status, "r"), Not(IsEmpty())) << code;
  }
}

// ---- the list of tools

TEST(ToolsTest, EachSaysWhatItDoesAndWhatItTakes) {
  for (const Tool& tool : Tools()) {
    const Json& input = tool.listing.at("inputSchema");
    EXPECT_EQ(input.at("type"), "object") << tool.name;
    EXPECT_EQ(input.at("additionalProperties"), false);
    for (const auto& [name, property] : input.at("properties").items())
      EXPECT_THAT(property.at("description").get<std::string>(), Not(IsEmpty())) << name;
    for (const auto& name : input.value("required", Json::array()))
      EXPECT_TRUE(input["properties"].contains(name.get<std::string>())) << name;
    const Json& annotations = tool.listing.at("annotations");
    EXPECT_EQ(annotations.at("readOnlyHint"), !tool.changes) << tool.name;
    EXPECT_EQ(annotations.at("destructiveHint"), tool.name == "delete_task");
    EXPECT_EQ(input["properties"].contains("request_id"), tool.changes) << tool.name;
    EXPECT_EQ(tool.listing.at("outputSchema").at("type"), "object");
  }
}

}  // namespace
}  // namespace todo::api::mcp
