#include "app/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>
#include <vector>

#include "app/database_probe.h"
#include "support/status_matchers.h"

namespace todo::app {
namespace {

using support::HasReason;
using support::IsOk;
using support::StatusIs;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

class HealthTest : public testing::Test {
 protected:
  void SetUp() override { testing::internal::CaptureStderr(); }
  void TearDown() override { testing::internal::GetCapturedStderr(); }

  Health::SteadyTime now_ = std::chrono::steady_clock::now();
  Health health_{[this] { return now_; }};
};

TEST_F(HealthTest, IsHealthyOnceTheDatabaseIsReady) {
  EXPECT_FALSE(health_.IsHealthy());
  EXPECT_THAT(health_.Admit(), AllOf(StatusIs(absl::StatusCode::kUnavailable,
                                              HasSubstr("the database is not ready yet")),
                                     HasReason("SERVER_NOT_READY")));
  health_.SetReady();
  EXPECT_TRUE(health_.IsHealthy());
  EXPECT_THAT(health_.Admit(), IsOk());
}

TEST_F(HealthTest, FiveSecondsOfSilenceOfTheDatabaseAreUnhealthy) {
  health_.SetReady();
  now_ += 4'999ms;
  EXPECT_TRUE(health_.IsHealthy());
  now_ += 1ms;
  EXPECT_FALSE(health_.IsHealthy());
  EXPECT_THAT(health_.Admit(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("the database does not answer")));
  health_.NoteAnswer(now_);
  EXPECT_TRUE(health_.IsHealthy());
  health_.NoteAnswer(now_ - 1h);
  EXPECT_TRUE(health_.IsHealthy()) << "an older answer changes nothing";
}

TEST_F(HealthTest, AStoppingServiceTakesNoCalls) {
  health_.SetReady();
  health_.SetStopping();
  EXPECT_FALSE(health_.IsHealthy());
  EXPECT_THAT(health_.Admit(), HasReason("SERVER_STOPPING"));
}

TEST_F(HealthTest, PublishesAChangeAtOnceAndOnlyOnce) {
  std::vector<bool> published;
  std::promise<void> first;
  HealthPublisher publisher(health_, [&](bool healthy) {
    published.push_back(healthy);
    first.set_value();  // throws at a second call
  });
  {
    const std::jthread thread([&](const std::stop_token& stop) { publisher.Run(stop); });
    health_.SetReady();
    first.get_future().wait();
  }
  EXPECT_THAT(published, ElementsAre(true));
}

class DatabaseProbeTest : public HealthTest {
 protected:
  absl::Status answer_;
  int asked_ = 0;
  Health::SteadyTime heard_ = now_;
  DatabaseProbe probe_{health_,
                       [this] {
                         ++asked_;
                         return answer_;
                       },
                       [this] { return heard_; }};
};

TEST_F(DatabaseProbeTest, AsksOnlyWhenNoOtherPartHearsFromTheDatabase) {
  health_.SetReady();
  probe_.Look(now_);
  EXPECT_EQ(asked_, 1) << "the first measurement of the clock";
  probe_.Look(now_ + 1s);
  EXPECT_EQ(asked_, 1);
  probe_.Look(now_ + 2s);
  EXPECT_EQ(asked_, 2) << "silence for two seconds";
  heard_ = now_ + 30s;
  probe_.Look(now_ + 30s);
  EXPECT_EQ(asked_, 3) << "the clock is measured every ten seconds";
}

TEST_F(DatabaseProbeTest, ALostDatabaseIsAskedAgainAtEachLook) {
  health_.SetReady();
  answer_ = absl::UnavailableError("no database");
  probe_.Look(now_);
  heard_ = now_ + 1s;
  probe_.Look(now_ + 1s);
  EXPECT_EQ(asked_, 2) << "until it answers the probe itself";
  answer_ = absl::OkStatus();
  probe_.Look(now_ + 2s);
  now_ = std::chrono::steady_clock::now();
  EXPECT_TRUE(health_.IsHealthy());
}

}  // namespace
}  // namespace todo::app
