#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "domain/ids.h"
#include "domain/task/task.h"
#include "service/tasks/task_input.h"
#include "util/status.h"

// From a caller's input to fields of a task. Each function appends a violation for everything that
// is wrong with its input. Pure functions; inside `tasks` only.

namespace todo::service {

using Violations = std::vector<util::FieldViolation>;

/// Appends `status` as a violation of "task.<field>".
void AddViolation(Violations& violations, std::string_view field, const absl::Status& status);

/// Whether a due date is given at all.
bool IsSet(const DueInput& due);
/// Whether `due` is a point in time only together with a time zone.
bool NeedsTimeZone(const DueInput& due);
/// The due date in `time_zone`; none when none is given or it violates a rule.
domain::Due ResolveDue(const DueInput& input, const std::string& time_zone, Violations& violations);

/// Whether the zone is known.
bool CheckTimeZone(const std::string& time_zone, Violations& violations);
/// Whether the text is a rule, for some task.
bool CheckRule(std::string_view rule, Violations& violations);

/// The position of a task with these fields, with which the series of its rule starts; nullopt: a
/// rule is violated. Preconditions: the fields have a rule, their due date is valid, and their zone
/// is known.
std::optional<domain::SeriesPosition> StartSeriesOrExplain(const domain::TaskFields& fields,
                                                           const domain::Uuid& series_id,
                                                           Violations& violations);

}  // namespace todo::service
