#include "domain/task/task.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "absl/time/civil_time.h"
#include "domain/time_zone.h"
#include "util/unicode.h"
#include "util/utf8.h"

namespace todo::domain {
namespace {

using util::FieldViolation;

template <typename Enum, std::size_t kSize>
std::optional<Enum> Find(const std::array<std::pair<Enum, std::string_view>, kSize>& names,
                         std::string_view text) {
  const auto it = std::ranges::find(names, text, [](const auto& entry) { return entry.second; });
  return it == names.end() ? std::nullopt : std::optional(it->first);
}

template <typename Enum, std::size_t kSize>
std::string_view NameOf(const std::array<std::pair<Enum, std::string_view>, kSize>& names,
                        Enum value) {
  return std::ranges::find(names, value, [](const auto& entry) { return entry.first; })->second;
}

constexpr std::array kPriorities = {std::pair{Priority::kLow, std::string_view("low")},
                                    std::pair{Priority::kMedium, std::string_view("medium")},
                                    std::pair{Priority::kHigh, std::string_view("high")}};
constexpr std::array kDueKinds = {std::pair{DueKind::kNone, std::string_view("none")},
                                  std::pair{DueKind::kDate, std::string_view("date")},
                                  std::pair{DueKind::kLocal, std::string_view("local")},
                                  std::pair{DueKind::kInstant, std::string_view("instant")}};
constexpr std::array kBases = {
    std::pair{RecurrenceBasis::kSchedule, std::string_view("schedule")},
    std::pair{RecurrenceBasis::kCompletion, std::string_view("completion")}};

/// The fault of a text that must have `min` to `max` characters; empty: it has none. A text that
/// must not be empty needs a visible character.
std::string CheckText(std::string_view text, std::size_t min, std::size_t max) {
  const std::optional<std::size_t> count = util::CountCharacters(text);
  if (!count) return "must be valid UTF-8 without NUL characters";
  if (*count < min) return fmt::format("must not be empty; give {} to {} characters", min, max);
  if (*count > max) return fmt::format("has {} characters; the limit is {}", *count, max);
  if (min > 0 && !util::HasVisible(text)) {
    return "has only spaces or invisible characters; give it a letter, a digit or a sign";
  }
  return "";
}

absl::Status OutOfRange() {
  return absl::InvalidArgumentError("must lie in the years 1970 to 9999 (UTC)");
}

}  // namespace

std::string_view ToString(Priority priority) { return NameOf(kPriorities, priority); }
std::string_view ToString(DueKind kind) { return NameOf(kDueKinds, kind); }
std::string_view ToString(RecurrenceBasis basis) { return NameOf(kBases, basis); }
std::optional<Priority> ParsePriority(std::string_view text) { return Find(kPriorities, text); }
std::optional<DueKind> ParseDueKind(std::string_view text) { return Find(kDueKinds, text); }
std::optional<RecurrenceBasis> ParseRecurrenceBasis(std::string_view text) {
  return Find(kBases, text);
}

std::string EtagOf(std::int64_t version) { return fmt::format("v{}", version); }

std::optional<std::int64_t> VersionOfEtag(std::string_view etag) {
  std::int64_t version = 0;
  if (etag.size() < 2 || etag[0] != 'v') return std::nullopt;
  const auto [end, error] = std::from_chars(etag.data() + 1, etag.data() + etag.size(), version);
  if (error != std::errc() || end != etag.data() + etag.size() || version < 1) return std::nullopt;
  return version;
}

void ApplyPatch(const TaskPatch& patch, Task& task) {
  TaskFields& fields = task.fields;
  if (patch.title) fields.title = *patch.title;
  if (patch.description) fields.description = *patch.description;
  if (patch.priority) fields.priority = *patch.priority;
  if (patch.tags) fields.tags = *patch.tags;
  if (patch.due) fields.due = *patch.due;
  if (patch.time_zone) fields.time_zone = *patch.time_zone;
  if (patch.recurrence_rule) fields.recurrence_rule = *patch.recurrence_rule;
  if (patch.recurrence_basis) fields.recurrence_basis = *patch.recurrence_basis;
  if (patch.series) task.series = *patch.series;
}

void CheckTitle(std::string_view title, std::string_view prefix,
                std::vector<FieldViolation>& violations) {
  if (std::string wrong = CheckText(title, 1, kMaxTitleCharacters); !wrong.empty()) {
    violations.push_back({fmt::format("{}title", prefix), std::move(wrong)});
  }
}

void CheckDescription(const std::optional<std::string>& description, std::string_view prefix,
                      std::vector<FieldViolation>& violations) {
  if (!description) return;
  if (std::string wrong = CheckText(*description, 0, kMaxDescriptionCharacters); !wrong.empty()) {
    violations.push_back({fmt::format("{}description", prefix), std::move(wrong)});
  }
}

void CheckTags(const std::vector<std::string>& tags, std::string_view prefix,
               std::vector<FieldViolation>& violations) {
  if (tags.size() > kMaxTags) {
    violations.push_back({fmt::format("{}tags", prefix),
                          fmt::format("has {} tags; the limit is {}", tags.size(), kMaxTags)});
    return;
  }
  for (std::size_t i = 0; i < tags.size(); ++i) {
    std::string wrong = CheckText(tags[i], 1, kMaxTagCharacters);
    if (wrong.empty() && std::find(tags.begin(), tags.begin() + static_cast<std::ptrdiff_t>(i),
                                   tags[i]) != tags.begin() + static_cast<std::ptrdiff_t>(i)) {
      wrong = "is given twice; give each tag once";
    }
    if (!wrong.empty())
      violations.push_back({fmt::format("{}tags[{}]", prefix, i), std::move(wrong)});
  }
}

absl::Status CheckUserId(std::string_view user) {
  if (user.empty() || user.size() > kMaxUserIdBytes || !util::CountCharacters(user)) {
    return util::MakeStatus(
        absl::StatusCode::kInvalidArgument,
        fmt::format("a user id is 1 to {} bytes of UTF-8 without NUL", kMaxUserIdBytes));
  }
  return absl::OkStatus();
}

absl::StatusOr<Due> ResolveLocalDue(std::string_view due_local, std::string_view time_zone) {
  TODO_ASSIGN_OR_RETURN(const TimeZone zone, TimeZone::Load(time_zone));
  Due due;
  absl::CivilDay day;
  absl::CivilMinute minute;
  const absl::string_view text = util::ToAbsl(due_local);
  // Abseil accepts other widths and spaces too; the lengths exclude them.
  if (due_local.size() == 10 && absl::ParseCivilTime(text, &day)) {
    due.kind = DueKind::kDate;
    due.local = absl::CivilSecond(day);
  } else if (due_local.size() == 19 && absl::ParseCivilTime(text, &due.local)) {
    due.kind = DueKind::kLocal;
  } else if (due_local.size() == 16 && absl::ParseCivilTime(text, &minute)) {
    due.kind = DueKind::kLocal;
    due.local = absl::CivilSecond(minute);
  } else {
    return absl::InvalidArgumentError(
        "must be a day of the calendar like 2026-10-24, or a wall-clock time like "
        "2026-10-24T09:00:00, without an offset");
  }
  if (util::FromAbsl(absl::FormatCivilTime(due.local)).substr(0, due_local.size()) != due_local) {
    return absl::InvalidArgumentError("is not a date of the calendar");
  }
  due.at = zone.ToInstant(due.local);
  if (due.at < kMinInstant || due.at > kMaxInstant) return OutOfRange();
  return due;
}

absl::StatusOr<Due> ResolveInstantDue(Instant at) {
  if (at < kMinInstant || at > kMaxInstant) return OutOfRange();
  return Due{.kind = DueKind::kInstant, .local = {}, .at = at};
}

std::string FormatDueLocal(const Due& due) {
  switch (due.kind) {
    case DueKind::kDate: return absl::FormatCivilTime(absl::CivilDay(due.local));
    case DueKind::kLocal: return absl::FormatCivilTime(due.local);
    case DueKind::kNone:
    case DueKind::kInstant: return "";
  }
  return "";
}

}  // namespace todo::domain
