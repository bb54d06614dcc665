#include "chat/grammar/durations.h"

#include <fmt/format.h>

namespace todo::chat::grammar {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

/// A number of units in tenths: "1.5" is 15.
struct Amount {
  int tenths = 0;
  bool is_article = false;  // "a", "an": spelled-out units only
};

std::optional<Amount> ReadAmount(Cursor& cursor) {
  if (cursor.TakeAll({"half", "an"}) || cursor.TakeAll({"half", "a"})) return Amount{5, true};
  if (cursor.TakeAll({"a", "couple", "of"})) return Amount{20, true};
  if (cursor.TakeAny({"a", "an"})) return Amount{10, true};
  Cursor ahead = cursor;
  const std::optional<int> count = ReadCount(ahead);
  if (!count) return std::nullopt;
  Amount amount{*count * 10};
  cursor = ahead;
  if (ahead.TakeGlued(".") && ahead.Peek().glued && ahead.IsNumber() &&
      ahead.Peek().text.size() == 1) {
    amount.tenths += ahead.Peek().number;
    ahead.Skip();
    cursor = ahead;
  }
  return amount;
}

std::optional<Unit> ReadUnitAt(Cursor& cursor, bool after_number) {
  std::optional<Unit> unit = cursor.Peek().means->unit;
  if (!unit && after_number && cursor.Peek().glued) unit = cursor.Peek().means->unit_letter;
  if (unit) cursor.Skip();
  return unit;
}

std::optional<Duration> Times(Amount amount, Unit unit) {
  Duration duration;
  if (unit == Unit::kMinute || unit == Unit::kHour) {
    duration.time = (unit == Unit::kHour ? hours(1) : minutes(1)) * amount.tenths / 10;
    if (duration.time == minutes(0)) return std::nullopt;
    return duration;
  }
  if (amount.tenths % 10 != 0) return std::nullopt;
  const int count = amount.tenths / 10;
  switch (unit) {
    case Unit::kDay: duration.days = count; break;
    case Unit::kWeek: duration.days = count * 7; break;
    case Unit::kMonth: duration.months = count; break;
    default: duration.months = count * 12; break;
  }
  return duration;
}

}  // namespace

std::optional<int> ReadCount(Cursor& cursor) {
  std::optional<int> count = cursor.Peek().means->number;
  if (!count && cursor.IsNumber()) count = cursor.Peek().number;
  if (!count || *count < 1 || *count > kMaxCount) return std::nullopt;
  cursor.Skip();
  return count;
}

std::optional<Duration> ReadDuration(Cursor& cursor) {
  Cursor ahead = cursor;
  const std::optional<Amount> amount = ReadAmount(ahead);
  if (!amount) return std::nullopt;
  const std::optional<Unit> unit = ReadUnitAt(ahead, !amount->is_article);
  if (!unit) return std::nullopt;
  std::optional<Duration> duration = Times(*amount, *unit);
  if (!duration) return std::nullopt;
  cursor = ahead;
  if (*unit != Unit::kHour) return duration;
  // "an hour and a half", "2 hours 30 minutes", "1h30m"
  if (ahead.TakeAll({"and", "a", "half"})) {
    duration->time += minutes(30);
    cursor = ahead;
    return duration;
  }
  ahead.Take("and");
  const std::optional<int> rest = ReadCount(ahead);
  if (rest && ReadUnitAt(ahead, true) == Unit::kMinute) {
    duration->time += minutes(*rest);
    cursor = ahead;
  }
  return duration;
}

std::optional<Duration> ReadOffset(Cursor& cursor) {
  Cursor ahead = cursor;
  std::optional<Duration> offset;
  if (ahead.Take("the")) {
    const std::optional<Unit> unit = ReadUnitAt(ahead, /*after_number=*/false);
    if (unit) offset = Times({.tenths = 10, .is_article = true}, *unit);
  } else {
    offset = ReadDuration(ahead);
  }
  if (!offset || offset->months != 0 || !ahead.TakeAny({"before", "earlier", "ahead"}))
    return std::nullopt;
  cursor = ahead;
  return offset;
}

std::string InWords(const Duration& duration) {
  if (duration.months != 0) return Counted(duration.months, NameOf(Unit::kMonth));
  if (duration.days != 0) return Counted(duration.days, NameOf(Unit::kDay));
  const auto whole = std::chrono::duration_cast<hours>(duration.time);
  const minutes rest = duration.time - whole;
  if (whole.count() == 0) return Counted(rest.count(), NameOf(Unit::kMinute));
  const std::string text = Counted(whole.count(), NameOf(Unit::kHour));
  if (rest.count() == 0) return text;
  return fmt::format("{} {}", text, Counted(rest.count(), NameOf(Unit::kMinute)));
}

}  // namespace todo::chat::grammar
