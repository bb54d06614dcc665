#include "util/unicode.h"

#include <gtest/gtest.h>

#include <string>

namespace todo::util {
namespace {

TEST(FoldForSearch, MakesAllCasesOfATextTheSame) {
  EXPECT_EQ(FoldForSearch("ABC xyz 123"), "abc xyz 123");
  EXPECT_EQ(FoldForSearch("Σίσυφος"), FoldForSearch("ΣΊΣΥΦΟΣ"));
  for (const char* sigma : {"σ", "ς", "Σ"}) EXPECT_EQ(FoldForSearch(sigma), "σ");
  for (const char* sharp : {"ß", "ẞ", "ss", "SS", "Ss"}) EXPECT_EQ(FoldForSearch(sharp), "ss");
  EXPECT_EQ(FoldForSearch("İ"), "i\u0307");
  EXPECT_EQ(FoldForSearch("I"), "i");
  EXPECT_EQ(FoldForSearch("ı"), "ı");
  EXPECT_EQ(FoldForSearch("ЁЖ"), "ёж");
  EXPECT_EQ(FoldForSearch("Ꭰ"), FoldForSearch("ꭰ"));
}

TEST(FoldForSearch, LooksAtCharactersNotAtTheirEncoding) {
  EXPECT_EQ(FoldForSearch("Cafe\u0301"), "café");
  EXPECT_EQ(FoldForSearch("ﬁ①Ａ"), "fi1a");
  EXPECT_EQ(FoldForSearch("a\u00adb\u200bc\u200dd"), "abcd");
}

TEST(FoldForSearch, LeavesNoControlCharacterButWhiteSpace) {
  std::string all;
  for (char c = 1; c < ' '; ++c) all += c;
  EXPECT_EQ(FoldForSearch(all + "\x7f"), "\t\n\v\f\r");
}

TEST(FoldForSearch, TakesAnything) {
  EXPECT_EQ(FoldForSearch(""), "");
  EXPECT_EQ(FoldForSearch("A\xff"), "a\xff");
  EXPECT_EQ(FoldForSearch(std::string(100'000, 'A')), std::string(100'000, 'a'));
  EXPECT_EQ(FoldForSearch(std::string("a\0b", 3)), "ab");
}

TEST(HasVisible, SeesLettersSignsAndPicturesButNoSpaceAndNoFormat) {
  for (const char* text : {"a", " a", ".", "\u0301", "\u0600", "\U0001f600", "\ue000", "\u00a0x"})
    EXPECT_TRUE(HasVisible(text)) << text;
  for (const char* text :
       {"", " ", "\t\r\n", "\u00a0\u3000\u2028", "\u200b\u200c\u200d\u2060\ufeff", "\u00ad",
        "\u202a\u202e\u2066", "\x01\x7f\u0085", "\u3164\u115f\uffa0", "\ufe0f\U000e0041", "\u2800"})
    EXPECT_FALSE(HasVisible(text)) << testing::PrintToString(text);
}

}  // namespace
}  // namespace todo::util
