#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "domain/ids.h"
#include "domain/time.h"
#include "util/status.h"

// Tasks and the rules their fields obey. Nothing here does I/O or reads a clock.

namespace todo::domain {

enum class Priority { kLow, kMedium, kHigh };
enum class DueKind { kNone, kDate, kLocal, kInstant };
enum class RecurrenceBasis { kSchedule, kCompletion };

std::string_view ToString(Priority priority);      // "low", "medium", "high"
std::string_view ToString(DueKind kind);           // "none", "date", "local", "instant"
std::string_view ToString(RecurrenceBasis basis);  // "schedule", "completion"
std::optional<Priority> ParsePriority(std::string_view text);
std::optional<DueKind> ParseDueKind(std::string_view text);
std::optional<RecurrenceBasis> ParseRecurrenceBasis(std::string_view text);

inline constexpr std::size_t kMaxUserIdBytes = 200;
inline constexpr std::size_t kMaxTitleCharacters = 500;
inline constexpr std::size_t kMaxDescriptionCharacters = 10'000;
inline constexpr std::size_t kMaxTags = 20;
inline constexpr std::size_t kMaxTagCharacters = 50;

/// When a task is due. `at` is always what the rest resolves to.
struct Due {
  DueKind kind = DueKind::kNone;
  absl::CivilSecond local;  // kDate (midnight) and kLocal: what the user meant, in the task's zone
  Instant at;

  bool operator==(const Due&) const = default;
};

/// What a user may set. A task is these plus what the service keeps about it.
struct TaskFields {
  std::string title;
  std::optional<std::string> description;
  Priority priority = Priority::kMedium;
  std::vector<std::string> tags;
  Due due;
  std::string time_zone = "UTC";               // IANA name
  std::optional<std::string> recurrence_rule;  // as the user wrote it
  RecurrenceBasis recurrence_basis = RecurrenceBasis::kSchedule;

  bool operator==(const TaskFields&) const = default;
};

/// What the occurrences after a task take instead of its own values: what was changed for this
/// occurrence alone. Absent: they take the task's.
struct FollowingFields {
  std::optional<std::string> title;
  std::optional<std::optional<std::string>> description;
  std::optional<Priority> priority;
  std::optional<std::vector<std::string>> tags;
  std::optional<DueKind> due_kind;
  std::optional<std::string> time_zone;

  bool operator==(const FollowingFields&) const = default;
};

/// Where a task stands in its series. Every occurrence carries all of it, so that the next one
/// follows from this task alone. Wall-clock times are those of the series' zone: the task's, unless
/// `following` has another.
struct SeriesPosition {
  Uuid series_id;
  std::int64_t occurrence = 1;   // counts the tasks of the series
  std::int64_t rule_since = 1;   // the occurrence whose rule this was first; COUNT counts from it
  absl::CivilSecond anchor;      // that occurrence's wall-clock time; UNTIL and COUNT count from it
  bool anchor_is_later = false;  // of an anchor that clocks show twice: it is the second
  absl::CivilSecond
      scheduled;  // where the rule put this occurrence; postponing the task does not move it
  std::int64_t missed = 0;  // occurrences that had passed when the previous task was completed
  FollowingFields following;

  bool operator==(const SeriesPosition&) const = default;
};

struct Task {
  TaskId id;
  UserId user;
  TaskFields fields;
  bool completed = false;
  std::optional<Instant> completed_at;
  bool deleted = false;               // a tombstone: seen by the consumers, by nobody else
  std::optional<Instant> skipped_at;  // deleted as this occurrence alone: the series goes on
  std::int64_t version = 0;
  std::int64_t seq = 0;  // of its last change
  std::optional<SeriesPosition>
      series;  // present exactly when the task has, or had when it was made, a rule
  Instant created_at;
  Instant updated_at;

  bool operator==(const Task&) const = default;
};

/// Changes to some fields; what is not set stays.
struct TaskPatch {
  std::optional<std::string> title;
  std::optional<std::optional<std::string>> description;
  std::optional<Priority> priority;
  std::optional<std::vector<std::string>> tags;
  std::optional<Due> due;
  std::optional<std::string> time_zone;
  std::optional<std::optional<std::string>> recurrence_rule;
  std::optional<RecurrenceBasis> recurrence_basis;
  std::optional<std::optional<SeriesPosition>> series;

  bool operator==(const TaskPatch&) const = default;
};

/// The version a caller saw, as an opaque text; and back. A text that no version has gives nullopt.
std::string EtagOf(std::int64_t version);
std::optional<std::int64_t> VersionOfEtag(std::string_view etag);

/// Appends what is wrong with each field (named below `prefix`, e.g. "task.") to `violations`.
/// Looks at text, tags, priority and lengths; due dates and rules are checked where they are
/// resolved.
void CheckTitle(std::string_view title, std::string_view prefix,
                std::vector<util::FieldViolation>& violations);
void CheckDescription(const std::optional<std::string>& description, std::string_view prefix,
                      std::vector<util::FieldViolation>& violations);
void CheckTags(const std::vector<std::string>& tags, std::string_view prefix,
               std::vector<util::FieldViolation>& violations);
/// kInvalidArgument when `user` cannot be a user id.
absl::Status CheckUserId(std::string_view user);

/// Resolves "2026-10-24" (a day) or "2026-10-24T09:00[:00]" (a wall-clock time) in the zone
/// `time_zone`. kInvalidArgument with what to do when text or zone are not understood, or the date
/// is out of range.
absl::StatusOr<Due> ResolveLocalDue(std::string_view due_local, std::string_view time_zone);
/// The due date that is a point in time. kInvalidArgument when out of range.
absl::StatusOr<Due> ResolveInstantDue(Instant at);
/// "2026-10-24" or "2026-10-24T09:00:00"; empty for kInstant and kNone.
std::string FormatDueLocal(const Due& due);

}  // namespace todo::domain
