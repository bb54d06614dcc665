#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "domain/time.h"

namespace todo::domain {

/// A time zone of the IANA database, and the way from wall-clock time to instants and back.
/// A cheap value; thread-safe. The data is the machine's (/usr/share/zoneinfo, or the folder named
/// by TZDIR).
class TimeZone {
 public:
  /// UTC.
  TimeZone() : TimeZone(absl::UTCTimeZone(), "UTC") {}

  /// The zone called `iana_name`, e.g. "Europe/Berlin", "Asia/Kolkata", "UTC"; the case matters.
  /// kInvalidArgument, with what to write instead, when the database has no such zone or the name
  /// is one that means something else on every machine ("localtime", paths). Reads a file the first
  /// time a zone is named.
  static absl::StatusOr<TimeZone> Load(std::string_view iana_name);

  const std::string& name() const { return name_; }

  /// The instant at which a clock in this zone shows `local`, by RFC 5545 3.3.5: a time that is
  /// skipped when clocks go forward is read with the offset before the change, one that comes twice
  /// is the first of the two. Precondition: the year of `local` is 1 to 9999.
  Instant ToInstant(absl::CivilSecond local) const;

  /// As ToInstant, but of a time that comes twice the second of the two.
  Instant ToLaterInstant(absl::CivilSecond local) const;

  /// What a clock in this zone shows at `instant`; fractions of a second are dropped.
  absl::CivilSecond ToLocal(Instant instant) const;

  /// Wall-clock times that no clock shows: `first` <= t < `end`. `at` is the instant of the change.
  struct Gap {
    absl::CivilSecond first;
    absl::CivilSecond end;
    Instant at;
  };
  /// The first gap whose change is strictly after `after`; nullopt when the zone's data knows of
  /// none.
  std::optional<Gap> NextGap(Instant after) const;

  bool operator==(const TimeZone& other) const { return name_ == other.name_; }

 private:
  TimeZone(absl::TimeZone zone, std::string_view name) : zone_(zone), name_(name) {}

  absl::TimeZone zone_;
  std::string name_;
};

}  // namespace todo::domain
