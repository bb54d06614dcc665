#include "edge/frame_encoder.h"

#include <algorithm>

namespace todo::edge {
namespace {

constexpr std::uint8_t kFin = 0x80;
constexpr std::size_t kShortest = 125;  // the longest payload whose length is one byte
constexpr std::size_t kTwoBytes = 0xffff;

void AppendNumber(std::string& out, std::size_t number, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(number >> shift));
}

}  // namespace

void AppendFrameHead(std::string& out, Opcode opcode, std::size_t payload_bytes) {
  out.push_back(static_cast<char>(kFin | static_cast<std::uint8_t>(opcode)));
  if (payload_bytes <= kShortest) {
    AppendNumber(out, payload_bytes, 1);
  } else if (payload_bytes <= kTwoBytes) {
    out.push_back(126);
    AppendNumber(out, payload_bytes, 2);
  } else {
    out.push_back(127);
    AppendNumber(out, payload_bytes, 8);
  }
}

void AppendFrame(std::string& out, Opcode opcode, std::string_view payload) {
  AppendFrameHead(out, opcode, payload.size());
  out.append(payload);
}

std::string ClosePayload(int code, std::string_view reason) {
  std::string payload;
  if (code == 0) return payload;
  AppendNumber(payload, static_cast<std::size_t>(code), 2);
  std::size_t end = std::min(reason.size(), kMaxControlPayloadBytes - payload.size());
  const auto is_inside = [&](std::size_t at) {
    return at < reason.size() && (static_cast<unsigned char>(reason[at]) & 0xc0U) == 0x80U;
  };
  while (end > 0 && is_inside(end)) --end;
  return payload.append(reason.substr(0, end));
}

}  // namespace todo::edge
