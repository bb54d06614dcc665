#include "util/backoff.h"

#include <gtest/gtest.h>

namespace todo::util {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, DoublesUpToTheLastWait) {
  Backoff backoff(milliseconds(100), milliseconds(350));
  for (const int expected : {100, 200, 350, 350}) {
    EXPECT_EQ(backoff.Next(), milliseconds(expected));
  }
}

TEST(Backoff, BeginsAgainAfterReset) {
  Backoff backoff(milliseconds(100), milliseconds(1'000));
  backoff.Next();
  backoff.Next();
  backoff.Reset();
  EXPECT_EQ(backoff.Next(), milliseconds(100));
}

}  // namespace
}  // namespace todo::util
