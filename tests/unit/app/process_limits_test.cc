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

TEST(ProcessLimitsTest, BesideTheWebPortMoreThanAQuarterOfTheDescriptorsStays) {
  for (const std::size_t limit : {64UL, 1'024UL, 4'096UL, 65'536UL}) {
    const ConnectionShares shares = ConnectionSharesOf(limit);
    EXPECT_GE(shares.api, 1U);
    EXPECT_GE(shares.app, 1U);
    EXPECT_GE(shares.web, 1U);
    EXPECT_LT(4 * (shares.api + shares.app) + shares.web, limit * 3 / 4) << limit;
  }
}

}  // namespace
}  // namespace todo::app
