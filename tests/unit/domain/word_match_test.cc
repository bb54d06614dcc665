#include "domain/task/word_match.h"

#include <gtest/gtest.h>

namespace todo::domain {
namespace {

using Words = std::set<std::string>;

std::optional<WordMatch> Match(const Words& words, const Words& title, const Words& others = {},
                               double likeness = 0) {
  return MatchWords(
      {.telling = words, .small = {}},
      {.title = {.telling = title, .small = {}}, .others = others, .likeness = likeness});
}
std::optional<WordMatch> MatchSmall(const WordForms& words, const WordForms& title) {
  return MatchWords(words, {.title = title, .others = {}});
}

TEST(WordMatchTest, EqualWordsAreExact) {
  EXPECT_EQ(Match({"buy", "milk"}, {"milk", "buy"}), (WordMatch{.fit = Fit::kExact, .score = 1}));
}

TEST(WordMatchTest, SmallWordsOnOneSideOnlyDoNotMatter) {
  const WordForms plain{.telling = {"call", "dentist"}, .small = {}};
  const WordForms with_the{.telling = {"call", "dentist"}, .small = {"the"}};
  EXPECT_EQ(MatchSmall(with_the, plain)->fit, Fit::kExact);
  EXPECT_EQ(MatchSmall(plain, with_the)->fit, Fit::kExact);
  EXPECT_LT(MatchSmall(plain, with_the)->score, MatchSmall(plain, plain)->score);
}

TEST(WordMatchTest, OtherSmallWordsAreOtherTitles) {
  EXPECT_EQ(
      MatchSmall({.telling = {"call"}, .small = {"him"}}, {.telling = {"call"}, .small = {"her"}})
          ->fit,
      Fit::kAllWords);
}

TEST(WordMatchTest, MoreOfTheTitleIsBetter) {
  const auto whole = Match({"milk"}, {"buy", "milk"});
  const auto part = Match({"milk"}, {"buy", "milk", "and", "bread"});
  EXPECT_EQ(whole->fit, Fit::kAllWords);
  EXPECT_EQ(part->fit, Fit::kAllWords);
  EXPECT_GT(whole->score, part->score);
  EXPECT_GE(part->score, 0.5);
}

TEST(WordMatchTest, WordsOfDescriptionAndTagsCountLess) {
  const auto described = Match({"milk", "buy"}, {"buy"}, {"milk"});
  EXPECT_EQ(described->fit, Fit::kAllWords);
  EXPECT_LT(described->score, 0.5);
  EXPECT_GT(described->score, Match({"milk", "buy"}, {"errand"}, {"milk", "buy"})->score);
}

TEST(WordMatchTest, MissingWordsOrATypingErrorAreSimilar) {
  EXPECT_EQ(Match({"buy", "milk", "bread"}, {"buy", "milk"})->fit, Fit::kSimilar);
  EXPECT_EQ(Match({"buy", "milk", "bread"}, {"milk"}), std::nullopt) << "too many are missing";
  EXPECT_EQ(Match({"milc"}, {"milk"}, {}, 0.6), (WordMatch{.fit = Fit::kSimilar, .score = 0.6}));
  EXPECT_EQ(Match({"milc"}, {"meat"}, {}, 0.3), std::nullopt);
}

TEST(WordMatchTest, NoWordsFitNothing) { EXPECT_EQ(Match({}, {}), std::nullopt); }

}  // namespace
}  // namespace todo::domain
