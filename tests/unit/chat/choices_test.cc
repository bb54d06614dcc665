#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "chat/grammar/intents.h"

// Answers to questions.

namespace todo::chat {
namespace {

std::string ReadOf(std::string_view text, const std::vector<OfferWords>& choices) {
  const Choice choice = ParseChoice(text, choices);
  switch (choice.kind) {
    case Choice::Kind::kYes: return "yes";
    case Choice::Kind::kNo: return "no";
    case Choice::Kind::kOne: return std::to_string(choice.index + 1);
    case Choice::Kind::kUnclear: break;
  }
  return "?";
}

std::string Read(std::string_view text, const std::vector<std::string>& titles = {}) {
  std::vector<OfferWords> choices;
  for (const std::string& title : titles) choices.push_back({.title = title});
  return ReadOf(text, choices);
}

TEST(ChoiceTest, AYesIsAYes) {
  for (const char* text : {"yes", "Yes", "YES!", "y", "yes please", "Yes, please.", "yep", "yeah",
                           "sure", "ok", "Okay.", "do it", "go ahead", "yes, delete it",
                           "please do", "yes do it", "right", "sure, go ahead"}) {
    EXPECT_EQ(Read(text), "yes") << text;
  }
}

TEST(ChoiceTest, ANoIsANo) {
  for (const char* text : {"no", "No.", "n", "nope", "no thanks", "no, thank you", "never mind",
                           "nevermind", "cancel", "stop", "forget it", "leave it", "don't",
                           "don\u2019t do it", "no, keep it", "not that", "nothing"}) {
    EXPECT_EQ(Read(text), "no") << text;
  }
  for (const char* text :
       {"none", "none of them", "neither", "none of these", "no", "not any of them"})
    EXPECT_EQ(Read(text, {"a", "b"}), "no") << text;
}

TEST(ChoiceTest, ANumberNamesItsChoice) {
  const std::vector<std::string> titles = {"Write report", "Send report", "Call Ann"};
  for (const char* text : {"2", "#2", "2.", "2)", "number 2", "option 2", "the second", "second",
                           "the second one", "2nd", "the 2nd one", "two", "the second one, please",
                           "I mean the second one", "take the second", "no. 2"}) {
    EXPECT_EQ(Read(text, titles), "2") << text;
  }
  EXPECT_EQ(Read("the last one", titles), "3");
  EXPECT_EQ(Read("first", titles), "1");
  for (const char* text : {"0", "4", "99999999999999999999", "-1", "the seventh"})
    EXPECT_EQ(Read(text, titles), "?") << text;
}

TEST(ChoiceTest, WordsNameTheOnlyTitleThatHasThem) {
  const std::vector<std::string> titles = {"Write report", "Send report", "Call Ann"};
  EXPECT_EQ(Read("send", titles), "2");
  EXPECT_EQ(Read("the one with Ann", titles), "3");
  EXPECT_EQ(Read("send report", titles), "2");
  EXPECT_EQ(Read("report", titles), "?") << "two have it";
  EXPECT_EQ(Read("report to Ann", titles), "?");
  EXPECT_EQ(Read("milk", {"Milk", "Milk for cake"}), "1") << "the whole title";
}

TEST(ChoiceTest, OtherWordsAreNoAnswer) {
  for (const char* text :
       {"", "?", "delete the report", "maybe", "both", "1 and 2", "yes and no"}) {
    EXPECT_EQ(Read(text), "?") << text;
    EXPECT_EQ(Read(text, {"a", "b"}), "?") << text;
  }
  EXPECT_EQ(Read("yes", {"a", "b"}), "?") << "which one?";
  EXPECT_EQ(Read("yes", {"a"}), "1") << "the only one";
  EXPECT_EQ(Read("2"), "?") << "a number is no yes";
}

TEST(ChoiceTest, ATitleThatSeveralHaveNamesNone) {
  const std::vector<std::string> twins = {"Buy cheese", "buy cheese", "buy cheese and bread"};
  EXPECT_EQ(Read("buy cheese", twins), "?");
  EXPECT_EQ(Read("buy cheese and bread", twins), "3");
}

TEST(ChoiceTest, ADateNamesTheOnlyOneThatHasIt) {
  const std::vector<OfferWords> twins = {
      {.title = "buy cheese", .due = "Monday, 30 November 2026"},
      {.title = "buy cheese", .due = "Thursday, 3 December 2026, 09:00"}};
  EXPECT_EQ(ReadOf("the monday one", twins), "1");
  EXPECT_EQ(ReadOf("the one due on thursday", twins), "2");
  EXPECT_EQ(ReadOf("thursday", twins), "2");
  EXPECT_EQ(ReadOf("3 december", twins), "2");
  EXPECT_EQ(ReadOf("2026", twins), "?");
  EXPECT_EQ(ReadOf("friday", twins), "?");
}

}  // namespace
}  // namespace todo::chat
