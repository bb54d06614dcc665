#include "contract/task_finder_contract.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <chrono>
#include <utility>

#include "support/status_matchers.h"

namespace todo::contract {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TaskFinderContract);

using domain::ChangeKind;
using domain::Task;
using ports::Fit;
using ports::FoundTask;
using support::HasReason;
using support::IsOk;
using support::StatusIs;
using testing::ElementsAre;
using testing::IsEmpty;

Task TaskFinderContract::Apply(const ports::Mutation& mutation) {
  const auto result = environment_->tasks().Apply(mutation);
  EXPECT_THAT(result, IsOk());
  return result.ok() ? result->task : Task();
}

std::vector<FoundTask> TaskFinderContract::Find(const ports::FindQuery& query) {
  auto found = finder().Find(user_, query);
  EXPECT_THAT(found, IsOk()) << query.words;
  return found.ok() ? *std::move(found) : std::vector<FoundTask>();
}

namespace {

std::vector<std::string> TitlesOf(const std::vector<FoundTask>& found) {
  std::vector<std::string> titles;
  for (const FoundTask& each : found) titles.push_back(each.task.fields.title);
  return titles;
}

/// "exact Buy groceries"
std::vector<std::string> Show(const std::vector<FoundTask>& found) {
  std::vector<std::string> shown;
  for (const FoundTask& each : found) {
    const char* const fit = each.fit == Fit::kExact      ? "exact"
                            : each.fit == Fit::kAllWords ? "all"
                                                         : "similar";
    shown.push_back(fmt::format("{} {}", fit, each.task.fields.title));
    EXPECT_GT(each.score, 0);
    EXPECT_LE(each.score, 1);
  }
  return shown;
}

TEST_P(TaskFinderContract, WordsFindATitleInAnyFormOfTheirs) {
  const Task task = Add("Buy groceries");
  Add("Call the dentist");
  const std::vector<FoundTask> found = Find("buying GROCERIES");
  EXPECT_THAT(Show(found), ElementsAre("exact Buy groceries"));
  EXPECT_EQ(found.front().task, task);
}

TEST_P(TaskFinderContract, TheWholeTitleComesBeforeAPartOfIt) {
  Add("Buy groceries for the party");
  Add("Buy groceries");
  EXPECT_THAT(Show(Find("buy groceries")),
              ElementsAre("exact Buy groceries", "all Buy groceries for the party"));
}

TEST_P(TaskFinderContract, SmallWordsCountWhereTheyTellTitlesApart) {
  Add("Call her");
  Add("Do it");
  Add("Water plants");
  EXPECT_THAT(Show(Find("do it")), ElementsAre("exact Do it"));
  EXPECT_THAT(Show(Find("call him")), ElementsAre("all Call her"));
  EXPECT_THAT(Show(Find("water the plants")), ElementsAre("exact Water plants"));
}

TEST_P(TaskFinderContract, OpenTasksComeBeforeCompletedOnesAndSoonerBeforeLater) {
  Apply(ChangeOf(ChangeKind::kCompleted, Add("report one")));
  Add("report two");
  for (const auto& [title, due] : {std::pair("report later", "2026-03-05T09:00:00Z"),
                                   {"report soon", "2026-03-03T09:00:00Z"}}) {
    ports::Mutation create = Create(user_, title);
    create.fields.due = DueAt(due);
    Apply(create);
  }
  EXPECT_THAT(TitlesOf(Find("report")),
              ElementsAre("report soon", "report later", "report two", "report one"));
  ports::FindQuery query;
  query.words = "report";
  query.completed = true;
  EXPECT_THAT(TitlesOf(Find(query)), ElementsAre("report one"));
  query.completed = false;
  query.limit = 2;
  EXPECT_THAT(TitlesOf(Find(query)), ElementsAre("report soon", "report later"));
}

TEST_P(TaskFinderContract, ATypingErrorFindsTheTitleThatWasMeant) {
  Add("Buy groceries");
  Add("Call Anna");
  EXPECT_THAT(Show(Find("groseries")), ElementsAre("similar Buy groceries"));
}

TEST_P(TaskFinderContract, MissingWordsLeaveATitleSimilar) {
  Add("Buy groceries");
  Add("Walk the dog");
  EXPECT_THAT(Show(Find("groceries market")), ElementsAre("similar Buy groceries"));
  EXPECT_THAT(Find("piano lessons"), IsEmpty());
}

TEST_P(TaskFinderContract, DescriptionAndTagsCountLessThanTheTitle) {
  ports::Mutation described = Create(user_, "Errands");
  described.fields.description = "milk and bread";
  Apply(described);
  ports::Mutation tagged = Create(user_, "Shopping");
  tagged.fields.tags = {"milk"};
  Apply(tagged);
  EXPECT_THAT(Show(Find("bread")), ElementsAre("all Errands"));
  Add("Buy milk");
  EXPECT_EQ(TitlesOf(Find("milk")).front(), "Buy milk");
}

TEST_P(TaskFinderContract, ATagFindsATask) {
  ports::Mutation tagged = Create(user_, "Shopping");
  tagged.fields.tags = {"errand"};
  Apply(tagged);
  EXPECT_THAT(Show(Find("errand")), ElementsAre("all Shopping"));
}

TEST_P(TaskFinderContract, OnlyTasksOfTheUserThatAreThereAreFound) {
  Apply(Create({"bob"}, "report"));
  Apply(ChangeOf(ChangeKind::kDeleted, Add("report")));
  EXPECT_THAT(Find("report"), IsEmpty());
}

TEST_P(TaskFinderContract, AChangedTitleIsFound) {
  const Task task = Add("before");
  Apply(Rename(task, "after words"));
  EXPECT_THAT(Show(Find("words after")), ElementsAre("exact after words")) << "in any order";
}

TEST_P(TaskFinderContract, AnUnknownLanguageComparesWordsAsTheyAre) {
  Add("Buy groceries");
  ports::FindQuery query;
  for (const char* language : {"klingon", "", "simple", "'; drop table tasks"}) {
    query.language = language;
    query.words = "buy groceries";
    EXPECT_THAT(Show(Find(query)), ElementsAre("exact Buy groceries")) << language;
    query.words = "buy grocery";
    EXPECT_THAT(Show(Find(query)), ElementsAre("similar Buy groceries")) << language;
  }
}

TEST_P(TaskFinderContract, AnyBytesAreWords) {
  Add("Buy groceries");
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += fmt::format("word{} ", i);
  for (const std::string& words :
       {std::string(), std::string("   "), std::string("'"), std::string("\\"), std::string("%"),
        std::string("_"), std::string("groceries:*"), std::string("a & b | !c <-> d"),
        std::string("\"unbalanced"), std::string("nul\0inside", 10), std::string("\xff\xfe"),
        std::string("🛒"), std::string("$1; drop table tasks; --"), many}) {
    EXPECT_THAT(finder().Find(user_, {.words = words}), IsOk()) << words.substr(0, 50);
  }
}

TEST_P(TaskFinderContract, ASearchEndsWhenItsCallerHasGone) {
  ports::FindQuery query;
  query.words = "report";
  query.cancellation.requested = [] { return true; };
  EXPECT_THAT(finder().Find(user_, query), StatusIs(absl::StatusCode::kCancelled));
  query.cancellation = {.requested = {}, .deadline = std::chrono::steady_clock::now()};
  EXPECT_THAT(finder().Find(user_, query), HasReason("DEADLINE_PASSED"));
}

}  // namespace
}  // namespace todo::contract
