#include "support/fake_task_finder.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "util/status.h"
#include "util/unicode.h"
#include "util/utf8.h"

namespace todo::support {
namespace {

using domain::WordForms;

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) > 127;
}

std::vector<std::string> WordsIn(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : util::FoldForSearch(text)) {
    if (IsLetter(c)) {
      words.back() += c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

bool IsSmall(const std::string& word) {
  static const std::set<std::string> kSmall = {
      "a",  "about", "an", "and", "at", "by", "do",  "for", "from", "her", "him", "i",
      "in", "is",    "it", "me",  "my", "of", "off", "on",  "that", "the", "to",  "with"};
  return kSmall.contains(word);
}

/// A form that words with other endings share.
std::string StemOf(const std::string& word) {
  for (const std::string_view ending : {"ies", "ing", "ed", "es", "s", "y", "e"}) {
    if (word.size() > ending.size() + 2 && word.ends_with(ending))
      return word.substr(0, word.size() - ending.size());
  }
  return word;
}

WordForms FormsOf(std::string_view text, bool english) {
  WordForms forms;
  for (const std::string& word : WordsIn(text)) {
    if (english && IsSmall(word)) {
      forms.small.insert(word);
    } else {
      forms.telling.insert(english ? StemOf(word) : word);
    }
  }
  return forms;
}

std::set<std::string> TrigramsOf(const std::string& word) {
  const std::string padded = "  " + word + " ";
  std::set<std::string> trigrams;
  for (std::size_t i = 0; i + 3 <= padded.size(); ++i) trigrams.insert(padded.substr(i, 3));
  return trigrams;
}

/// Of the most alike word of the title.
double LikenessOf(std::string_view words, std::string_view title) {
  double best = 0;
  for (const std::string& word : WordsIn(words)) {
    const std::set<std::string> wanted = TrigramsOf(word);
    for (const std::string& other : WordsIn(title)) {
      const std::set<std::string> trigrams = TrigramsOf(other);
      const auto common = std::ranges::count_if(
          wanted, [&](const std::string& trigram) { return trigrams.contains(trigram); });
      best = std::max(best, static_cast<double>(common) / static_cast<double>(wanted.size()));
    }
  }
  return best;
}

}  // namespace

absl::StatusOr<std::vector<ports::FoundTask>> FakeTaskFinder::Find(const domain::UserId& user,
                                                                   const ports::FindQuery& query) {
  TODO_RETURN_IF_ERROR(database_.failure());
  if (query.cancellation.requested && query.cancellation.requested())
    return absl::CancelledError("fake finder: cancelled");
  if (query.cancellation.deadline <= std::chrono::steady_clock::now())
    return util::WithReason(absl::DeadlineExceededError("fake finder: late"), "DEADLINE_PASSED");
  std::string text = query.words;
  std::ranges::replace(text, '\0', ' ');
  if (!util::CountCharacters(text)) return std::vector<ports::FoundTask>();
  bool english = query.language == "english";
  WordForms words = FormsOf(text, english);
  if (words.telling.empty()) words = FormsOf(text, english = false);

  std::vector<ports::FoundTask> found;
  for (const auto& [key, row] : database_.Read()->tasks) {
    const domain::Task& task = row.task;
    if (key.first != user || task.deleted ||
        task.completed != query.completed.value_or(task.completed))
      continue;
    std::string others = task.fields.description.value_or("");
    for (const std::string& tag : task.fields.tags) others += " " + tag;
    const auto match = domain::MatchWords(words, {.title = FormsOf(task.fields.title, english),
                                                  .others = FormsOf(others, english).telling,
                                                  .likeness = LikenessOf(text, task.fields.title)});
    if (match) found.push_back({.task = task, .fit = match->fit, .score = match->score});
  }
  std::ranges::sort(found, ports::ComesBefore);
  if (!found.empty() && found.front().fit != ports::Fit::kSimilar) {
    std::erase_if(found,
                  [](const ports::FoundTask& each) { return each.fit == ports::Fit::kSimilar; });
  }
  const auto limit = static_cast<std::size_t>(query.limit);
  if (found.size() > limit) found.erase(found.begin() + query.limit, found.end());
  return found;
}

}  // namespace todo::support
