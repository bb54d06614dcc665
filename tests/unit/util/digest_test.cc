#include "util/digest.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "util/status.h"

namespace todo::util {
namespace {

std::string Hex(std::string_view text) { return absl::BytesToHexString(ToAbsl(Sha256(text))); }

TEST(Sha256, GivesTheDigestsOfTheStandard) {
  EXPECT_EQ(Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, ReadsBeyondNul) {
  EXPECT_NE(Sha256(std::string_view("a\0b", 3)), Sha256(std::string_view("a\0c", 3)));
}

}  // namespace
}  // namespace todo::util
