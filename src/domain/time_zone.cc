#include "domain/time_zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>

#include "util/status.h"

namespace todo::domain {
namespace {

constexpr std::size_t kMaxNameBytes = 64;

// Entries of the database's folder that are not zones of their own: "localtime" and "posixrules"
// differ between machines, "Factory" stands for a machine that was never set up, and "posix" and
// "right" repeat the other zones, the latter with leap seconds.
constexpr std::array<std::string_view, 5> kNotZones = {"localtime", "posixrules", "Factory",
                                                       "posix", "right"};

bool IsLetter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

/// Whether `name` is spelled as zone names are: one to three parts between slashes, each beginning
/// with a letter.
bool IsWellFormed(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes) return false;
  int parts = 1;
  char previous = '/';
  for (char c : name) {
    if (previous == '/' && !IsLetter(c)) return false;
    if (c == '/') {
      ++parts;
    } else if (!IsLetter(c) && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '+') {
      return false;
    }
    previous = c;
  }
  return previous != '/' && parts <= 3 &&
         std::find(kNotZones.begin(), kNotZones.end(), name.substr(0, name.find('/'))) ==
             kNotZones.end();
}

/// Whether the database has a file with this name. Abseil keeps every name that it was ever asked
/// for, known or not, so it must not get names that callers made up.
bool IsInDatabase(const std::string& name) {
  const char* folder = std::getenv(
      "TZDIR");  // NOLINT(concurrency-mt-unsafe): as Abseil does; this program never sets it
  std::error_code error;
  return std::filesystem::is_regular_file(
      std::filesystem::path(folder != nullptr && *folder != '\0' ? folder : "/usr/share/zoneinfo") /
          name,
      error);
}

}  // namespace

absl::StatusOr<TimeZone> TimeZone::Load(std::string_view iana_name) {
  if (iana_name == "UTC") return TimeZone();
  absl::TimeZone zone;
  std::string name(iana_name);
  if (IsWellFormed(name) && IsInDatabase(name) && absl::LoadTimeZone(name, &zone))
    return TimeZone(zone, name);
  return util::MakeStatus(absl::StatusCode::kInvalidArgument,
                          fmt::format("{} is not a time zone of the IANA database; use one such as "
                                      "Europe/Berlin, America/New_York or UTC",
                                      IsWellFormed(name) ? fmt::format("'{}'", name) : "this"));
}

Instant TimeZone::ToInstant(absl::CivilSecond local) const {
  return Instant{std::chrono::microseconds{absl::ToUnixMicros(zone_.At(local).pre)}};
}

Instant TimeZone::ToLaterInstant(absl::CivilSecond local) const {
  const absl::TimeZone::TimeInfo info = zone_.At(local);
  return Instant{std::chrono::microseconds{
      absl::ToUnixMicros(info.kind == absl::TimeZone::TimeInfo::REPEATED ? info.post : info.pre)}};
}

absl::CivilSecond TimeZone::ToLocal(Instant instant) const {
  return zone_.At(absl::FromUnixMicros(instant.time_since_epoch().count())).cs;
}

std::optional<TimeZone::Gap> TimeZone::NextGap(Instant after) const {
  absl::Time time = absl::FromUnixMicros(after.time_since_epoch().count());
  absl::TimeZone::CivilTransition transition;
  while (zone_.NextTransition(time, &transition)) {
    absl::Time at = zone_.At(transition.to).trans;
    if (transition.from < transition.to) {
      return Gap{transition.from, transition.to,
                 Instant{std::chrono::microseconds{absl::ToUnixMicros(at)}}};
    }
    // Always forward, even if the data says otherwise.
    time = std::max(at, time + absl::Seconds(1));
  }
  return std::nullopt;
}

}  // namespace todo::domain
