#include "service/tasks/task_input_checks.h"

#include <fmt/format.h>

#include "domain/recurrence/recurrence_rule.h"
#include "domain/recurrence/recurring_task.h"
#include "domain/time_zone.h"
#include "util/require.h"

namespace todo::service {

using domain::Due;

void AddViolation(Violations& violations, std::string_view field, const absl::Status& status) {
  // In logs this prefix names the origin of the message; here the field does.
  constexpr std::string_view kOrigin = "recurrence rule: ";
  std::string_view text = util::FromAbsl(status.message());
  if (text.starts_with(kOrigin)) text.remove_prefix(kOrigin.size());
  violations.push_back({fmt::format("task.{}", field), std::string(text)});
}

bool IsSet(const DueInput& due) { return due.due_date || due.due_local; }

bool NeedsTimeZone(const DueInput& due) { return due.due_local.has_value(); }

Due ResolveDue(const DueInput& input, const std::string& time_zone, Violations& violations) {
  if (!IsSet(input)) return {};
  const absl::StatusOr<Due> due = input.due_local
                                      ? domain::ResolveLocalDue(*input.due_local, time_zone)
                                      : domain::ResolveInstantDue(*input.due_date);
  if (!due.ok()) {
    AddViolation(violations, input.due_local ? "due_local" : "due_date", due.status());
    return {};
  }
  if (input.due_date && due->at != *input.due_date) {
    violations.push_back({"task.due_local",
                          "is given together with task.due_date, which is another point in time; "
                          "give only one of the two"});
  }
  return *due;
}

bool CheckTimeZone(const std::string& time_zone, Violations& violations) {
  const absl::StatusOr<domain::TimeZone> zone = domain::TimeZone::Load(time_zone);
  if (!zone.ok()) AddViolation(violations, "time_zone", zone.status());
  return zone.ok();
}

bool CheckRule(std::string_view rule, Violations& violations) {
  const absl::Status status = domain::ParseRecurrenceRule(rule).status();
  if (!status.ok()) AddViolation(violations, "recurrence_rule", status);
  return status.ok();
}

std::optional<domain::SeriesPosition> StartSeriesOrExplain(const domain::TaskFields& fields,
                                                           const domain::Uuid& series_id,
                                                           Violations& violations) {
  TODO_REQUIRE(fields.recurrence_rule);
  const bool rule_is_good = CheckRule(*fields.recurrence_rule, violations);
  if (fields.due.kind == domain::DueKind::kNone) {
    violations.push_back(
        {"task.recurrence_rule",
         "needs a due date to count from: set task.due_date or task.due_local too"});
    return std::nullopt;
  }
  if (!rule_is_good) return std::nullopt;
  absl::StatusOr<domain::SeriesPosition> series = domain::StartSeries(fields, series_id, 1);
  if (series.ok()) return *series;
  AddViolation(violations, "recurrence_rule", series.status());
  return std::nullopt;
}

}  // namespace todo::service
