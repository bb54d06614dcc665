#include "chat/model_intents.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "talk.h"

// A language model that reads what the grammar does not know: its choice is checked.

namespace todo::chat {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// Chooses what the test says.
class FakeModel : public ports::LanguageModel {
 public:
  const std::string& name() const override { return name_; }
  absl::StatusOr<std::vector<ports::ModelCall>> Choose(
      const std::string& /*instructions*/, const std::string& text,
      const std::vector<ports::ModelTool>& tools) override {
    asked.push_back(text);
    if (echoes) {  // every tool, with nonsense
      std::vector<ports::ModelCall> all;
      for (const ports::ModelTool& tool : tools)
        all.push_back({.name = tool.name, .arguments = R"({"task":"42","when":"42"})"});
      return all;
    }
    return calls;
  }

  absl::StatusOr<std::vector<ports::ModelCall>> calls = std::vector<ports::ModelCall>();
  bool echoes = false;
  std::vector<std::string> asked;

 private:
  const std::string name_ = "tiny-model";
};

class ModelTest : public FakeModel, public Talk {
 protected:
  using FakeModel::Choose;
  ModelTest() : Talk(this) {}
  void Choose(const char* tool, const char* arguments) {
    calls = std::vector<ports::ModelCall>(1);
    calls->front().name = tool;
    calls->front().arguments = arguments;
  }
};

TEST_F(ModelTest, IsAskedOnlyForWhatTheGrammarDoesNotKnow) {
  Say("add milk");
  EXPECT_THAT(asked, IsEmpty());
  Say("gimme the works");
  EXPECT_THAT(asked, ElementsAre("gimme the works"));
}

TEST_F(ModelTest, AGoodChoiceIsCarriedOutAndNamesTheModel) {
  const domain::Task task = Add("Buy groceries");
  Choose("complete_task", R"({"task":"groceries"})");
  const Reply reply = Say("groceries? sorted!");
  EXPECT_EQ(reply.text, "Done: “Buy groceries”.");
  EXPECT_EQ(reply.understood_by, "tiny-model");
  EXPECT_TRUE(reply.undoable && Get(task.id).completed);
}

TEST_F(ModelTest, DatesAreResolvedByTheGrammar) {
  Choose("add_task_due", R"({"task":"ring mum","when":"friday"})");
  EXPECT_EQ(Say("ring mum b4 the weekend").text,
            "Added: “ring mum”, due Friday, 27 November 2026.");
}

TEST_F(ModelTest, DeletingAsksAsForAPerson) {
  const domain::Task task = Add("Old notes");
  Choose("delete_task", R"({"task":"old notes"})");
  const Reply asked_first = Say("bin old notes");
  EXPECT_THAT(asked_first.text, StartsWith("Delete “Old notes”?"));
  EXPECT_FALSE(IsDeleted(task.id));
  calls = absl::UnavailableError("away");
  EXPECT_EQ(Say("yes").understood_by, "tiny-model") << "the choice was remembered";
  EXPECT_TRUE(IsDeleted(task.id));
}

TEST_F(ModelTest, NonsenseIsRefused) {
  Add("Milk");
  echoes = true;
  EXPECT_THAT(Say("gimme the works").text, HasSubstr("I did not understand"));
  EXPECT_THAT(Titles(), ElementsAre("Milk"));
}

TEST_F(ModelTest, AModelThatIsAwayIsNoFailure) {
  calls = absl::UnavailableError("away");
  EXPECT_THAT(Say("gimme the works").text, HasSubstr("I did not understand"));
}

class ChoiceOfModelTest : public testing::Test {
 protected:
  static absl::Status Check(std::string name, std::string arguments) {
    const GrammarContext context{
        .now = service::At("2026-11-26T10:00:00Z"), .zone = {}, .wording = {}};
    std::vector<ports::ModelCall> calls(1);
    calls.front().name = std::move(name);
    calls.front().arguments = std::move(arguments);
    return IntentsOf(calls, "please sort the Big Report on friday", context).status();
  }
};

TEST_F(ChoiceOfModelTest, IsFollowedWhenItIsAsTheSchemaSays) {
  EXPECT_TRUE(Check("complete_task", R"({"task":"big report"})").ok());
  EXPECT_TRUE(Check("rename_task", R"({"task":"big report","title":"Report"})").ok());
  EXPECT_TRUE(Check("postpone_task", R"({"task":"report","when":"friday"})").ok());
  EXPECT_TRUE(Check("remind_of_task", R"({"task":"report","when":"friday"})").ok());
  EXPECT_TRUE(Check("list_due_tasks", R"({"when":"friday"})").ok());
  EXPECT_TRUE(Check("search_tasks", R"({"words":"report"})").ok());
  EXPECT_TRUE(Check("list_open_tasks", "{}").ok());
  EXPECT_TRUE(Check("usage", "").ok());
}

TEST_F(ChoiceOfModelTest, IsRefusedOtherwise) {
  const std::pair<const char*, const char*> refused[] = {
      {"drop_table", "{}"},
      {"", "{}"},
      {"complete_task", ""},
      {"complete_task", "{}"},
      {"complete_task", "[]"},
      {"complete_task", "null"},
      {"complete_task", "not json"},
      {"complete_task", R"({"task":7})"},
      {"complete_task", R"({"task":""})"},
      {"complete_task", R"({"task":"milk"})"},
      {"complete_task", R"({"task":"report","when":"friday"})"},
      {"complete_task", R"({"id":7})"},
      {"rename_task", R"({"task":"report","title":"Holiday"})"},
      {"postpone_task", R"({"task":"report","when":"someday"})"},
      {"add_task_due", R"({"task":"report","when":"in 1 parsec"})"},
      {"remind_of_task", R"({"task":"report","when":"by two days"})"},
      {"list_due_tasks", R"({"when":"the moon"})"},
      {"usage", R"({"extra":1})"}};
  for (const auto& [name, arguments] : refused) {
    EXPECT_TRUE(absl::IsInvalidArgument(Check(name, arguments))) << name << arguments;
  }
  EXPECT_FALSE(
      Check("complete_task", fmt::format(R"({{"task":"{}"}})", std::string(5'000, 'x'))).ok());
}

TEST_F(ChoiceOfModelTest, ToolsHaveStrictSchemas) {
  for (const ports::ModelTool& tool : ModelTools()) {
    const auto schema = nlohmann::json::parse(tool.parameters_schema);
    EXPECT_EQ(schema.at("type"), "object") << tool.name;
    EXPECT_EQ(schema.at("additionalProperties"), false) << tool.name;
    EXPECT_EQ(schema.at("required").size(), schema.at("properties").size()) << tool.name;
  }
}

}  // namespace
}  // namespace todo::chat
