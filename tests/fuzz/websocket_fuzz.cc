// Gives the decoder of WebSocket frames whatever comes. Stops at anything that its header rules
// out.
//
// An input is bytes as a client sends them after the handshake.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "edge/frame_decoder.h"
#include "require.h"

namespace {

using todo::edge::FrameBounds;
using todo::edge::FrameDecoder;
using todo::edge::FrameEvent;
using todo::fuzz::Require;
using Kind = FrameEvent::Kind;

constexpr FrameBounds kText{.max_message_bytes = 300, .max_fragments = 4};
constexpr FrameBounds kBoth{.max_message_bytes = 300, .max_fragments = 4, .binary = true};

struct Arrived {
  Kind kind = Kind::kNothing;
  std::string payload = {};
  int code = 0;

  bool operator==(const Arrived&) const = default;
};

/// Whether `text` is UTF-8, found in another way than the decoder does.
bool IsUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (i + length > text.size() || (lead >= 0x80 && lead < 0xc2) || lead > 0xf4) return false;
    std::uint32_t point = length == 1 ? lead : lead & (0x7fU >> length);
    for (std::size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if (next >> 6 != 2) return false;
      point = point << 6 | (next & 0x3fU);
    }
    const bool is_short = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
    if (is_short || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return false;
    i += length;
  }
  return true;
}

void Check(const FrameEvent& event, const FrameBounds& bounds) {
  switch (event.kind) {
    case Kind::kNothing: return;
    case Kind::kText: Require(IsUtf8(event.payload), "texts are UTF-8"); break;
    case Kind::kBinary: Require(bounds.binary, "binary messages come only when asked for"); break;
    case Kind::kPing:
    case Kind::kPong: Require(event.payload.size() <= 125, "control frames are short"); break;
    case Kind::kClose:
      Require(event.payload.size() <= 123 && IsUtf8(event.payload), "reasons are short texts");
      Require(event.code == 0 || (event.code >= 1000 && event.code < 5000), "codes are valid");
      Require(event.code != 1005 && event.code != 1006 && event.code != 1015, "codes are valid");
      break;
    case Kind::kFault:
      Require(event.code >= 1002 && event.code <= 1009, "a fault has a code");
      Require(!event.payload.empty(), "a fault has a reason");
      break;
  }
  Require(event.payload.size() <= bounds.max_message_bytes, "messages keep to their bound");
}

std::vector<Arrived> Decode(std::string_view bytes, const FrameBounds& bounds,
                            std::size_t part_bytes) {
  FrameDecoder decoder(bounds);
  std::vector<Arrived> all;
  while (!bytes.empty()) {
    std::string_view part = bytes.substr(0, part_bytes);
    bytes.remove_prefix(part.size());
    for (Kind kind = Kind::kText; kind != Kind::kNothing;) {
      const FrameEvent event = decoder.Next(part);
      kind = event.kind;
      Check(event, bounds);
      Require(decoder.held_bytes() <= bounds.max_message_bytes, "held bytes keep to their bound");
      if (kind != Kind::kNothing)
        all.push_back({.kind = kind, .payload = event.payload, .code = event.code});
      if (kind == Kind::kFault) return all;
    }
    Require(part.empty(), "a decoder that wants more has taken all");
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const FrameBounds& bounds : {kText, kBoth}) {
    const std::vector<Arrived> whole = Decode(bytes, bounds, bytes.size() + 1);
    Require(Decode(bytes, bounds, 1) == whole, "the cuts between parts do not matter");
    Require(Decode(bytes, bounds, 5) == whole, "the cuts between parts do not matter");
  }
  return 0;
}
