#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

// A WebSocket (RFC 6455) between a server of bytes (edge) and a door that gives the messages a
// meaning (api). Neither side knows the other. Messages are text; the server answers a binary one
// by closing, unless the door asks for both kinds.

namespace todo::util {

/// Close codes of RFC 6455 that doors use.
inline constexpr int kCloseNormal = 1000;
inline constexpr int kCloseGoingAway = 1001;
inline constexpr int kCloseServiceRestart = 1012;
inline constexpr int kCloseTryAgainLater = 1013;  // also: the client reads too slowly

/// The server's end of one WebSocket. Thread safety: all functions from any thread at any time.
/// None blocks, and none calls the listener before it returns.
class WebSocket {
 public:
  WebSocket() = default;
  virtual ~WebSocket() = default;
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  /// Queues one message; many sockets may share one text. False: the socket is closing, perhaps
  /// because the client has left too much unread (kCloseTryAgainLater).
  virtual bool Send(std::shared_ptr<const std::string> text) = 0;
  /// The same for a binary message. Only for a socket whose acceptance has `binary`.
  virtual bool SendBinary(std::shared_ptr<const std::string> bytes) {
    static_cast<void>(bytes);
    return false;
  }
  /// Of messages that wait for the client.
  virtual std::size_t unsent_bytes() const = 0;
  /// `callback` is called once, from any thread, when all that was queued has been sent, or the
  /// socket is closed; at once when that is so already. It must not block. A second callback takes
  /// the place of the first.
  virtual void OnDrained(std::function<void()> callback) = 0;
  /// The client has proven who it is, so its place is kept when places run out.
  virtual void Admit() = 0;
  /// Sends what is queued, then the close frame with `code` and `reason` (UTF-8; what is above 123
  /// bytes is cut off). Messages of the client are dropped from now on. Further calls have no
  /// effect. The server ends the connection in any case, soon.
  virtual void Close(int code, std::string_view reason) = 0;
};

/// Takes what comes from a WebSocket. Called on the server's thread, one call at a time; must not
/// block. Lives until OnClosed has returned.
class WebSocketListener {
 public:
  WebSocketListener() = default;
  virtual ~WebSocketListener() = default;
  WebSocketListener(const WebSocketListener&) = delete;
  WebSocketListener& operator=(const WebSocketListener&) = delete;

  /// One whole message: valid UTF-8, and no longer than the acceptance says.
  virtual void OnMessage(std::string text) = 0;
  /// One whole binary message. Only of a socket whose acceptance has `binary`.
  virtual void OnBinaryMessage(std::string bytes) { static_cast<void>(bytes); }
  /// The socket has ended, or is about to, because of either side; nothing follows. Called exactly
  /// once.
  virtual void OnClosed() = 0;
};

/// The decision to answer a request for a WebSocket with one. The server checks the handshake and
/// answers 400 or 426 itself when it is not one.
struct WebSocketAcceptance {
  /// The subprotocol that the answer names: one that the client offered. Empty: none.
  std::string subprotocol = {};
  /// A longer message closes the socket with 1009.
  std::size_t max_message_bytes = 64UL * 1024;
  /// A message that is sent while more bytes than this wait closes the socket with
  /// kCloseTryAgainLater.
  std::size_t max_unsent_bytes = 1024UL * 1024;
  /// Binary messages are taken; else they close the socket with 1003.
  bool binary = false;
  /// How long the client may take until Admit; after that the socket closes with `late_code`.
  std::chrono::milliseconds patience = std::chrono::seconds(5);
  int late_code = 1008;
  std::string late_reason = {};  // as in WebSocket::Close
  /// Called once, on the server's thread, when the handshake is done; must not block. The listener
  /// may keep the socket, which outlives the connection then.
  std::function<std::unique_ptr<WebSocketListener>(std::shared_ptr<WebSocket> socket)> open;
};

}  // namespace todo::util
