// The messages and the closing handshake of a WebSocket; web_socket_session_io.cc has its reading,
// writing and deadlines.

#include "edge/web_socket_session.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>
#include <utility>

#include "util/log.h"
#include "util/require.h"

namespace todo::edge {
namespace {

using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Of control frames that wait. Above it only the last ping is answered, as RFC 6455 allows.
constexpr std::size_t kMaxControlBytes = 2UL * 1024;
/// For a client that still sends when the connection ends: it reads the close frame only
/// afterwards.
constexpr milliseconds kLinger{2'000};
constexpr int kCloseInternalError = 1011;

}  // namespace

WebSocketSession::WebSocketSession(std::unique_ptr<Transport> transport, ServerState& server,
                                   const util::WebSocketAcceptance& acceptance)
    : server_(server),
      transport_(std::move(transport)),
      timer_(*server.io),
      max_unsent_bytes_(acceptance.max_unsent_bytes),
      late_code_(acceptance.late_code),
      late_reason_(acceptance.late_reason),
      opened_at_(steady_clock::now()),
      admit_deadline_(opened_at_ + acceptance.patience),
      decoder_({.max_message_bytes = acceptance.max_message_bytes,
                .max_fragments = server.options.web_sockets.max_fragments,
                .binary = acceptance.binary}),
      control_frames_(server.options.web_sockets.control_frames_per_second,
                      server.options.web_sockets.control_frame_burst),
      received_at_(opened_at_),
      message_begin_(opened_at_),
      writing_since_(opened_at_) {}

WebSocketSession::~WebSocketSession() { Close(); }

void WebSocketSession::Start(const Open& open, std::string_view head, std::string_view early) {
  const auto wake = [io = server_.io, weak = weak_from_this()] {
    boost::asio::post(*io, [weak] {
      if (const std::shared_ptr<WebSocketSession> self = weak.lock()) self->Pump();
    });
  };
  channel_ = std::make_shared<WebSocketChannel>(wake, max_unsent_bytes_);
  control_ = head;
  try {
    listener_ = open(channel_);
    TODO_REQUIRE(listener_ != nullptr);
  } catch (const std::exception& error) {
    util::Log(util::Severity::kError, "web_socket_door_failed", {{"error", error.what()}});
    Fail(kCloseInternalError, "internal error");
  }
  if (!early.empty()) HandleBytes(early);
  Receive();
  Flush();
  ArmTimer();
}

Guest::Standing WebSocketSession::standing() const {
  return admitted_ && phase_ == Phase::kOpen ? Standing::kBusy : Standing::kIdle;
}

WebSocketSession::TimePoint WebSocketSession::since() const {
  return admitted_ && sending_ ? writing_since_ : opened_at_;
}

bool WebSocketSession::IsAtWork() const {
  return phase_ == Phase::kOpen || (phase_ != Phase::kClosed && close_pending_);
}

void WebSocketSession::Leave() {
  const bool between_frames = !sending_ && front_sent_ == 0 && control_.empty();
  if (phase_ != Phase::kClosed && !close_sent_ && between_frames) {
    if (!close_pending_)
      close_payload_ = server_.stopping
                           ? ClosePayload(util::kCloseGoingAway, "the server stops")
                           : ClosePayload(util::kCloseTryAgainLater, "the server needs the place");
    std::string frame;
    AppendFrame(frame, Opcode::kClose, close_payload_);
    transport_->TryWrite(boost::asio::buffer(frame));
  }
  Close();
}

void WebSocketSession::Pump() {
  if (phase_ == Phase::kClosed) return;
  TakeGiven();
  Flush();
  KeepToBudget();
}

void WebSocketSession::TakeGiven() {
  WebSocketChannel::Given given = channel_->Take();
  admitted_ = admitted_ || given.admitted;
  if (phase_ == Phase::kOpen) {
    for (Message& message : given.messages) {
      out_bytes_ += message.bytes->size();
      server_.response_bytes += message.bytes->size();
      out_.push_back(std::move(message));
    }
    if (given.close) BeginClose(given.close->code, given.close->reason, given.close->at_once);
  }
  channel_->SetHeld(out_bytes_);
}

void WebSocketSession::HandleBytes(std::string_view bytes) {
  while (phase_ == Phase::kOpen || phase_ == Phase::kClosing) {
    FrameEvent event = decoder_.Next(bytes);
    if (event.kind == FrameEvent::Kind::kNothing) break;
    HandleEvent(std::move(event));
  }
  CountHeld();
}

void WebSocketSession::HandleEvent(FrameEvent event) {
  switch (event.kind) {
    case FrameEvent::Kind::kNothing: return;
    case FrameEvent::Kind::kText:
    case FrameEvent::Kind::kBinary: return GiveMessage(std::move(event));
    case FrameEvent::Kind::kPing:
    case FrameEvent::Kind::kPong:
      if (control_frames_.Take(1, steady_clock::now()) > milliseconds(0))
        return Fail(kClosePolicyViolation, "too many pings");
      if (event.kind == FrameEvent::Kind::kPing) QueuePong(event.payload);
      return;
    case FrameEvent::Kind::kClose:
      client_done_ = true;
      BeginClose(event.code, "", true);
      DropQueue();  // of a socket that was closing
      return EndReading();
    case FrameEvent::Kind::kFault: return Fail(event.code, event.payload);
  }
}

void WebSocketSession::GiveMessage(FrameEvent event) {
  if (phase_ != Phase::kOpen || listener_ == nullptr) return;
  try {
    if (event.kind == FrameEvent::Kind::kText) {
      listener_->OnMessage(std::move(event.payload));
    } else {
      listener_->OnBinaryMessage(std::move(event.payload));
    }
    TakeGiven();  // it may have closed the socket: no further message then
  } catch (const std::exception& error) {
    util::Log(util::Severity::kError, "web_socket_door_failed", {{"error", error.what()}});
    Fail(kCloseInternalError, "internal error");
  }
}

void WebSocketSession::CountHeld() {
  const std::size_t held = phase_ <= Phase::kClosing ? decoder_.held_bytes() : 0;
  server_.request_bytes += held - held_bytes_;
  held_bytes_ = held;
  if (phase_ > Phase::kClosing || !decoder_.in_message()) {
    message_deadline_ = TimePoint::max();
    return;
  }
  if (message_deadline_ == TimePoint::max()) message_begin_ = steady_clock::now();
  message_deadline_ = message_begin_ + server_.options.patience + TimeFor(held);
  if (held > 0 && server_.request_bytes > server_.options.max_request_bytes_held) {
    Fail(util::kCloseTryAgainLater, "the server holds too many messages");
    CountHeld();
  }
}

void WebSocketSession::QueuePong(std::string_view payload) {
  if (close_sent_) return;  // nothing may follow a close frame
  if (control_.size() > kMaxControlBytes) control_.resize(last_pong_);
  last_pong_ = control_.size();
  AppendFrame(control_, Opcode::kPong, payload);
}

void WebSocketSession::BeginClose(int code, std::string_view reason, bool at_once) {
  if (phase_ != Phase::kOpen) return;
  phase_ = Phase::kClosing;
  if (at_once) DropQueue();
  close_payload_ = ClosePayload(code, reason);
  close_pending_ = true;
  close_deadline_ =
      steady_clock::now() + server_.options.web_sockets.close_patience + TimeFor(out_bytes_);
  ArmTimer();
}

void WebSocketSession::Fail(int code, std::string_view reason) {
  BeginClose(code, reason, false);
  EndReading();
}

void WebSocketSession::EndReading() {
  if (phase_ != Phase::kClosing) return;
  phase_ = Phase::kEnding;
  EndListening();
  if (close_sent_ && !sending_) Linger();
}

void WebSocketSession::EndListening() {
  if (channel_ != nullptr) channel_->Shut();
  const std::unique_ptr<util::WebSocketListener> listener = std::move(listener_);
  if (listener != nullptr) listener->OnClosed();
}

void WebSocketSession::Linger() {
  phase_ = Phase::kLingering;
  close_deadline_ = steady_clock::now() + std::min(kLinger, server_.options.patience);
  ArmTimer();
  transport_->Finish([self = shared_from_this()](error_code error, std::size_t) {
    if (self->phase_ != Phase::kLingering) return;
    if (error || self->client_done_) return self->Close();
    self->DropRest();
  });
}

void WebSocketSession::Close() {
  if (std::exchange(phase_, Phase::kClosed) == Phase::kClosed) return;
  timer_.cancel();
  transport_->Close();
  server_.response_bytes -= std::exchange(out_bytes_, 0);
  server_.request_bytes -= std::exchange(held_bytes_, 0);
  EndListening();
  server_.places.Give(*this);
  --server_.open_count;
  if (server_.on_left) server_.on_left();
}

}  // namespace todo::edge
