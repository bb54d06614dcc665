#include "util/require.h"

#include <gtest/gtest.h>

namespace todo::util {
namespace {

TEST(Require, AFulfilledPreconditionCostsItsConditionOnce) {
  int asked = 0;
  TODO_REQUIRE(++asked > 0);
  EXPECT_EQ(asked, 1);
}

#ifdef TODO_FAULT_POINTS
TEST(RequireDeathTest, ABrokenPreconditionEndsTheProcessAndNamesItself) {
  EXPECT_DEATH(TODO_REQUIRE(1 + 1 == 3), "precondition_broken.*1 \\+ 1 == 3");
}
#endif

}  // namespace
}  // namespace todo::util
