#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "edge/frame_decoder.h"
#include "edge/places.h"
#include "edge/server_state.h"
#include "edge/transport.h"
#include "edge/web_socket_channel.h"
#include "util/token_bucket.h"
#include "util/web_socket.h"

namespace todo::edge {

/// One WebSocket, from the answer to its handshake to the end of its connection. Small while
/// nothing happens: buffers exist only while bytes are on their way. The operations in progress
/// keep the object alive. Thread safety: none, the server's thread only.
class WebSocketSession final : public Guest, public std::enable_shared_from_this<WebSocketSession> {
 public:
  using Open =
      std::function<std::unique_ptr<util::WebSocketListener>(std::shared_ptr<util::WebSocket>)>;

  /// `server` must outlive the session. The caller passes the place on.
  WebSocketSession(std::unique_ptr<Transport> transport, ServerState& server,
                   const util::WebSocketAcceptance& acceptance);
  ~WebSocketSession() override;

  /// Sends `head`, the answer to the handshake. `early`: what came behind the handshake.
  void Start(const Open& open, std::string_view head, std::string_view early);

  Standing standing() const override;
  bool proven() const override { return admitted_; }
  std::chrono::steady_clock::time_point since() const override;
  std::size_t unsent_bytes() const override { return out_bytes_; }
  /// Says goodbye if that needs no waiting.
  void Leave() override;
  /// Nothing: the door closes the socket when its affairs are in order.
  void FinishSoon() override {}
  bool IsAtWork() const override;

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Message = WebSocketChannel::Message;
  enum class Phase {
    kOpen,
    kClosing,    // a close frame of the server is to be sent or was sent; the client's is awaited
    kEnding,     // a close frame is to be sent, and no frame of the client matters any longer
    kLingering,  // all is sent; the client gets time to read it
    kClosed,
  };

  // Messages and the closing handshake: web_socket_session.cc.

  void Pump();
  void TakeGiven();
  void HandleBytes(std::string_view bytes);
  void HandleEvent(FrameEvent event);
  void GiveMessage(FrameEvent event);
  void CountHeld();
  void QueuePong(std::string_view payload);
  void BeginClose(int code, std::string_view reason, bool at_once);
  /// Closes after what is queued, and does not wait for the client's close frame.
  void Fail(int code, std::string_view reason);
  void EndReading();
  void EndListening();
  void Linger();
  void Close();

  // Bytes and time: web_socket_session_io.cc.

  void Receive();
  void OnReceived(boost::system::error_code error, std::string_view bytes);
  void DropRest();
  void Flush();
  void StartWrite();
  std::vector<boost::asio::const_buffer> Gather();
  void OnWritten(boost::system::error_code error);
  /// False: there is more to send.
  bool FinishWrite();
  void ReleaseSent();
  void DropQueue();
  void KeepToBudget();
  TimePoint NextDeadline() const;
  void ArmTimer();
  void OnTimer();
  std::chrono::milliseconds TimeFor(std::size_t bytes) const;

  ServerState& server_;
  const std::unique_ptr<Transport> transport_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<WebSocketChannel> channel_;
  std::unique_ptr<util::WebSocketListener> listener_;
  const std::size_t max_unsent_bytes_;
  const int late_code_;
  const std::string late_reason_;

  Phase phase_ = Phase::kOpen;
  bool admitted_ = false;
  const TimePoint opened_at_;
  TimePoint admit_deadline_;
  TimePoint close_deadline_ = TimePoint::max();
  TimePoint timer_at_ = TimePoint::max();

  FrameDecoder decoder_;
  util::TokenBucket control_frames_;
  bool reading_ = false;
  bool client_done_ = false;  // it sends no more bytes
  bool ping_sent_ = false;    // since the last byte
  TimePoint received_at_;     // the last byte
  TimePoint message_begin_;
  TimePoint message_deadline_ = TimePoint::max();
  std::size_t held_bytes_ = 0;  // of an incomplete message, counted in server_.request_bytes
  std::size_t dropped_bytes_ = 0;

  std::string control_;        // whole frames that go before further messages
  std::size_t last_pong_ = 0;  // where it begins in control_
  std::vector<Message> out_;   // to be sent, from out_begin_ on
  std::size_t out_begin_ = 0;
  std::size_t front_sent_ = 0;  // of the payload of out_[out_begin_]
  std::size_t out_bytes_ = 0;   // counted in server_.response_bytes
  std::string close_payload_;
  bool close_pending_ = false;  // the close frame is to be sent after all messages
  bool close_sent_ = false;     // or belongs to the write in progress

  // The write in progress.
  bool sending_ = false;
  std::string frame_bytes_;       // heads and control frames
  std::size_t sending_end_ = 0;   // the first message of out_ that is not sent completely with it
  std::size_t sending_rest_ = 0;  // how much of that message is sent with it
  std::size_t sending_bytes_ = 0;
  TimePoint writing_since_;  // when bytes began to wait; see Guest::since
  TimePoint write_deadline_ = TimePoint::max();
};

}  // namespace todo::edge
