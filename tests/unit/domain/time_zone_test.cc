#include "domain/time_zone.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace todo::domain {
namespace {

TimeZone Zone(std::string_view name) {
  absl::StatusOr<TimeZone> zone = TimeZone::Load(name);
  EXPECT_TRUE(zone.ok()) << zone.status();
  return zone.value_or(TimeZone());
}

std::string InstantOf(std::string_view zone, absl::CivilSecond local) {
  return FormatInstant(Zone(zone).ToInstant(local));
}

TEST(TimeZone, LoadsZonesByTheirNames) {
  for (std::string_view name : {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires",
                                "Asia/Kolkata", "Etc/GMT+5", "America/Port-au-Prince", "Japan"}) {
    EXPECT_EQ(Zone(name).name(), name);
  }
}

TEST(TimeZone, RefusesWhatIsNoZone) {
  for (const std::string& name : {std::string(),
                                  std::string("Europe/Atlantis"),
                                  std::string("europe/berlin"),
                                  std::string("CEST"),
                                  std::string("localtime"),
                                  std::string("posixrules"),
                                  std::string("Factory"),
                                  std::string("right/Europe/Berlin"),
                                  std::string("posix/Europe/Berlin"),
                                  std::string("/usr/share/zoneinfo/Europe/Berlin"),
                                  std::string("../zoneinfo/Europe/Berlin"),
                                  std::string("Europe/../Europe/Berlin"),
                                  std::string("./Europe/Berlin"),
                                  std::string("Europe//Berlin"),
                                  std::string("Europe/Berlin/"),
                                  std::string("Europe"),
                                  std::string("tzdata.zi"),
                                  std::string("leapseconds"),
                                  std::string("file:Europe/Berlin"),
                                  std::string("Fixed/UTC+01:00:00"),
                                  std::string("UTC+1"),
                                  std::string("Europe/Berlin\0", 14),
                                  std::string(10'000, 'a')}) {
    absl::Status status = TimeZone::Load(name).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_NE(std::string(status.message()).find("use one such as Europe/Berlin"),
              std::string::npos);
    EXPECT_LT(status.message().size(), 200u);
  }
}

TEST(TimeZone, TwoOfTheSameNameAreEqual) {
  EXPECT_EQ(Zone("Europe/Berlin"), Zone("Europe/Berlin"));
  EXPECT_NE(Zone("Europe/Berlin"), Zone("Europe/Paris"));
  EXPECT_EQ(Zone("UTC"), TimeZone());
}

TEST(TimeZone, ASkippedTimeTakesTheOffsetBeforeTheGap) {
  EXPECT_EQ(InstantOf("Europe/Berlin", absl::CivilSecond(2026, 3, 29, 1, 59, 59)),
            "2026-03-29T00:59:59Z");
  EXPECT_EQ(InstantOf("Europe/Berlin", absl::CivilSecond(2026, 3, 29, 2, 30, 0)),
            "2026-03-29T01:30:00Z");
  EXPECT_EQ(InstantOf("Europe/Berlin", absl::CivilSecond(2026, 3, 29, 3, 0, 0)),
            "2026-03-29T01:00:00Z");
  EXPECT_EQ(InstantOf("Pacific/Apia", absl::CivilSecond(2011, 12, 30, 10, 0, 0)),
            "2011-12-30T20:00:00Z");
}

TEST(TimeZone, ATimeThatComesTwiceIsTheFirst) {
  EXPECT_EQ(InstantOf("Europe/Berlin", absl::CivilSecond(2026, 10, 25, 2, 30, 0)),
            "2026-10-25T00:30:00Z");
  EXPECT_EQ(InstantOf("America/New_York", absl::CivilSecond(2026, 11, 1, 1, 0, 0)),
            "2026-11-01T05:00:00Z");
}

TEST(TimeZone, TheLaterOfTwoIsAskedFor) {
  const TimeZone zone = *TimeZone::Load("America/New_York");
  const absl::CivilSecond twice(2027, 11, 7, 1, 30, 0);
  EXPECT_EQ(FormatInstant(zone.ToInstant(twice)), "2027-11-07T05:30:00Z");
  EXPECT_EQ(FormatInstant(zone.ToLaterInstant(twice)), "2027-11-07T06:30:00Z");
  for (const absl::CivilSecond other :
       {absl::CivilSecond(2027, 11, 7, 2, 0, 0), absl::CivilSecond(2027, 3, 14, 2, 30, 0)}) {
    EXPECT_EQ(zone.ToLaterInstant(other), zone.ToInstant(other));
  }
}

TEST(TimeZone, ShowsWhatTheClockShows) {
  TimeZone berlin = Zone("Europe/Berlin");
  EXPECT_EQ(berlin.ToLocal(*ParseInstant("2026-10-25T00:30:00Z")),
            absl::CivilSecond(2026, 10, 25, 2, 30, 0));
  EXPECT_EQ(berlin.ToLocal(*ParseInstant("2026-10-25T01:30:00Z")),
            absl::CivilSecond(2026, 10, 25, 2, 30, 0));
  EXPECT_EQ(berlin.ToLocal(*ParseInstant("2026-03-29T01:30:00.999999Z")),
            absl::CivilSecond(2026, 3, 29, 3, 30, 0));
}

TEST(TimeZone, KnowsItsGaps) {
  TimeZone berlin = Zone("Europe/Berlin");
  auto gap = berlin.NextGap(*ParseInstant("2026-01-01T00:00:00Z"));
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->first, absl::CivilSecond(2026, 3, 29, 2, 0, 0));
  EXPECT_EQ(gap->end, absl::CivilSecond(2026, 3, 29, 3, 0, 0));
  EXPECT_EQ(FormatInstant(gap->at), "2026-03-29T01:00:00Z");
  auto next = berlin.NextGap(gap->at);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->first, absl::CivilSecond(2027, 3, 28, 2, 0, 0));
  EXPECT_FALSE(TimeZone().NextGap(kMinInstant));

  auto day = Zone("Pacific/Apia").NextGap(*ParseInstant("2011-12-01T00:00:00Z"));
  ASSERT_TRUE(day);
  EXPECT_EQ(day->first, absl::CivilSecond(2011, 12, 30, 0, 0, 0));
  EXPECT_EQ(day->end, absl::CivilSecond(2011, 12, 31, 0, 0, 0));
}

TEST(TimeZone, WorksAtTheEdgesOfTime) {
  TimeZone berlin = Zone("Europe/Berlin");
  EXPECT_EQ(berlin.ToLocal(kMaxInstant).year(), 10000);
  EXPECT_EQ(FormatInstant(berlin.ToInstant(absl::CivilSecond(9999, 12, 31, 23, 59, 59))),
            "9999-12-31T22:59:59Z");
  EXPECT_FALSE(berlin.NextGap(kMaxInstant));
}

TEST(TimeZone, MayBeLoadedFromManyThreads) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([] {
      for (std::string_view name : {"Asia/Tokyo", "Asia/Nowhere", "Africa/Cairo", "America/Lima"}) {
        absl::StatusOr<TimeZone> zone = TimeZone::Load(name);
        EXPECT_EQ(zone.ok(), name != "Asia/Nowhere");
      }
    });
  }
}

}  // namespace
}  // namespace todo::domain
