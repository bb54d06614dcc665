#include "chat/grammar/verbs.h"

#include <algorithm>
#include <map>
#include <utility>

namespace todo::chat {
namespace {

struct OpeningForm {
  const char* pattern;
  Verb verb;
  bool weak = false;
};

constexpr OpeningForm kOpenings[] = {
    {"add|create|make a|an|another? new? task|todo|to-do|item|entry called|named|to?", Verb::kAdd},
    {"add|create", Verb::kAdd},
    {"new task|todo|to-do|item", Verb::kAdd},
    {"todo|to-do|task|note", Verb::kAdd},
    {"schedule|plan", Verb::kAdd, true},
    {"i|we still|also|really|just? need|have|want|ought to", Verb::kAdd},
    {"i've|we've|ive|weve got to", Verb::kAdd},
    {"i'd|we'd like to", Verb::kAdd},
    {"i|we would like to", Verb::kAdd},
    {"i|we still|also|really? must|should|gotta", Verb::kAdd},
    {"i|we had better", Verb::kAdd},
    {"need to", Verb::kAdd},
    {"gotta", Verb::kAdd},
    {"remember to", Verb::kAdd},
    {"remember", Verb::kAdd, true},
    {"don't|never|dont forget to|about?", Verb::kAdd},
    {"do not forget to|about?", Verb::kAdd},
    {"don't|dont let me forget to?", Verb::kAdd},
    {"put", Verb::kPutOn, true},
    {"remind me", Verb::kRemind},
    {"set|add|create|make a|an|another? new? reminder|alarm", Verb::kRemind},
    {"add|create|make a|an|another? new? reminder", Verb::kAdd},

    {"complete|completed", Verb::kComplete},
    {"finish|finished", Verb::kComplete, true},
    {"done with?", Verb::kComplete},
    {"i|we just|already|finally|now|have? just|already|finally|now? finished|completed|did|done "
     "with?",
     Verb::kComplete},
    {"i've|we've|ive|weve just|already|finally|now? finished|completed|done with?",
     Verb::kComplete},
    {"i|we am|are finally|now? done|finished|through with", Verb::kComplete},
    {"i'm|we're|im finally|now? done|finished|through with", Verb::kComplete},
    {"i|we managed to", Verb::kComplete},
    {"\u2713|\u2714|\u2705|[x]", Verb::kComplete},
    {"mark|set", Verb::kMark},
    {"tick|check|cross|strike off", Verb::kComplete},
    {"tick|check|cross|strike", Verb::kTick, true},
    {"close", Verb::kComplete, true},
    {"i|we|i've|we've|ive|weve have? just|already|finally|now?", Verb::kDid},
    {"just|already|finally", Verb::kDid, true},

    {"reopen|re-open|uncomplete|untick|uncheck|unfinish", Verb::kUncomplete},
    {"undo the? completion|completing|finishing of?", Verb::kUncomplete},
    {"i|we didn't|haven't|didnt|havent actually|really? finish|finished|complete|completed|do|done",
     Verb::kUncomplete},
    {"i|we did|have not actually|really? finish|finished|complete|completed|do|done",
     Verb::kUncomplete},
    {"i|we didn't|didnt|haven't|havent actually|really?", Verb::kDidNot},
    {"i|we did|have not actually|really?", Verb::kDidNot},

    {"delete|erase|trash", Verb::kDelete},
    {"remove|drop|cancel", Verb::kDelete, true},
    {"get rid of", Verb::kDelete},
    {"throw away|out", Verb::kDelete, true},
    {"forget about", Verb::kDelete},
    {"i|we no longer need|have to?", Verb::kDelete},
    {"i|we don't need|have to? anymore?", Verb::kDelete},

    {"rename|retitle", Verb::kRename},
    {"change|set|edit the? title|name of", Verb::kRename},
    {"change", Verb::kChange},
    {"change|set|move the? due? date|time|deadline of|for", Verb::kPostpone},
    {"reschedule", Verb::kPostpone},
    {"postpone|delay|defer|snooze", Verb::kDelay},
    {"move|shift", Verb::kMove},
    {"push", Verb::kPush},
    {"push back", Verb::kDelay},
    {"put off", Verb::kDelay},
    {"bring forward", Verb::kPostpone},
    {"bring|set|make", Verb::kMove, true},

    {"what|what's|whats|which", Verb::kList},
    {"anything|any|my|agenda|upcoming|due|overdue|open|all|everything|"
     "today|today's|todays|tomorrow|tomorrow's|tomorrows|tasks|todos|this|next",
     Verb::kList, true},
    {"do|have|had|is|are|am i|there|we|anything|any", Verb::kList, true},
    {"show|list|see|view|display|give|tell me?", Verb::kShow, true},

    {"find|search|lookup me? for? the|my? task|tasks|all? called|named|about|with|containing?",
     Verb::kSearch, true},
    {"look for|up", Verb::kSearch, true},
    {"where|where's|when|when's is|are|was?", Verb::kSearch, true},
    {"is|are there|any task|tasks|todo|anything|something about|for|with|called|named",
     Verb::kSearch, true},
    {"do i have task|tasks|anything|something about|with|called|named", Verb::kSearch, true},
    {"which task|tasks are|have|contain|mention about|with?", Verb::kSearch, true},
    {"did i|we finish|complete|do", Verb::kSearch, true},
    {"have i|we finished|completed|done", Verb::kSearch, true},
    {"did i|we already|ever?", Verb::kSearch, true},
    {"is|are", Verb::kIsItDone, true},

    {"how am|are|was|were i|we|things doing|going?", Verb::kUsage},
    {"how is|how's it|everything|work? going|coming", Verb::kUsage},
    {"how's it going", Verb::kUsage},
    {"show|give|tell me? my|the? stats|statistics|usage|progress|numbers|streak", Verb::kUsage},
    {"stats|statistics|usage|progress|streak", Verb::kUsage},
    {"my stats|statistics|usage|progress|numbers|streak", Verb::kUsage},
    {"what are|is my stats|statistics|usage|progress|numbers|streak", Verb::kUsage},
    {"what's|whats|how's my stats|statistics|usage|progress|numbers|streak", Verb::kUsage},
    {"what did|have i|we do|done|finish|finished|complete|completed|achieve", Verb::kUsage},
    {"what did|have i|we get|got|gotten done", Verb::kUsage},
    {"how many task|tasks|things|todos?", Verb::kUsage},
    {"how much|productive|busy", Verb::kUsage},

    {"undo that|it|this|last? one|thing|change|action?", Verb::kUndo},
    {"undo the|my? last|latest one|thing|change|action|step?", Verb::kUndo},
    {"undo what i|you just? did", Verb::kUndo},
    {"oops|ctrl-z|ctrl+z", Verb::kUndo},
    {"oops undo that|it|this?", Verb::kUndo},
    {"take that|it|this back", Verb::kUndo},
    {"take back that|it|this|the? last? one|thing|change?", Verb::kUndo},
    {"revert that|it|this|the? last? one|thing|change?", Verb::kUndo},
    {"put it|that back", Verb::kUndo},
    {"bring it|that back", Verb::kUndo},
    {"that was wrong", Verb::kUndo},
    {"that was a mistake", Verb::kUndo},

    {"help me?", Verb::kHelp},
    {"?|commands|instructions", Verb::kHelp},
    {"what can|could|should i|you say|do|ask|type|write|understand here?", Verb::kHelp},
    {"what do you do|understand|know", Verb::kHelp},
    {"how do|does|can this|it|you|i work|works|use start this|it?", Verb::kHelp},
    {"how does this work", Verb::kHelp},
    {"who|what are you", Verb::kHelp},
    {"hi|hello|hey|hola|moin there?", Verb::kHelp},
    {"good morning|afternoon|evening|day", Verb::kHelp}};

constexpr const char* kCourtesyBefore[] = {
    "please|pls|plz|hey|ok|okay|well|so|also|then|now|yes|alright|great|and|but|kindly|actually",
    "can|could|would|will you|u|ya",
    "i|we want|need you to",
    "i'd|we'd like you to",
    "i would like you to",
    "go ahead and",
    "let's|lets",
    "let me|us"};
constexpr const char* kCourtesyBehind[] = {"please|pls|plz", "thanks|thx", "thank you", "instead"};

struct EndingForm {
  const char* pattern;
  Verb verb;
};
constexpr EndingForm kEndings[] = {
    {"is|are|was|were|has|have not|never been? done|finished|complete|completed yet?",
     Verb::kUncomplete},
    {"isn't|aren't|wasn't done|finished|complete|completed yet?", Verb::kUncomplete},
    {"is|are|was|has|have been? now|all|finally|already? done|finished|complete|completed",
     Verb::kComplete},
    {"done|finished|completed|\u2713|\u2714|\u2705", Verb::kComplete},
    {"is|are|was|has|have been? cancelled|canceled|off", Verb::kDelete}};

const std::map<std::string_view, std::string_view>& IrregularPasts() {
  static const std::map<std::string_view, std::string_view> pasts = {
      {"ate", "eat"},           {"beat", "beat"},         {"began", "begin"},
      {"begun", "begin"},       {"bent", "bend"},         {"bought", "buy"},
      {"bound", "bind"},        {"broke", "break"},       {"broken", "break"},
      {"brought", "bring"},     {"built", "build"},       {"burnt", "burn"},
      {"came", "come"},         {"caught", "catch"},      {"chose", "choose"},
      {"chosen", "choose"},     {"cut", "cut"},           {"did", "do"},
      {"done", "do"},           {"drank", "drink"},       {"drawn", "draw"},
      {"drew", "draw"},         {"driven", "drive"},      {"drove", "drive"},
      {"dug", "dig"},           {"eaten", "eat"},         {"fed", "feed"},
      {"felt", "feel"},         {"flew", "fly"},          {"forgave", "forgive"},
      {"fought", "fight"},      {"found", "find"},        {"froze", "freeze"},
      {"frozen", "freeze"},     {"gave", "give"},         {"given", "give"},
      {"gone", "go"},           {"got", "get"},           {"gotten", "get"},
      {"grew", "grow"},         {"ground", "grind"},      {"heard", "hear"},
      {"held", "hold"},         {"hid", "hide"},          {"hung", "hang"},
      {"kept", "keep"},         {"knit", "knit"},         {"known", "know"},
      {"laid", "lay"},          {"learnt", "learn"},      {"led", "lead"},
      {"left", "leave"},        {"lent", "lend"},         {"let", "let"},
      {"lit", "light"},         {"lost", "lose"},         {"made", "make"},
      {"met", "meet"},          {"mown", "mow"},          {"overcame", "overcome"},
      {"paid", "pay"},          {"put", "put"},           {"ran", "run"},
      {"rang", "ring"},         {"read", "read"},         {"rebuilt", "rebuild"},
      {"redid", "redo"},        {"redone", "redo"},       {"repaid", "repay"},
      {"reread", "reread"},     {"rewritten", "rewrite"}, {"rewrote", "rewrite"},
      {"rode", "ride"},         {"run", "run"},           {"said", "say"},
      {"sang", "sing"},         {"saw", "see"},           {"seen", "see"},
      {"sent", "send"},         {"set", "set"},           {"sewed", "sew"},
      {"sewn", "sew"},          {"shook", "shake"},       {"shot", "shoot"},
      {"shown", "show"},        {"shut", "shut"},         {"slept", "sleep"},
      {"sold", "sell"},         {"sought", "seek"},       {"spent", "spend"},
      {"split", "split"},       {"spoke", "speak"},       {"spoken", "speak"},
      {"spun", "spin"},         {"stood", "stand"},       {"stuck", "stick"},
      {"sung", "sing"},         {"swam", "swim"},         {"swept", "sweep"},
      {"swum", "swim"},         {"taken", "take"},        {"taught", "teach"},
      {"thought", "think"},     {"threw", "throw"},       {"thrown", "throw"},
      {"told", "tell"},         {"took", "take"},         {"tore", "tear"},
      {"torn", "tear"},         {"tried", "try"},         {"understood", "understand"},
      {"undid", "undo"},        {"went", "go"},           {"withdrawn", "withdraw"},
      {"withdrew", "withdraw"}, {"woke", "wake"},         {"won", "win"},
      {"wore", "wear"},         {"worn", "wear"},         {"wound", "wind"},
      {"written", "write"},     {"wrote", "write"}};
  return pasts;
}

struct CompiledOpening {
  Form form;
  const OpeningForm* source;
};

/// The openings, by their first word.
const std::multimap<std::string_view, CompiledOpening>& Openings() {
  static const std::multimap<std::string_view, CompiledOpening> openings = [] {
    std::multimap<std::string_view, CompiledOpening> compiled;
    for (const OpeningForm& opening : kOpenings) {
      const CompiledOpening one{Form(opening.pattern), &opening};
      for (const std::string_view word : one.form.first_words()) compiled.emplace(word, one);
    }
    return compiled;
  }();
  return openings;
}

template <typename Patterns>
std::vector<Form> Compiled(const Patterns& patterns) {
  std::vector<Form> forms;
  for (const char* const pattern : patterns) forms.emplace_back(pattern);
  return forms;
}

}  // namespace

std::vector<Opening> OpeningsOf(Words words) {
  std::vector<Opening> found;
  if (words.empty() || words[0].quoted) return found;
  const auto [first, last] = Openings().equal_range(words[0].text);
  for (auto opening = first; opening != last; ++opening) {
    const std::size_t count = opening->second.form.Match(words);
    if (count == 0) continue;
    found.push_back({.verb = opening->second.source->verb,
                     .word_count = count,
                     .weak = opening->second.source->weak});
  }
  std::ranges::stable_sort(found, std::ranges::greater(), &Opening::word_count);
  return found;
}

std::size_t CourtesyBefore(Words words) {
  static const std::vector<Form> forms = Compiled(kCourtesyBefore);
  std::size_t count = 0;
  for (bool more = true; std::exchange(more, false);) {
    for (const Form& form : forms) {
      const std::size_t matched = form.Match(words.subspan(count));
      more = more || matched > 0;
      count += matched;
    }
  }
  return count;
}

std::size_t CourtesyBehind(Words words) {
  static const std::vector<Form> forms = Compiled(kCourtesyBehind);
  std::size_t count = 0;
  for (bool more = true; std::exchange(more, false);) {
    for (const Form& form : forms) {
      const std::size_t matched = form.MatchEnd(words.first(words.size() - count));
      more = more || matched > 0;
      count += matched;
    }
  }
  return count;
}

Ending EndingOf(Words words) {
  static const std::vector<std::pair<Form, Verb>> forms = [] {
    std::vector<std::pair<Form, Verb>> compiled;
    for (const EndingForm& ending : kEndings)
      compiled.emplace_back(Form(ending.pattern), ending.verb);
    return compiled;
  }();
  for (const auto& [form, verb] : forms) {
    if (const std::size_t count = form.MatchEnd(words); count > 0)
      return {.verb = verb, .word_count = count};
  }
  return {};
}

std::string BaseOfPast(std::string_view word) {
  const auto irregular = IrregularPasts().find(word);
  if (irregular != IrregularPasts().end()) return std::string(irregular->second);
  constexpr std::size_t kShortest = 5;  // "asked"; not "need", "feed", "shed"
  const bool regular = word.size() >= kShortest && word.ends_with("ed") && !word.ends_with("eed");
  return regular ? std::string(word) : "";
}

}  // namespace todo::chat
