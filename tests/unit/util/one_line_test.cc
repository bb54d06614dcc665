#include "util/one_line.h"

#include <gtest/gtest.h>

namespace todo::util {
namespace {

TEST(OneLine, KeepsPlainText) {
  EXPECT_EQ(OneLine("Gr\u00fc\u00dfe \u2713 \U0001f600", 100), "Gr\u00fc\u00dfe \u2713 \U0001f600");
  EXPECT_EQ(OneLine("", 100), "");
}

TEST(OneLine, MakesSpacesOfControlCharacters) {
  EXPECT_EQ(OneLine("a\r\nBcc: b\t\x7f\u0085\u2028\u2029z", 100), "a  Bcc: b     z");
}

TEST(OneLine, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(OneLine("\xff\xc3x\xe2\x82", 100), "??x??");
  EXPECT_EQ(OneLine("\xed\xa0\x80", 100), "???");  // a surrogate
  EXPECT_EQ(OneLine("\xc0\xaf", 100), "??");       // an overlong slash
  EXPECT_EQ(OneLine(std::string_view("a\0b", 3), 100), "a?b");
}

TEST(OneLine, CutsBetweenCharacters) {
  EXPECT_EQ(OneLine("ab\u00fc", 4), "ab\u00fc");
  EXPECT_EQ(OneLine("ab\u00fc", 3), "ab");
  EXPECT_EQ(OneLine("\U0001f600", 3), "");
}

}  // namespace
}  // namespace todo::util
