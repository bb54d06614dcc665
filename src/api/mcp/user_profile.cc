#include "api/mcp/user_profile.h"

#include <fmt/format.h>

#include <cstdlib>

#include "absl/time/civil_time.h"
#include "domain/task/task.h"
#include "domain/wording.h"
#include "todo/v1/notification_service.pb.h"
#include "util/status.h"

namespace todo::api::mcp {

absl::Status UserProfile::Read() {
  TODO_ASSIGN_OR_RETURN(const auto preferences, methods_.Call<v1::NotificationPreferences>(
                                                    "/todo.v1.NotificationService/GetPreferences",
                                                    v1::GetPreferencesRequest()));
  if (!zone_) {
    const std::string& name = preferences.time_zone();
    TODO_ASSIGN_OR_RETURN(zone_, domain::TimeZone::Load(name.empty() ? "UTC" : name));
  }
  language_ = preferences.wording().language();
  if (language_->empty()) language_ = domain::Wording().language;
  return absl::OkStatus();
}

absl::StatusOr<domain::TimeZone> UserProfile::Zone() {
  if (!zone_) TODO_RETURN_IF_ERROR(Read());
  return *zone_;
}

absl::StatusOr<std::string> UserProfile::Language() {
  if (!language_) TODO_RETURN_IF_ERROR(Read());
  return *language_;
}

absl::Status UserProfile::SetZone(std::string_view iana_name) {
  TODO_ASSIGN_OR_RETURN(zone_, domain::TimeZone::Load(iana_name));
  return absl::OkStatus();
}

absl::StatusOr<domain::Instant> UserProfile::InstantOf(std::string_view text) {
  if (const absl::StatusOr<domain::Instant> instant = domain::ParseInstant(text); instant.ok())
    return instant;
  TODO_ASSIGN_OR_RETURN(const domain::TimeZone zone, Zone());
  const absl::StatusOr<domain::Due> due = domain::ResolveLocalDue(text, zone.name());
  if (due.ok()) return due->at;
  return absl::InvalidArgumentError(
      "must be a day like 2026-11-27, a wall-clock time like 2026-11-27T09:00, or a point in time "
      "like 2026-11-27T09:00:00+01:00");
}

std::string FormatInZone(domain::Instant instant, const domain::TimeZone& zone) {
  const absl::CivilSecond local = zone.ToLocal(instant);
  const auto offset = std::chrono::duration_cast<std::chrono::minutes>(
      domain::TimeZone().ToInstant(local) - std::chrono::floor<std::chrono::seconds>(instant));
  const auto minutes = std::abs(offset.count());
  return fmt::format("{}{}{:02}:{:02}", absl::FormatCivilTime(local),
                     offset.count() < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

}  // namespace todo::api::mcp
