#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// WebSocket frames (RFC 6455, section 5) of a server: whole, not masked. Everything here is pure.

namespace todo::edge {

enum class Opcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

/// The close codes that this server chooses itself, beside those of util/web_socket.h.
inline constexpr int kCloseProtocolError = 1002;
inline constexpr int kCloseUnsupportedData = 1003;
inline constexpr int kCloseInvalidText = 1007;
inline constexpr int kClosePolicyViolation = 1008;
inline constexpr int kCloseMessageTooBig = 1009;

inline constexpr std::size_t kMaxFrameHeadBytes = 10;
inline constexpr std::size_t kMaxControlPayloadBytes = 125;

/// Appends the head of a frame with a payload of `payload_bytes`.
void AppendFrameHead(std::string& out, Opcode opcode, std::size_t payload_bytes);

/// Appends a whole frame.
void AppendFrame(std::string& out, Opcode opcode, std::string_view payload);

/// The payload of a close frame; `code` 0: empty. A reason that is too long is cut between two
/// characters.
std::string ClosePayload(int code, std::string_view reason);

}  // namespace todo::edge
