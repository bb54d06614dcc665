#include "edge/frame_decoder.h"

#include <algorithm>
#include <utility>

namespace todo::edge {
namespace {

using Kind = FrameEvent::Kind;

constexpr std::uint8_t kReservedBits = 0x70;
constexpr std::uint8_t kMaskBit = 0x80;
constexpr std::uint8_t kTwoByteLength = 126;
constexpr std::uint8_t kEightByteLength = 127;
constexpr std::size_t kShortHead = 2;
constexpr std::size_t kMaskBytes = 4;

FrameEvent Fault(int code, std::string_view reason) {
  return {.kind = Kind::kFault, .payload = std::string(reason), .code = code};
}

bool IsKnown(Opcode opcode) {
  switch (opcode) {
    case Opcode::kContinuation:
    case Opcode::kText:
    case Opcode::kBinary:
    case Opcode::kClose:
    case Opcode::kPing:
    case Opcode::kPong: return true;
  }
  return false;
}

/// Whether a close frame may have this code: RFC 6455, section 7.4, and the registry of codes.
bool IsCloseCode(int code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

}  // namespace

FrameEvent FrameDecoder::Next(std::string_view& bytes) {
  while (true) {
    if (!in_payload_) {
      while (head_bytes_ < head_size()) {
        if (bytes.empty()) return {};
        head_[head_bytes_++] = static_cast<std::uint8_t>(bytes.front());
        bytes.remove_prefix(1);
        FrameEvent event = head_bytes_ == 1   ? CheckFirstByte()
                           : head_bytes_ == 2 ? CheckSecondByte()
                                              : FrameEvent();
        if (event.kind == Kind::kFault) return event;
      }
      FrameEvent event = BeginFrame();
      if (event.kind == Kind::kFault) return event;
    }
    FrameEvent event = TakePayload(bytes);
    if (event.kind == Kind::kFault || left_ > 0) return event;
    event = EndFrame();
    if (event.kind != Kind::kNothing) return event;
  }
}

std::size_t FrameDecoder::head_size() const {
  if (head_bytes_ < kShortHead) return kShortHead;
  const std::uint8_t length = head_[1] & ~kMaskBit;
  const std::size_t more = length == kEightByteLength ? 8 : length == kTwoByteLength ? 2 : 0;
  return kShortHead + more + kMaskBytes;
}

FrameEvent FrameDecoder::CheckFirstByte() const {
  if ((head_[0] & kReservedBits) != 0)
    return Fault(kCloseProtocolError, "reserved bits are set, but no extension is in use");
  if (!IsKnown(opcode())) return Fault(kCloseProtocolError, "a frame has an unknown opcode");
  if (is_control()) {
    return is_last() ? FrameEvent()
                     : Fault(kCloseProtocolError, "control frames cannot be fragmented");
  }
  if ((opcode() == Opcode::kContinuation) != in_message_)
    return Fault(kCloseProtocolError, in_message_ ? "a message begins inside another message"
                                                  : "a fragment continues no message");
  if (opcode() == Opcode::kBinary && !bounds_.binary)
    return Fault(kCloseUnsupportedData, "only text messages are understood");
  return {};
}

FrameEvent FrameDecoder::CheckSecondByte() const {
  if ((head_[1] & kMaskBit) == 0)
    return Fault(kCloseProtocolError, "frames of a client must be masked");
  if (is_control() && (head_[1] & ~kMaskBit) > kMaxControlPayloadBytes)
    return Fault(kCloseProtocolError, "a control frame is longer than 125 bytes");
  return {};
}

FrameEvent FrameDecoder::BeginFrame() {
  std::uint64_t length = head_[1] & ~kMaskBit;
  if (length >= kTwoByteLength) {
    const std::uint64_t shortest = length == kTwoByteLength ? kTwoByteLength : 0x10000;
    const std::size_t end = head_size() - kMaskBytes;
    length = 0;
    for (std::size_t i = kShortHead; i < end; ++i) length = length << 8 | head_[i];
    if (length < shortest || (length >> 63) != 0)
      return Fault(kCloseProtocolError, "the length of a frame is not in its shortest form");
  }
  if (!is_control()) {
    if (opcode() != Opcode::kContinuation) {
      in_message_ = true;
      text_ = opcode() == Opcode::kText;
      utf8_ = {};
      fragments_ = 0;
    }
    if (length > bounds_.max_message_bytes - message_.size())
      return Fault(kCloseMessageTooBig, "the message is too long");
    if (++fragments_ > bounds_.max_fragments)
      return Fault(kClosePolicyViolation, "the message has too many fragments");
  }
  left_ = length;
  taken_ = 0;
  in_payload_ = true;
  return {};
}

FrameEvent FrameDecoder::TakePayload(std::string_view& bytes) {
  const std::size_t count = std::min<std::uint64_t>(left_, bytes.size());
  std::string& target = is_control() ? control_ : message_;
  const std::size_t begin = target.size();
  target.append(bytes.substr(0, count));
  bytes.remove_prefix(count);
  const std::uint8_t* mask = &head_[head_size() - kMaskBytes];
  for (std::size_t i = 0; i < count; ++i)
    target[begin + i] = static_cast<char>(target[begin + i] ^ mask[(taken_ + i) % kMaskBytes]);
  taken_ += count;
  left_ -= count;
  if (!is_control() && text_ && !utf8_.Take(std::string_view(target).substr(begin)))
    return Fault(kCloseInvalidText, "a text message is not UTF-8");
  return {};
}

FrameEvent FrameDecoder::EndFrame() {
  in_payload_ = false;
  head_bytes_ = 0;
  if (is_control()) return EndControlFrame();
  if (!is_last()) return {};
  in_message_ = false;
  if (text_ && !utf8_.complete())
    return Fault(kCloseInvalidText, "a text message ends inside a character");
  return {.kind = text_ ? Kind::kText : Kind::kBinary, .payload = std::exchange(message_, {})};
}

FrameEvent FrameDecoder::EndControlFrame() {
  std::string payload = std::exchange(control_, {});
  if (opcode() == Opcode::kPing) return {.kind = Kind::kPing, .payload = std::move(payload)};
  if (opcode() == Opcode::kPong) return {.kind = Kind::kPong, .payload = std::move(payload)};
  if (payload.empty()) return {.kind = Kind::kClose};
  if (payload.size() == 1)
    return Fault(kCloseProtocolError, "the payload of the close frame is one byte");
  const int code =
      static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
  if (!IsCloseCode(code)) return Fault(kCloseProtocolError, "the close code is not a valid one");
  payload.erase(0, 2);
  Utf8Checker utf8;
  if (!utf8.Take(payload) || !utf8.complete())
    return Fault(kCloseInvalidText, "the reason of the close frame is not UTF-8");
  return {.kind = Kind::kClose, .payload = std::move(payload), .code = code};
}

}  // namespace todo::edge
