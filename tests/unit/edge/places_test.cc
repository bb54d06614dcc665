#include "edge/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <list>
#include <string>

namespace todo::edge {
namespace {

using namespace std::chrono_literals;
using Standing = Guest::Standing;

class FakeGuest final : public Guest {
 public:
  FakeGuest(Places& places, Standing standing, std::chrono::seconds age, bool proven = false)
      : places_(places),
        standing_(standing),
        proven_(proven),
        since_(std::chrono::steady_clock::now() - age) {}
  ~FakeGuest() override { places_.Give(*this); }
  FakeGuest(const FakeGuest&) = delete;
  FakeGuest& operator=(const FakeGuest&) = delete;

  Standing standing() const override { return standing_; }
  bool proven() const override { return proven_; }
  std::chrono::steady_clock::time_point since() const override { return since_; }
  std::size_t unsent_bytes() const override { return unsent; }
  void Leave() override {
    places_.Give(*this);
    has_left = true;
  }
  void FinishSoon() override { Leave(); }
  bool IsAtWork() const override { return false; }

  bool has_left = false;
  std::size_t unsent = 0;

 private:
  Places& places_;
  const Standing standing_;
  const bool proven_;
  const std::chrono::steady_clock::time_point since_;
};

TEST(PlacesTest, TheConnectionThatWasIdleTheLongestMakesRoom) {
  Places places(3, 0);
  FakeGuest young(places, Standing::kIdle, 1s);
  FakeGuest old(places, Standing::kIdle, 9s);
  FakeGuest middle(places, Standing::kIdle, 5s);
  FakeGuest further(places, Standing::kIdle, 0s);
  for (FakeGuest* guest : {&young, &old, &middle, &further}) EXPECT_TRUE(places.Take(*guest, "a"));
  EXPECT_TRUE(old.has_left);
  EXPECT_FALSE(young.has_left || middle.has_left || further.has_left);
  EXPECT_EQ(places.count(), 3);
}

TEST(PlacesTest, ConnectionsLeaveInTheOrderOfTheirNeed) {
  Places places(10, 0);
  FakeGuest busy(places, Standing::kBusy, 100s);
  FakeGuest moving(places, Standing::kSlow, 0s);
  FakeGuest slow_call(places, Standing::kSlow, 50s, true);
  FakeGuest idle_after_a_call(places, Standing::kIdle, 20s, true);
  FakeGuest newcomer(places, Standing::kIdle, 0s);
  FakeGuest unread_answer(places, Standing::kSlow, 30s);
  FakeGuest half_open(places, Standing::kIdle, 10s);
  FakeGuest* const order[] = {&unread_answer, &half_open,         &moving,
                              &newcomer,      &idle_after_a_call, &slow_call};
  for (FakeGuest* guest : order) places.Take(*guest, "a");
  places.Take(busy, "a");
  for (FakeGuest* guest : order) {
    EXPECT_TRUE(places.FreeOne());
    EXPECT_TRUE(guest->has_left);
  }
  EXPECT_FALSE(places.FreeOne());
  EXPECT_FALSE(busy.has_left);
}

TEST(PlacesTest, ASlowUserMakesRoomHoweverYoung) {
  Places places(2, 0);
  FakeGuest older(places, Standing::kSlow, 1s, true);
  FakeGuest young(places, Standing::kSlow, 0s, true);
  FakeGuest further(places, Standing::kIdle, 0s);
  for (FakeGuest* guest : {&older, &young, &further}) EXPECT_TRUE(places.Take(*guest, "a"));
  EXPECT_TRUE(older.has_left);
  EXPECT_FALSE(young.has_left);
}

TEST(PlacesTest, AQuarterIsForNewcomersWhoHaveNotHadTheTimeToCall) {
  Places places(8, 0);
  std::list<FakeGuest> users;
  for (int i = 0; i < 7; ++i) {
    users.emplace_back(places, i < 3 ? Standing::kIdle : Standing::kSlow, 9s, true);
    EXPECT_TRUE(places.Take(users.back(), "a"));
  }
  FakeGuest first(places, Standing::kIdle, 3s);
  FakeGuest second(places, Standing::kIdle, 2s);
  FakeGuest third(places, Standing::kIdle, 1s);
  EXPECT_TRUE(places.Take(first, "b"));
  EXPECT_TRUE(places.Take(second, "b"));
  EXPECT_FALSE(first.has_left) << "a user made room";
  EXPECT_TRUE(places.Take(third, "b"));
  EXPECT_TRUE(first.has_left);
  EXPECT_EQ(std::ranges::count(users, true, &FakeGuest::has_left), 1);
}

TEST(PlacesTest, APeerAtItsLimitMakesRoomItself) {
  Places places(10, 2);
  FakeGuest other(places, Standing::kIdle, 100s);
  FakeGuest first(places, Standing::kBusy, 50s);
  FakeGuest second(places, Standing::kIdle, 1s);
  FakeGuest third(places, Standing::kBusy, 0s);
  FakeGuest fourth(places, Standing::kBusy, 0s);
  EXPECT_TRUE(places.Take(other, "b"));
  EXPECT_TRUE(places.Take(first, "a"));
  EXPECT_TRUE(places.Take(second, "a"));
  EXPECT_TRUE(places.Take(third, "a"));
  EXPECT_TRUE(second.has_left);
  EXPECT_FALSE(places.Take(fourth, "a")) << "both of this peer are busy";
  EXPECT_FALSE(other.has_left);
  places.Give(first);
  EXPECT_TRUE(places.Take(fourth, "a"));
}

TEST(PlacesTest, TheLargestUnreadAnswerMakesRoomFirstOfThoseThatWait) {
  Places places(10, 0);
  FakeGuest idle(places, Standing::kIdle, 100s);
  FakeGuest body(places, Standing::kSlow, 100s);
  FakeGuest large(places, Standing::kSlow, 5s);
  FakeGuest older(places, Standing::kSlow, 10s);
  FakeGuest young(places, Standing::kSlow, 0s);
  FakeGuest larger_and_young(places, Standing::kSlow, 0s);
  large.unsent = 2'000;
  older.unsent = 1'000;
  young.unsent = 5'000;
  larger_and_young.unsent = 6'000;
  for (FakeGuest* guest : {&idle, &body, &large, &older, &young, &larger_and_young})
    places.Take(*guest, "a");
  for (FakeGuest* guest : {&large, &older, &larger_and_young, &young}) {
    EXPECT_FALSE(guest->has_left);
    EXPECT_TRUE(places.FreeUnsent());
    EXPECT_TRUE(guest->has_left);
  }
  EXPECT_FALSE(places.FreeUnsent());
  EXPECT_FALSE(idle.has_left || body.has_left);
}

}  // namespace
}  // namespace todo::edge
