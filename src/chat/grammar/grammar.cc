#include "chat/grammar/grammar.h"

#include <fmt/format.h>

#include "chat/grammar/task_reader.h"
#include "chat/grammar/words.h"
#include "domain/time.h"

namespace todo::chat {

std::string ToDueLocal(const Moment& moment) {
  return moment.has_time ? absl::FormatCivilTime(moment.local)
                         : absl::FormatCivilTime(absl::CivilDay(moment.local));
}

std::string Describe(const Moment& moment, const domain::Wording& wording) {
  const absl::CivilDay day(moment.local);
  const std::string text = fmt::format("{}, {} {} {}", grammar::NameOf(absl::GetWeekday(day)),
                                       day.day(), grammar::NameOfMonth(day.month()), day.year());
  if (!moment.has_time) return text;
  return fmt::format(
      "{}, {}", text,
      domain::ClockWords(std::chrono::seconds(moment.local - absl::CivilSecond(day)), wording));
}

TaskPhrase ParseTaskPhrase(std::string_view text, const GrammarContext& context,
                           const std::vector<Span>& plain) {
  return grammar::TaskReader(text, context, plain).Read();
}

}  // namespace todo::chat
