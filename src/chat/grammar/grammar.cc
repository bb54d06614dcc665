#include "chat/grammar/grammar.h"

namespace todo::chat {

TaskPhrase ParseTaskPhrase(std::string_view text, const GrammarContext&, const std::vector<Span>&) {
  TaskPhrase phrase;
  phrase.title = std::string(text);
  return phrase;
}
std::optional<WhenPhrase> ParseWhen(std::string_view, const GrammarContext&) { return {}; }
std::optional<DayRange> ParseDayRange(std::string_view, const GrammarContext&) { return {}; }
std::string ToDueLocal(const Moment&) { return {}; }
std::string Describe(const Moment&) { return {}; }

}  // namespace todo::chat
