#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "domain/time.h"

namespace todo::domain {

/// A time zone of the IANA database; converts wall-clock times to instants and back. A cheap value;
/// thread-safe. The data is that of the machine (/usr/share/zoneinfo, or the folder named by
/// TZDIR).
class TimeZone {
 public:
  /// UTC.
  TimeZone() : TimeZone(absl::UTCTimeZone(), "UTC") {}

  /// The zone called `iana_name`, e.g. "Europe/Berlin", "Asia/Kolkata", "UTC"; case matters. Reads
  /// a file the first time a zone is named. kInvalidArgument, with a text for people: the database
  /// has no such zone, or the name means something else on each machine ("localtime", paths).
  static absl::StatusOr<TimeZone> Load(std::string_view iana_name);

  const std::string& name() const { return name_; }

  /// The instant at which a clock in this zone shows `local`. As RFC 5545 3.3.5 says, a time that
  /// clocks skip when they go forward is read with the offset before the change, and a time that
  /// clocks show twice is the first of the two. Precondition: the year of `local` is 1 to 9999.
  Instant ToInstant(absl::CivilSecond local) const;

  /// As ToInstant, but a time that clocks show twice is the second of the two.
  Instant ToLaterInstant(absl::CivilSecond local) const;

  /// The time that a clock in this zone shows at `instant`, without fractions of a second.
  absl::CivilSecond ToLocal(Instant instant) const;

  /// Wall-clock times that no clock shows: `first` <= t < `end`. `at` is the instant of the change.
  struct Gap {
    absl::CivilSecond first;
    absl::CivilSecond end;
    Instant at;
  };
  /// The first gap whose change is strictly after `after`; nullopt: the zone's data has none.
  std::optional<Gap> NextGap(Instant after) const;

  bool operator==(const TimeZone& other) const { return name_ == other.name_; }

 private:
  TimeZone(absl::TimeZone zone, std::string_view name) : zone_(zone), name_(name) {}

  absl::TimeZone zone_;
  std::string name_;
};

}  // namespace todo::domain
