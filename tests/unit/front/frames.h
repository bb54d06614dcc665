#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// HTTP/2 frames as bytes.

namespace todo::front {

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum Type : std::uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kWindowUpdate = 8,
  kContinuation = 9,
};
inline constexpr int kEndStream = 1;
inline constexpr int kAck = 1;
inline constexpr int kEndHeaders = 4;

/// The header alone, of a frame with `length` bytes of payload.
inline std::string FrameHeader(int type, int flags, std::uint32_t stream, std::size_t length) {
  const auto byte = [](std::size_t value) { return static_cast<char>(value & 0xff); };
  return {byte(length >> 16),
          byte(length >> 8),
          byte(length),
          byte(static_cast<std::size_t>(type)),
          byte(static_cast<std::size_t>(flags)),
          byte(stream >> 24),
          byte(stream >> 16),
          byte(stream >> 8),
          byte(stream)};
}

inline std::string Frame(int type, int flags, std::uint32_t stream, std::size_t length = 0) {
  return FrameHeader(type, flags, stream, length).append(length, 'x');
}

/// What a client says first.
inline std::string Opening() { return std::string(kPreface) + Frame(kSettings, 0, 0); }

/// A call with a small request.
inline std::string Call(std::uint32_t stream) {
  return Frame(kHeaders, kEndHeaders, stream, 60) + Frame(kData, kEndStream, stream, 20);
}

}  // namespace todo::front
