#include "relay/mailbox.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>

namespace todo::relay {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr SteadyTime kStart{hours(1)};

TEST(Mailbox, WakesOnlyHeldShardsAndOnlyWithinTheLease) {
  Mailbox mailbox;
  EXPECT_FALSE(mailbox.Wake(1, kStart));
  mailbox.SetHeld({1, 2}, kStart + seconds(4));
  EXPECT_TRUE(mailbox.Wake(1, kStart));
  EXPECT_FALSE(mailbox.Wake(3, kStart));
  EXPECT_FALSE(mailbox.Wake(2, kStart + seconds(4)));
  EXPECT_EQ(mailbox.Take().woken, (std::set<int>{1}));
  EXPECT_TRUE(mailbox.Take().woken.empty());
}

TEST(Mailbox, AnEarlierLetterEndsTheWaitAtOnce) {
  Mailbox mailbox;
  mailbox.Complete({.shard = 1, .batch_id = 7, .part = 0, .status = absl::OkStatus()});
  mailbox.Wait(hours(1));
  EXPECT_EQ(mailbox.Take().completions.size(), 1u);
  mailbox.Stop(kStart);
  mailbox.Wait(hours(1));
  EXPECT_EQ(mailbox.Take().stop_at, kStart);
}

TEST(Mailbox, PostingEndsAWaitUnderWay) {
  Mailbox mailbox;
  mailbox.SetHeld({1}, kStart + seconds(4));
  std::jthread poster([&] { mailbox.Wake(1, kStart); });
  mailbox.Wait(hours(1));
  EXPECT_EQ(mailbox.Take().woken, (std::set<int>{1}));
}

TEST(Mailbox, WaitEndsByItselfToo) {
  Mailbox mailbox;
  mailbox.Wait(seconds(0));
  mailbox.Wait(seconds(-1));
  EXPECT_TRUE(mailbox.Take().woken.empty());
}

}  // namespace
}  // namespace todo::relay
