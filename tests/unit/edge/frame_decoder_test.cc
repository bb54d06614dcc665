#include "edge/frame_decoder.h"
#include "unit/edge/client_frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace todo::edge {
namespace {

using Kind = FrameEvent::Kind;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct Seen {
  Kind kind = Kind::kNothing;
  std::string payload = {};
  int code = 0;

  bool operator==(const Seen&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  return out << static_cast<int>(seen.kind) << " " << seen.code << " " << seen.payload;
}

/// All that arrives when `bytes` come in parts of `part_bytes`. The words of faults are left out.
std::vector<Seen> Decode(std::string_view bytes, FrameBounds bounds = {},
                         std::size_t part_bytes = 1'000'000) {
  FrameDecoder decoder(bounds);
  std::vector<Seen> all;
  while (!bytes.empty()) {
    std::string_view part = bytes.substr(0, part_bytes);
    bytes.remove_prefix(part.size());
    while (true) {
      FrameEvent event = decoder.Next(part);
      if (event.kind == Kind::kNothing) break;
      const bool fault = event.kind == Kind::kFault;
      EXPECT_TRUE(!fault || !event.payload.empty());
      if (fault) event.payload.clear();
      all.push_back({.kind = event.kind, .payload = event.payload, .code = event.code});
      if (fault) return all;
    }
    EXPECT_THAT(part, IsEmpty());
  }
  return all;
}

int FaultOf(std::string_view bytes, FrameBounds bounds = {}) {
  const std::vector<Seen> all = Decode(bytes, bounds);
  return all.empty() || all.back().kind != Kind::kFault ? 0 : all.back().code;
}

std::string Part(Opcode opcode, std::string_view payload) {
  return ToBytes({.opcode = opcode, .payload = payload, .last = false});
}
std::string LastPart(std::string_view payload) {
  return ToBytes({.opcode = Opcode::kContinuation, .payload = payload});
}

TEST(FrameDecoderTest, TakesMessagesOfEveryFormOfLength) {
  for (const std::size_t size : {0UL, 1UL, 125UL, 126UL, 127UL, 65'535UL, 65'536UL, 100'000UL}) {
    const std::string payload(size, 'x');
    EXPECT_THAT(Decode(Text(payload), {.max_message_bytes = 100'000}),
                ElementsAre(Seen{.kind = Kind::kText, .payload = payload}))
        << size;
  }
}

TEST(FrameDecoderTest, TakesFramesInAnyCut) {
  const std::string bytes = Text("one") + Part(Opcode::kText, "tw\xc3") + Ping("p") +
                            LastPart("\xb6o") + Text("") + Text(std::string(300, 'y')) +
                            CloseFrame(4001, "bye");
  const std::vector<Seen> whole = Decode(bytes);
  EXPECT_THAT(whole, ElementsAre(Seen{.kind = Kind::kText, .payload = "one"},
                                 Seen{.kind = Kind::kPing, .payload = "p"},
                                 Seen{.kind = Kind::kText, .payload = "tw\xc3\xb6o"},
                                 Seen{.kind = Kind::kText, .payload = ""},
                                 Seen{.kind = Kind::kText, .payload = std::string(300, 'y')},
                                 Seen{.kind = Kind::kClose, .payload = "bye", .code = 4001}));
  for (const std::size_t part_bytes : {1UL, 2UL, 3UL, 7UL, 100UL})
    EXPECT_EQ(Decode(bytes, {}, part_bytes), whole) << part_bytes;
}

TEST(FrameDecoderTest, HoldsNothingBetweenMessages) {
  FrameDecoder decoder({});
  const std::string bytes = Text("a message that is longer than a short string");
  std::string_view begin = std::string_view(bytes).substr(0, 20);
  EXPECT_EQ(decoder.Next(begin).kind, Kind::kNothing);
  EXPECT_TRUE(decoder.in_message());
  EXPECT_EQ(decoder.held_bytes(), 14U);
  std::string_view rest = std::string_view(bytes).substr(20);
  EXPECT_EQ(decoder.Next(rest).kind, Kind::kText);
  EXPECT_FALSE(decoder.in_message());
  EXPECT_EQ(decoder.held_bytes(), 0U);
}

TEST(FrameDecoderTest, RefusesBrokenFrames) {
  std::string reserved = Text("x");
  reserved[0] = static_cast<char>(reserved[0] | 0x40);
  EXPECT_EQ(FaultOf(reserved), 1002);
  for (const int opcode : {3, 7, 11, 15})
    EXPECT_EQ(FaultOf(ToBytes({.opcode = static_cast<Opcode>(opcode)})), 1002) << opcode;
  EXPECT_EQ(FaultOf(ToBytes({.payload = "x", .masked = false})), 1002);
  EXPECT_EQ(FaultOf(std::string("\x81\xfe\x00\x7d", 4) + "mask"), 1002) << "two bytes for 125";
  EXPECT_EQ(FaultOf(std::string("\x81\xff\0\0\0\0\0\0\xff\xff", 10) + "mask"), 1002);
  EXPECT_EQ(FaultOf(std::string("\x81\xff\x80\0\0\0\0\0\0\0", 10) + "mask"), 1002);
  EXPECT_EQ(FaultOf(ToBytes({.opcode = Opcode::kPing, .payload = "x", .last = false})), 1002);
  EXPECT_EQ(FaultOf(Ping(std::string(126, 'x'))), 1002);
  EXPECT_EQ(FaultOf(Ping(std::string(125, 'x'))), 0);
}

TEST(FrameDecoderTest, RefusesFragmentsOutOfOrder) {
  EXPECT_EQ(FaultOf(LastPart("x")), 1002);
  EXPECT_EQ(FaultOf(Part(Opcode::kText, "x") + Text("y")), 1002);
  EXPECT_EQ(FaultOf(Part(Opcode::kText, "x") + LastPart("y") + LastPart("z")), 1002);
}

TEST(FrameDecoderTest, TakesBinaryMessagesOnlyWhenAsked) {
  const std::string bytes = ToBytes({.opcode = Opcode::kBinary, .payload = "\xff"});
  EXPECT_EQ(FaultOf(bytes), 1003);
  EXPECT_THAT(Decode(bytes, {.binary = true}),
              ElementsAre(Seen{.kind = Kind::kBinary, .payload = "\xff"}));
}

TEST(FrameDecoderTest, TakesOnlyTextInUtf8) {
  using namespace std::string_literals;
  for (const std::string& text :
       {"\0"s, "\xc2\x80"s, "\xdf\xbf"s, "\xe0\xa0\x80"s, "\xed\x9f\xbf"s, "\xee\x80\x80"s,
        "\xef\xbf\xbf"s, "\xf0\x90\x80\x80"s, "\xf4\x8f\xbf\xbf"s})
    EXPECT_EQ(FaultOf(Text(text)), 0) << text;
  for (const std::string& text :
       {"\x80"s, "\xbf"s, "\xc0\x80"s, "\xc1\xbf"s, "\xc3"s, "\xc3\x28"s, "\xe0\x9f\xbf"s,
        "\xed\xa0\x80"s, "\xed\xbf\xbf"s, "\xf0\x8f\xbf\xbf"s, "\xf4\x90\x80\x80"s,
        "\xf5\x80\x80\x80"s, "\xfe"s, "\xff"s, "\xe2\x82"s, "\xf0\x9f\x92"s})
    EXPECT_EQ(FaultOf(Text(text)), 1007) << text;
}

TEST(FrameDecoderTest, RefusesTextAsSoonAsItIsNoLongerUtf8) {
  EXPECT_EQ(FaultOf(Part(Opcode::kText, "\xf4") + Part(Opcode::kContinuation, "\x90")), 1007);
  const std::string frame = Text("ok\xff and what follows");
  EXPECT_EQ(FaultOf(std::string_view(frame).substr(0, 9)), 1007) << "before the frame ends";
}

TEST(FrameDecoderTest, BoundsMessages) {
  const FrameBounds bounds{.max_message_bytes = 10};
  EXPECT_EQ(FaultOf(Text("0123456789"), bounds), 0);
  const std::string frame = Text("0123456789x");
  EXPECT_EQ(FaultOf(std::string_view(frame).substr(0, 6), bounds), 1009) << "from the head alone";
  EXPECT_EQ(FaultOf(Part(Opcode::kText, "01234") + LastPart("56789"), bounds), 0);
  EXPECT_EQ(FaultOf(Part(Opcode::kText, "01234") + LastPart("56789x"), bounds), 1009);
  EXPECT_EQ(FaultOf(std::string("\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 10) + "mask"), 1009);
}

TEST(FrameDecoderTest, BoundsFragments) {
  const FrameBounds bounds{.max_fragments = 3};
  const std::string empty = Part(Opcode::kContinuation, "");
  const std::string begin = Part(Opcode::kText, "x");
  EXPECT_THAT(Decode(begin + empty + LastPart("") + begin + empty + LastPart(""), bounds),
              SizeIs(2));
  EXPECT_EQ(FaultOf(begin + empty + empty + LastPart(""), bounds), 1008);
}

TEST(FrameDecoderTest, ChecksCloseFrames) {
  const auto close = [](std::string_view payload) {
    return ToBytes({.opcode = Opcode::kClose, .payload = payload});
  };
  EXPECT_THAT(Decode(close("")), ElementsAre(Seen{.kind = Kind::kClose}));
  EXPECT_EQ(FaultOf(close("\x03")), 1002);
  for (const int code : {1000, 1001, 1003, 1007, 1012, 1014, 3000, 4999})
    EXPECT_THAT(Decode(CloseFrame(code)), ElementsAre(Seen{.kind = Kind::kClose, .code = code}));
  for (const int code : {1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65'535})
    EXPECT_EQ(FaultOf(CloseFrame(code)), 1002) << code;
  EXPECT_EQ(FaultOf(CloseFrame(1000, "\xff")), 1007);
  EXPECT_EQ(FaultOf(CloseFrame(1000, "\xc3")), 1007);
}

TEST(FrameEncoderTest, CutsReasonsBetweenCharacters) {
  EXPECT_EQ(ClosePayload(0, "ignored"), "");
  EXPECT_EQ(ClosePayload(1000, ""), "\x03\xe8");
  const std::string fits(123, 'x');
  EXPECT_EQ(ClosePayload(1000, fits).substr(2), fits);
  EXPECT_EQ(ClosePayload(1000, fits + "x").substr(2), fits);
  const std::string before(122, 'x');
  EXPECT_EQ(ClosePayload(1000, before + "\xc3\xb6").substr(2), before);
}

}  // namespace
}  // namespace todo::edge
