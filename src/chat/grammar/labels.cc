#include "chat/grammar/labels.h"

namespace todo::chat::grammar {
namespace {

bool IsTagMark(std::string_view text) { return text == "-" || text == "/"; }

std::optional<domain::Priority> ReadLevel(Cursor& cursor) {
  if (cursor.Take("high")) return domain::Priority::kHigh;
  if (cursor.TakeAny({"medium", "med"})) return domain::Priority::kMedium;
  if (cursor.Take("low")) return domain::Priority::kLow;
  return std::nullopt;
}

/// "remind me", "with a reminder".
bool TakeRequest(Cursor& cursor) {
  if (!cursor.IsWord()) return false;
  Cursor ahead = cursor;
  if (ahead.TakeAll({"remind", "me"}) || ahead.TakeAll({"alert", "me"}) ||
      ahead.TakeAll({"notify", "me"})) {
    cursor = ahead;
    return true;
  }
  if (ahead.Take("with")) ahead.Take("a");
  if (!ahead.TakeAny({"reminder", "reminders"})) return false;
  ahead.Take(":");
  cursor = ahead;
  return true;
}

/// Whether a text goes on with another piece, if at all, behind "remind me".
bool EndsRequest(const Cursor& cursor) {
  const std::string_view text = cursor.Peek().text;
  return !cursor.IsWord() || text == "every" || text == "each" || text == "p1" || text == "p2" ||
         text == "p3";
}

}  // namespace

std::optional<domain::Priority> ReadPriority(Cursor& cursor) {
  using domain::Priority;
  if (cursor.Take("p1")) return Priority::kHigh;
  if (cursor.Take("p2")) return Priority::kMedium;
  if (cursor.Take("p3")) return Priority::kLow;
  Cursor ahead = cursor;
  if (const auto priority = ReadLevel(ahead); priority && ahead.TakeAny({"priority", "prio"})) {
    cursor = ahead;
    return priority;
  }
  ahead = cursor;
  if (!ahead.Take("!") || !ahead.Peek().glued) return std::nullopt;
  const std::optional<Priority> priority = ReadLevel(ahead);
  if (priority) cursor = ahead;
  return priority;
}

std::optional<std::string> ReadTag(Cursor& cursor) {
  Cursor ahead = cursor;
  const bool at_sign = ahead.Take("@");
  // "@3pm" is a time.
  if ((at_sign && !ahead.IsWord()) || (!at_sign && !ahead.Take("#"))) return std::nullopt;
  const std::size_t begin = ahead.at();
  std::size_t end = begin;
  bool has_word = false;
  for (; !ahead.at_end() && ahead.Peek().glued; ahead.Skip()) {
    const Token& token = ahead.Peek();
    if (token.kind == Token::Kind::kPlain ||
        (token.kind == Token::Kind::kMark && !IsTagMark(token.text)))
      break;
    if (token.kind == Token::Kind::kMark) continue;  // a part of the tag only between words
    has_word = has_word || token.kind == Token::Kind::kWord;
    end = ahead.at() + 1;
  }
  if (!has_word) return std::nullopt;
  cursor.Skip(end - cursor.at());
  return std::string(cursor.tokens().Written(begin, end));
}

std::optional<ReminderWish> ReadReminder(Cursor& cursor, const GrammarContext& context) {
  Cursor ahead = cursor;
  ahead.Take("and");
  ReminderWish wish;
  const bool is_noun = ahead.Peek().text.starts_with("reminder");  // "send the reminder"
  wish.is_led = TakeRequest(ahead);
  Cursor distance = ahead;
  const bool says_the = ahead.Peek().text == "the";  // "the day before Christmas"
  if (auto before = ReadOffset(distance); before && (wish.is_led || !says_the)) {
    Cursor it = distance;
    if (it.TakeAny({"it", "that"}) || it.TakeAll({"the", "due", "time"})) distance = it;
    wish.before = before;
    cursor = distance;
    return wish;
  }
  if (!wish.is_led) return std::nullopt;
  Cursor moment = ahead;
  wish.at = ReadMoment(moment, context);
  if (!wish.at && !is_noun && EndsRequest(ahead)) {
    wish.at_due = true;
    cursor = ahead;
    return wish;
  }
  ahead = moment;
  if (!wish.at || ahead.Peek().text == "to") return std::nullopt;
  cursor = ahead;
  return wish;
}

}  // namespace todo::chat::grammar
