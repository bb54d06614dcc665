#include "domain/task/word_match.h"

#include <algorithm>

namespace todo::domain {
namespace {

/// The least likeness of a word with a typing error, and the least share of words that a title has.
constexpr double kLeastLikeness = 0.45;
constexpr double kLeastShare = 0.5;

bool Holds(const std::set<std::string>& all, const std::set<std::string>& some) {
  return std::ranges::includes(all, some);
}

/// Whether small words set the texts apart: "call him" is not "call her", but "call the dentist" is
/// "call dentist".
bool DifferInSmallWords(const WordForms& one, const WordForms& other) {
  return !Holds(one.small, other.small) && !Holds(other.small, one.small);
}

double Share(std::size_t part, std::size_t all) {
  return static_cast<double>(part) / static_cast<double>(all);
}

}  // namespace

std::optional<WordMatch> MatchWords(const WordForms& words, const TaskWords& task) {
  const std::set<std::string>& telling = words.telling;
  if (telling.empty()) return std::nullopt;
  if (telling == task.title.telling && !DifferInSmallWords(words, task.title))
    return WordMatch{.fit = Fit::kExact, .score = words.small == task.title.small ? 1.0 : 0.9};

  const auto in_title = static_cast<std::size_t>(std::ranges::count_if(
      telling, [&](const std::string& word) { return task.title.telling.contains(word); }));
  const auto in_others =
      static_cast<std::size_t>(std::ranges::count_if(telling, [&](const std::string& word) {
        return !task.title.telling.contains(word) && task.others.contains(word);
      }));
  if (in_title == telling.size()) {
    return WordMatch{.fit = Fit::kAllWords,
                     .score = 0.5 + 0.5 * Share(in_title, task.title.telling.size())};
  }
  const double share = Share(in_title, telling.size()) + 0.5 * Share(in_others, telling.size());
  if (in_title + in_others == telling.size())
    return WordMatch{.fit = Fit::kAllWords, .score = 0.5 * share};
  if (share < kLeastShare && task.likeness < kLeastLikeness) return std::nullopt;
  return WordMatch{.fit = Fit::kSimilar, .score = std::max(share, task.likeness)};
}

}  // namespace todo::domain
