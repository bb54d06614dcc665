#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "edge/frame_encoder.h"

namespace todo::edge {

struct ClientFrame {
  Opcode opcode = Opcode::kText;
  std::string_view payload = {};
  bool last = true;
  bool masked = true;
};

/// A frame as clients send it.
inline std::string ToBytes(const ClientFrame& frame) {
  constexpr std::string_view kMask = "\x12\x34\x56\x78";
  std::string bytes;
  AppendFrameHead(bytes, frame.opcode, frame.payload.size());
  if (!frame.last) bytes[0] = static_cast<char>(bytes[0] & 0x7f);
  if (!frame.masked) return bytes.append(frame.payload);
  bytes[1] = static_cast<char>(bytes[1] | 0x80);
  bytes += kMask;
  for (std::size_t i = 0; i < frame.payload.size(); ++i)
    bytes.push_back(static_cast<char>(frame.payload[i] ^ kMask[i % kMask.size()]));
  return bytes;
}

inline std::string Text(std::string_view payload) { return ToBytes({.payload = payload}); }
inline std::string Ping(std::string_view payload) {
  return ToBytes({.opcode = Opcode::kPing, .payload = payload});
}
inline std::string CloseFrame(int code, std::string_view reason = "") {
  return ToBytes({.opcode = Opcode::kClose, .payload = ClosePayload(code, reason)});
}

}  // namespace todo::edge
