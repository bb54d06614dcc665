#include "app/process_limits.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace todo::app {
namespace {

TEST(ProcessLimitsTest, TheDescriptorLimitIsRaised) {
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit low = before;
  low.rlim_cur = 256;
  setrlimit(RLIMIT_NOFILE, &low);
  const std::size_t limit = RaiseDescriptorLimit();
  rlimit after{};
  getrlimit(RLIMIT_NOFILE, &after);
  EXPECT_EQ(limit, after.rlim_cur);
  EXPECT_TRUE(limit > 256 || before.rlim_max <= 256);
  EXPECT_LE(limit, 65'536U);
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST(ProcessLimitsTest, TheWebPortHasWhatItWantsIfTheRestKeepsEnough) {
  EXPECT_EQ(ConnectionSharesOf(20'000, 4'000).web, 4'000U);
  EXPECT_EQ(ConnectionSharesOf(20'000, 10'500).web, 10'500U);
  EXPECT_EQ(ConnectionSharesOf(20'000, 100'000).web, 11'000U);
  EXPECT_EQ(ConnectionSharesOf(4'096, 100'000).web, 1'024U);
}

TEST(ProcessLimitsTest, TheGrpcPortsHaveHalfOfWhatTheWebPortLeaves) {
  for (const std::size_t limit : {64UL, 1'024UL, 4'096UL, 20'000UL, 65'536UL}) {
    for (const std::size_t wanted : {1UL, 4'000UL, 100'000UL}) {
      const ConnectionShares shares = ConnectionSharesOf(limit, wanted);
      EXPECT_GE(shares.api, 1U);
      EXPECT_GE(shares.app, 1U);
      EXPECT_GE(shares.web, 1U);
      EXPECT_LE(shares.web, wanted);
      EXPECT_LE(4 * (shares.api + shares.app), (limit - shares.web) / 2) << limit;
    }
  }
  EXPECT_EQ(ConnectionSharesOf(65'536, 4'000).api, 2'048U);
  EXPECT_EQ(ConnectionSharesOf(65'536, 4'000).app, 256U);
}

}  // namespace
}  // namespace todo::app
