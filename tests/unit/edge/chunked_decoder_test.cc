#include "edge/chunked_decoder.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace todo::edge {
namespace {

using State = ChunkedDecoder::State;

struct Decoded {
  State state = State::kMore;
  std::string body;
  std::string rest;

  bool operator==(const Decoded&) const = default;
};

/// Gives `text` to a decoder in parts of `part_bytes`.
Decoded Decode(std::string_view text, std::size_t part_bytes = std::string_view::npos,
               std::size_t max_body_bytes = 1'000'000) {
  ChunkedDecoder decoder(max_body_bytes);
  Decoded decoded;
  while (decoded.state == State::kMore && !text.empty()) {
    std::string_view part = text.substr(0, part_bytes);
    const std::size_t before = part.size();
    decoded.state = decoder.Decode(part, decoded.body);
    text.remove_prefix(before - part.size());
  }
  decoded.rest = text;
  return decoded;
}

TEST(ChunkedDecoderTest, DecodesABodyHoweverItIsCut) {
  constexpr std::string_view kText =
      "5\r\nhello\r\n0a;name=value; other=\"quoted\"\r\n, you all.\r\n000\r\nTrailer: "
      "x\r\n\r\nNEXT";
  const Decoded whole = Decode(kText);
  EXPECT_EQ(whole.state, State::kDone);
  EXPECT_EQ(whole.body, "hello, you all.");
  EXPECT_EQ(whole.rest, "NEXT");
  for (std::size_t part_bytes = 1; part_bytes < kText.size(); ++part_bytes)
    EXPECT_EQ(Decode(kText, part_bytes), whole) << part_bytes;
}

TEST(ChunkedDecoderTest, AnEmptyBodyIsOneChunk) {
  EXPECT_EQ(Decode("0\r\n\r\n"), (Decoded{State::kDone, "", ""}));
}

TEST(ChunkedDecoderTest, WaitsForTheEnd) {
  for (const std::string_view text : {"5", "5\r", "5\r\n", "5\r\nhel", "5\r\nhello",
                                      "5\r\nhello\r\n", "0\r\n", "0\r\n\r", "0\r\nA: b\r\n"})
    EXPECT_EQ(Decode(text).state, State::kMore) << text;
}

TEST(ChunkedDecoderTest, RefusesOtherFraming) {
  for (const std::string_view text : {"\r\n",
                                      "x\r\n",
                                      "-1\r\n",
                                      "+1\r\n",
                                      "0x1\r\n",
                                      "1 \r\na",
                                      " 1\r\na",
                                      "1\na",
                                      "1\r\nab",
                                      "1\r\na\n",
                                      "1\r\na\rb",
                                      "1;\x01\r\n",
                                      "1;a\nb",
                                      "1\rx",
                                      "0\r\n\n",
                                      "0\r\nA: b\n",
                                      "0\r\nA: b\rc",
                                      "0\r\n\x01",
                                      "1234567890123456\r\n",
                                      ";a\r\n"})
    EXPECT_EQ(Decode(text).state, State::kBad) << text;
}

TEST(ChunkedDecoderTest, LimitsTheBodyBeforeItComes) {
  EXPECT_EQ(Decode("a\r\n0123456789\r\n0\r\n\r\n", 1, 10).state, State::kDone);
  EXPECT_EQ(Decode("b\r\n", 1, 10).state, State::kTooLarge);
  EXPECT_EQ(Decode("fffffffffffffff\r\n", 1, 10).state, State::kTooLarge);
  EXPECT_EQ(Decode("a\r\n0123456789\r\n1\r\n", 1, 10).state, State::kTooLarge);
}

TEST(ChunkedDecoderTest, LimitsTheTrailer) {
  EXPECT_EQ(Decode(fmt::format("0\r\nA: {}\r\n\r\n", std::string(4'000, 'x'))).state, State::kDone);
  EXPECT_EQ(Decode(fmt::format("0\r\nA: {}", std::string(5'000, 'x'))).state, State::kBad);
  std::string lines = "0\r\n";
  for (int i = 0; i < 2'000; ++i) lines += "A:\r\n";
  EXPECT_EQ(Decode(lines).state, State::kBad);
}

TEST(ChunkedDecoderTest, LimitsExtensions) {
  EXPECT_EQ(Decode(fmt::format("1;{}", std::string(300, 'x'))).state, State::kBad);
  std::string many;
  for (int i = 0; i < 1'000; ++i) many += fmt::format("1;{}\r\na\r\n", std::string(100, 'x'));
  EXPECT_EQ(Decode(many).state, State::kBad) << "each is short, all together are not";
}

TEST(ChunkedDecoderTest, TakesManySmallChunks) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "1\r\na\r\n";
  const Decoded decoded = Decode(text + "0\r\n\r\n");
  EXPECT_EQ(decoded.state, State::kDone);
  EXPECT_EQ(decoded.body.size(), 100'000U);
}

}  // namespace
}  // namespace todo::edge
