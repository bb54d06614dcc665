#include "util/same_secret.h"

#include <gtest/gtest.h>

#include <string_view>

namespace todo::util {
namespace {

TEST(IsSameSecret, OnlyEqualTextsAreTheSame) {
  EXPECT_TRUE(IsSameSecret("sesame", "sesame"));
  EXPECT_TRUE(IsSameSecret("", ""));
  EXPECT_TRUE(IsSameSecret(std::string_view("a\0b", 3), std::string_view("a\0b", 3)));
  for (const std::string_view given : {"", "sesam", "sesames", "Sesame", "sesamf"})
    EXPECT_FALSE(IsSameSecret(given, "sesame")) << given;
  EXPECT_FALSE(IsSameSecret(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
}

}  // namespace
}  // namespace todo::util
