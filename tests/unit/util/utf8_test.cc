#include "util/utf8.h"

#include <gtest/gtest.h>

namespace todo::util {
namespace {

TEST(CountCharacters, CountsCodePoints) {
  EXPECT_EQ(CountCharacters(""), 0u);
  EXPECT_EQ(CountCharacters("aé€😀"), 4u);
}

TEST(CountCharacters, BytesThatAreNotUtf8OrHoldANulAreNoText) {
  using namespace std::string_view_literals;
  for (const std::string_view bytes : {"\xff"sv, "\xc3"sv, "\xc0\x80"sv, "\xe0\x80\x80"sv,
                                       "\xed\xa0\x80"sv, "\xf4\x90\x80\x80"sv, "a\0b"sv}) {
    EXPECT_EQ(CountCharacters(bytes), std::nullopt);
  }
}

TEST(Utf8Length, IsThatOfTheFirstCharacter) {
  EXPECT_EQ(Utf8Length("a€"), 1u);
  EXPECT_EQ(Utf8Length("€a"), 3u);
  EXPECT_EQ(Utf8Length("\x80"
                       "a"),
            0u);
  EXPECT_EQ(Utf8Length(""), 0u);
}

TEST(CutText, CutsBetweenCharacters) {
  EXPECT_EQ(CutText("short", 5), "short");
  EXPECT_EQ(CutText("a€b", 3), "a…");
  EXPECT_EQ(CutText("a€b", 4), "a€…");
}

}  // namespace
}  // namespace todo::util
