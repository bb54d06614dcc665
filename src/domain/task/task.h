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

/// When a task is due. `at` is always the instant that the other members resolve to.
struct Due {
  DueKind kind = DueKind::kNone;
  absl::CivilSecond local;  // kDate (midnight) and kLocal: as the user gave it, in the task's zone
  Instant at;

  bool operator==(const Due&) const = default;
};

/// The fields that a user may set.
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

/// Values for the occurrences after a task, in place of the task's own values, where those were
/// changed for this occurrence alone. Absent: later occurrences take the task's own value.
struct FollowingFields {
  std::optional<std::string> title;
  std::optional<std::optional<std::string>> description;
  std::optional<Priority> priority;
  std::optional<std::vector<std::string>> tags;
  std::optional<DueKind> due_kind;
  std::optional<std::string> time_zone;

  bool operator==(const FollowingFields&) const = default;
};

/// Where a task stands in its series. Every occurrence has a whole position, so that the next
/// occurrence can be worked out from this task alone. Wall-clock times are in the zone of the
/// series: that of `following` if it has one, else the task's.
struct SeriesPosition {
  Uuid series_id;
  std::int64_t occurrence = 1;   // counts the tasks of the series
  std::int64_t rule_since = 1;   // the occurrence whose rule this was first; COUNT counts from it
  absl::CivilSecond anchor;      // that occurrence's wall-clock time; UNTIL and COUNT count from it
  bool anchor_is_later = false;  // the second of two equal wall-clock times, when clocks go back
  absl::CivilSecond
      scheduled;  // the rule's date for this occurrence; postponing the task does not change it
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
  bool deleted = false;               // the consumers still see such a task, users do not
  std::optional<Instant> skipped_at;  // deleted for this occurrence alone: the series goes on
  std::int64_t version = 0;
  std::int64_t seq = 0;  // of the task's last change
  std::optional<SeriesPosition>
      series;  // present exactly when the task has, or had when it was made, a rule
  Instant created_at;
  Instant updated_at;

  bool operator==(const Task&) const = default;
};

/// Changes of some fields. Members that are not set leave their field as it is; an inner nullopt
/// clears it.
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
/// Makes the changes of `patch`.
void ApplyPatch(const TaskPatch& patch, Task& task);

/// The etag of a version, and the version of an etag; nullopt: no version has that etag.
std::string EtagOf(std::int64_t version);
std::optional<std::int64_t> VersionOfEtag(std::string_view etag);

/// Append a violation for each broken limit of text, tags and lengths. Field names begin with
/// `prefix`, e.g. "task.". Due dates and rules are checked where they are resolved.
void CheckTitle(std::string_view title, std::string_view prefix,
                std::vector<util::FieldViolation>& violations);
void CheckDescription(const std::optional<std::string>& description, std::string_view prefix,
                      std::vector<util::FieldViolation>& violations);
void CheckTags(const std::vector<std::string>& tags, std::string_view prefix,
               std::vector<util::FieldViolation>& violations);
/// kInvalidArgument: `user` cannot be a user id.
absl::Status CheckUserId(std::string_view user);

/// Resolves "2026-10-24" (a day) or "2026-10-24T09:00[:00]" (a wall-clock time) in the zone
/// `time_zone`. kInvalidArgument with a text for people: text or zone are not understood, or the
/// date is out of range.
absl::StatusOr<Due> ResolveLocalDue(std::string_view due_local, std::string_view time_zone);
/// A due date of kind kInstant. kInvalidArgument: `at` is out of range.
absl::StatusOr<Due> ResolveInstantDue(Instant at);
/// "2026-10-24" or "2026-10-24T09:00:00"; empty for kInstant and kNone.
std::string FormatDueLocal(const Due& due);

}  // namespace todo::domain
