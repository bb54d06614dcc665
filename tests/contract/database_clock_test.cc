#include "store/database_clock.h"

#include <gtest/gtest.h>

#include <string>

#include "domain/time.h"

namespace todo::store {
namespace {

using namespace std::chrono_literals;
using domain::Instant;

class SetClock final : public ports::Clock {
 public:
  Instant Now() const override { return now; }
  Instant now = *domain::ParseInstant("2026-11-26T12:00:00Z");
};

class DatabaseClockTest : public testing::Test {
 protected:
  void SetUp() override { testing::internal::CaptureStderr(); }
  void TearDown() override { testing::internal::GetCapturedStderr(); }

  /// Time passes, by the machine's clock too.
  void Pass(std::chrono::microseconds time) {
    steady_ += time;
    machine_.now += time;
  }
  /// The database shows `time` in a round trip that took `round_trip`.
  void Measure(Instant time, std::chrono::microseconds round_trip = 1ms) {
    const DatabaseClock::SteadyTime sent = steady_;
    Pass(round_trip);
    clock_.Note(sent, time);
  }
  std::string Logged() {
    const std::string lines = testing::internal::GetCapturedStderr();
    testing::internal::CaptureStderr();
    return lines;
  }
  bool Complains() { return Logged().find("\"clock_differs\"") != std::string::npos; }

  SetClock machine_;
  DatabaseClock::SteadyTime steady_{1h};
  DatabaseClock clock_{machine_, [this] { return steady_; }};
};

TEST_F(DatabaseClockTest, BeforeTheFirstMeasurementItShowsTheMachinesTime) {
  EXPECT_EQ(clock_.Now(), machine_.Now());
}

TEST_F(DatabaseClockTest, AMachineFarAheadChangesNothing) {
  const Instant database = machine_.now;
  machine_.now += 60 * 24h;
  Measure(database, 0ms);
  EXPECT_EQ(clock_.Now(), database);
  Pass(90s);
  EXPECT_EQ(clock_.Now(), database + 90s);
}

TEST_F(DatabaseClockTest, SettingTheMachinesClockBackChangesNothing) {
  const Instant database = machine_.now;
  Measure(database, 0ms);
  machine_.now -= 1h;
  Pass(1s);
  EXPECT_EQ(clock_.Now(), database + 1s);
}

TEST_F(DatabaseClockTest, AMeasurementMovesItNoFurtherThanItProvesItWrong) {
  const Instant database = machine_.now;
  Measure(database, 2ms);
  EXPECT_EQ(clock_.Now(), database + 1ms) << "read in the middle, as far as can be told";
  Measure(database + 2ms, 10s);
  EXPECT_EQ(clock_.Now(), database + 1ms + 10s) << "a slow answer proves nothing";
  Measure(database + 1h, 2ms);
  EXPECT_EQ(clock_.Now(), database + 1h) << "the database's clock was set";
  Measure(database, 2ms);
  EXPECT_EQ(clock_.Now(), database + 2ms);
}

TEST_F(DatabaseClockTest, ADifferenceOfMoreThanASecondIsAnErrorInTheLog) {
  Measure(machine_.now + 1000ms);
  EXPECT_FALSE(Complains());
  Measure(machine_.now + 1100ms);
  EXPECT_TRUE(Complains());
  Measure(machine_.now + 1100ms);
  EXPECT_FALSE(Complains()) << "said already";
  Pass(10min);
  Measure(machine_.now + 1100ms);
  EXPECT_TRUE(Complains()) << "and it lasts";
  Measure(machine_.now);
  EXPECT_NE(Logged().find("\"clock_agrees\""), std::string::npos);
  Measure(machine_.now - 60 * 24h);
  const std::string line = Logged();
  EXPECT_NE(line.find("\"severity\":\"error\""), std::string::npos) << line;
  EXPECT_NE(line.find("\"ahead_of_database_ms\":5184000000"), std::string::npos) << line;
}

TEST_F(DatabaseClockTest, ARoundTripThatMayHaveTakenTheDifferenceIsNoProofOfIt) {
  Measure(machine_.now, 5s);
  EXPECT_FALSE(Complains()) << "the answer was five seconds on its way";
  Measure(machine_.now + 5s, 5s);
  EXPECT_FALSE(Complains()) << "the question was";
  Measure(machine_.now - 2s, 5s);
  EXPECT_TRUE(Complains());
  Measure(machine_.now, 5s);
  EXPECT_EQ(Logged(), "") << "no proof of the opposite either";
}

}  // namespace
}  // namespace todo::store
