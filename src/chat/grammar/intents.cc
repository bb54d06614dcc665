#include "chat/grammar/intents.h"

namespace todo::chat {

Sentence ParseSentence(std::string_view, const GrammarContext&) { return {}; }
Choice ParseChoice(std::string_view, const std::vector<std::string>&) { return {}; }

}  // namespace todo::chat
