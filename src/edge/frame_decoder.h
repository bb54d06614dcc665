#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "edge/frame_encoder.h"
#include "edge/utf8_checker.h"

namespace todo::edge {

/// What one client may send on one WebSocket.
struct FrameBounds {
  std::size_t max_message_bytes = 64UL * 1024;
  int max_fragments = 1'024;  // of one message
  bool binary = false;        // binary messages are taken
};

/// What has arrived at a WebSocket.
struct FrameEvent {
  enum class Kind {
    kNothing,  // feed further bytes
    kText,     // a whole message
    kBinary,   // a whole message
    kPing,
    kPong,
    kClose,
    kFault,  // the client broke a rule; feed nothing further
  };
  Kind kind = Kind::kNothing;
  std::string payload = {};  // kClose: the reason; kFault: the reason for the client
  int code = 0;              // kClose: of the client, 0: none; kFault: to close with
};

/// Takes the frames of a client apart (RFC 6455, section 5), joins fragments to messages and checks
/// them as early as possible. Pure. Every part that a client could make endless has a bound. Memory
/// is held only for bytes that have come, whatever length a frame announces.
class FrameDecoder {
 public:
  explicit FrameDecoder(FrameBounds bounds) : bounds_(bounds) {}

  /// Takes bytes from the front of `bytes` until something has arrived, or all are taken.
  FrameEvent Next(std::string_view& bytes);

  /// Of the message that has not arrived completely.
  std::size_t held_bytes() const { return message_.size(); }
  /// Whether a message or a frame has begun and is not complete.
  bool in_message() const { return in_message_ || head_bytes_ > 0; }

 private:
  std::size_t head_size() const;
  bool TakeHead(std::string_view& bytes);
  FrameEvent CheckFirstByte() const;
  FrameEvent CheckSecondByte() const;
  FrameEvent BeginFrame();
  FrameEvent TakePayload(std::string_view& bytes);
  FrameEvent EndFrame();
  FrameEvent EndControlFrame();

  Opcode opcode() const { return static_cast<Opcode>(head_[0] & 0x0fU); }
  bool is_control() const { return (head_[0] & 0x08U) != 0; }
  bool is_last() const { return (head_[0] & 0x80U) != 0; }

  const FrameBounds bounds_;
  std::array<std::uint8_t, 14> head_{};  // of the current frame
  std::uint8_t head_bytes_ = 0;          // of head_ that have come
  bool in_payload_ = false;              // the head is complete
  bool in_message_ = false;              // a message has begun
  bool text_ = false;                    // that message is text
  Utf8Checker utf8_;                     // of that message
  int fragments_ = 0;                    // of that message
  std::uint64_t left_ = 0;               // of the payload of the current frame
  std::uint64_t taken_ = 0;              // of the payload of the current frame
  std::string message_;
  std::string control_;  // payload of the current control frame
};

}  // namespace todo::edge
