// The reading, the writing and the deadlines of a WebSocket; web_socket_session.cc has its
// messages.

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <utility>

#include "edge/web_socket_session.h"

namespace todo::edge {
namespace {

using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Given to the client for each write, see HttpServerOptions::patience.
constexpr std::size_t kSliceBytes = 64UL * 1024;
constexpr std::size_t kMaxMessagesPerWrite = 30;  // two buffers each
/// An empty queue that has room for more messages than this gives its memory back.
constexpr std::size_t kKeptMessages = 4;
/// The part of the queue that is sent is removed when it is at least this long.
constexpr std::size_t kCompactAfter = 64;
constexpr std::size_t kMaxLingerBytes = 1024UL * 1024;

}  // namespace

void WebSocketSession::Receive() {
  if (reading_ || client_done_ || phase_ > Phase::kClosing) return;
  reading_ = true;
  transport_->Receive(boost::asio::buffer(server_.scratch),
                      [self = shared_from_this()](error_code error, std::string_view bytes) {
                        self->OnReceived(error, bytes);
                      });
}

void WebSocketSession::OnReceived(error_code error, std::string_view bytes) {
  reading_ = false;
  if (phase_ > Phase::kEnding) return;
  if (error) {
    client_done_ = true;
    // A client may stop sending after its close frame and still read the server's.
    if (phase_ != Phase::kEnding || error != boost::asio::error::eof) Close();
    return;
  }
  received_at_ = steady_clock::now();
  ping_sent_ = false;
  HandleBytes(bytes);
  Receive();
  Flush();
  ArmTimer();
}

void WebSocketSession::DropRest() {
  transport_->ReadRaw(boost::asio::buffer(server_.dropped),
                      [self = shared_from_this()](error_code error, std::size_t count) {
                        if (self->phase_ != Phase::kLingering) return;
                        self->dropped_bytes_ += count;
                        if (error || self->dropped_bytes_ > kMaxLingerBytes) return self->Close();
                        self->DropRest();
                      });
}

void WebSocketSession::Flush() {
  if (sending_ || phase_ > Phase::kEnding) return;
  if (control_.empty() && out_begin_ == out_.size() && !close_pending_) return;
  sending_ = true;
  writing_since_ = steady_clock::now();
  StartWrite();
}

void WebSocketSession::StartWrite() {
  do {
    std::vector<boost::asio::const_buffer> buffers = Gather();
    write_deadline_ = steady_clock::now() + server_.options.patience + TimeFor(sending_bytes_);
    const bool done = transport_->WriteAll(
        std::move(buffers),
        [self = shared_from_this()](error_code error, std::size_t) { self->OnWritten(error); });
    if (!done) return ArmTimer();
  } while (!FinishWrite());
}

std::vector<boost::asio::const_buffer> WebSocketSession::Gather() {
  std::vector<boost::asio::const_buffer> buffers;
  std::size_t at = out_begin_;
  std::size_t offset = front_sent_;
  const std::size_t count = std::min(out_.size() - at, kMaxMessagesPerWrite);
  // Reserved, because the buffers point into it.
  frame_bytes_.reserve(control_.size() + count * kMaxFrameHeadBytes +
                       (close_pending_ ? 2 + close_payload_.size() : 0));
  buffers.reserve(2 * count + 2);
  const auto add_frame_bytes = [&](std::size_t begin) {
    buffers.emplace_back(frame_bytes_.data() + begin, frame_bytes_.size() - begin);
  };
  if (offset == 0 && !control_.empty()) {
    frame_bytes_.append(std::exchange(control_, {}));
    add_frame_bytes(0);
  }
  std::size_t room = kSliceBytes;
  while (at < out_begin_ + count && room > 0) {
    const Message& message = out_[at];
    if (offset == 0) {
      const std::size_t begin = frame_bytes_.size();
      AppendFrameHead(frame_bytes_, message.binary ? Opcode::kBinary : Opcode::kText,
                      message.bytes->size());
      add_frame_bytes(begin);
    }
    const std::size_t part = std::min(room, message.bytes->size() - offset);
    buffers.emplace_back(message.bytes->data() + offset, part);
    room -= part;
    offset += part;
    if (offset < message.bytes->size()) break;
    offset = 0;
    ++at;
  }
  if (close_pending_ && at == out_.size()) {
    const std::size_t begin = frame_bytes_.size();
    AppendFrame(frame_bytes_, Opcode::kClose, close_payload_);
    add_frame_bytes(begin);
    close_pending_ = false;
    close_sent_ = true;
  }
  sending_end_ = at;
  sending_rest_ = offset;
  sending_bytes_ = kSliceBytes - room;
  return buffers;
}

void WebSocketSession::OnWritten(error_code error) {
  if (phase_ == Phase::kClosed) return;
  if (error) return Close();
  if (!FinishWrite()) StartWrite();
}

bool WebSocketSession::FinishWrite() {
  ReleaseSent();
  if (phase_ < Phase::kEnding) channel_->SetHeld(out_bytes_);
  if (!control_.empty() || out_begin_ < out_.size() || close_pending_) return false;
  sending_ = false;
  write_deadline_ = TimePoint::max();
  if (close_sent_ && phase_ == Phase::kEnding) {
    Linger();
  } else if (close_sent_) {
    close_deadline_ = steady_clock::now() + server_.options.web_sockets.close_patience;
    ArmTimer();
  }
  return true;
}

void WebSocketSession::ReleaseSent() {
  std::string().swap(frame_bytes_);
  out_bytes_ -= sending_bytes_;
  server_.response_bytes -= sending_bytes_;
  for (std::size_t i = out_begin_; i < sending_end_; ++i) out_[i].bytes.reset();
  out_begin_ = sending_end_;
  front_sent_ = sending_rest_;
  if (out_begin_ == out_.size()) {
    out_begin_ = 0;
    out_.clear();
    if (out_.capacity() > kKeptMessages) std::vector<Message>().swap(out_);
  } else if (out_begin_ >= kCompactAfter) {
    out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(out_begin_));
    out_begin_ = 0;
  }
}

/// A message that has begun must be sent to its end.
void WebSocketSession::DropQueue() {
  const std::size_t end = sending_ ? sending_end_ : out_begin_;
  const std::size_t rest = sending_ ? sending_rest_ : front_sent_;
  const std::size_t kept = end + (rest > 0 ? 1 : 0);
  for (std::size_t i = kept; i < out_.size(); ++i) {
    out_bytes_ -= out_[i].bytes->size();
    server_.response_bytes -= out_[i].bytes->size();
  }
  out_.resize(std::min(kept, out_.size()));
}

/// May close this socket.
void WebSocketSession::KeepToBudget() {
  const std::size_t limit = server_.options.max_response_bytes_held;
  while (server_.response_bytes > limit && server_.places.FreeUnsent()) {
  }
}

WebSocketSession::TimePoint WebSocketSession::NextDeadline() const {
  const WebSocketOptions& options = server_.options.web_sockets;
  TimePoint deadline = std::min(write_deadline_, close_deadline_);
  if (phase_ != Phase::kOpen) return deadline;
  if (!admitted_) deadline = std::min(deadline, admit_deadline_);
  const TimePoint ping_at = received_at_ + options.ping_after;
  return std::min(
      {deadline, message_deadline_, ping_sent_ ? ping_at + options.pong_patience : ping_at});
}

void WebSocketSession::ArmTimer() {
  if (phase_ == Phase::kClosed) return;
  const TimePoint deadline = NextDeadline();
  // A timer that rings too early is set again then: cheaper than setting it at each change.
  if (deadline >= timer_at_) return;
  timer_at_ = deadline;
  timer_.expires_at(deadline);
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (!error && self->phase_ != Phase::kClosed) self->OnTimer();
  });
}

void WebSocketSession::OnTimer() {
  timer_at_ = TimePoint::max();
  const TimePoint now = steady_clock::now();
  if (now >= std::min(write_deadline_, close_deadline_)) return Close();
  if (phase_ == Phase::kOpen) {
    const WebSocketOptions& options = server_.options.web_sockets;
    if (!admitted_ && now >= admit_deadline_) {
      channel_->Shut();
      BeginClose(late_code_, late_reason_, false);
    } else if (now >= message_deadline_) {
      Fail(kClosePolicyViolation, "the message came too slowly");
      CountHeld();
    } else if (ping_sent_ && now >= received_at_ + options.ping_after + options.pong_patience) {
      return Close();
    } else if (!ping_sent_ && now >= received_at_ + options.ping_after) {
      ping_sent_ = true;
      AppendFrame(control_, Opcode::kPing, "");
    }
    Flush();
  }
  ArmTimer();
}

milliseconds WebSocketSession::TimeFor(std::size_t bytes) const {
  return milliseconds(bytes * 1'000 / server_.options.min_bytes_per_second);
}

}  // namespace todo::edge
