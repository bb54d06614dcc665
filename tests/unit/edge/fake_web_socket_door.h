#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "unit/edge/client_frames.h"
#include "unit/edge/peer.h"
#include "util/http_exchange.h"

namespace todo::edge {

/// A door for tests: answers every request with a WebSocket that `acceptance` describes. Sends each
/// text back with "> " before it, except these: "admit" admits the client, "bye" closes with 4000,
/// "throw" throws.
class FakeWebSocketDoor final : public util::HttpHandler {
 public:
  util::HttpDecision Decide(const util::HttpRequestHead& head) override {
    if (head.path == "/page") return util::HttpResponse{.body = "a page"};
    util::WebSocketAcceptance copy = acceptance;
    copy.open = [this](std::shared_ptr<util::WebSocket> socket) {
      if (admit) socket->Admit();
      {
        const std::lock_guard lock(mutex_);
        sockets_.push_back(socket);
      }
      changed_.notify_all();
      return std::make_unique<Listener>(*this, std::move(socket));
    };
    return copy;
  }

  /// The socket that was opened as the `index`th, once it is open.
  std::shared_ptr<util::WebSocket> Await(std::size_t index = 0) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return sockets_.size() > index; });
    return sockets_[index];
  }

  util::WebSocketAcceptance acceptance = {.patience = std::chrono::seconds(300), .open = {}};
  std::atomic<bool> admit = true;  // at once
  std::atomic<int> closed_count = 0;
  std::atomic<int> message_count = 0;

 private:
  class Listener final : public util::WebSocketListener {
   public:
    Listener(FakeWebSocketDoor& door, std::shared_ptr<util::WebSocket> socket)
        : door_(door), socket_(std::move(socket)) {}

    void OnMessage(std::string text) override {
      ++door_.message_count;
      if (text == "throw") throw std::runtime_error("secret");
      if (text == "admit") return socket_->Admit();
      if (text == "bye") return socket_->Close(4000, "as you wish");
      socket_->Send(std::make_shared<const std::string>("> " + text));
    }
    void OnBinaryMessage(std::string bytes) override {
      socket_->SendBinary(std::make_shared<const std::string>(std::move(bytes)));
    }
    void OnClosed() override { ++door_.closed_count; }

   private:
    FakeWebSocketDoor& door_;
    const std::shared_ptr<util::WebSocket> socket_;
  };

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<util::WebSocket>> sockets_;
};

inline constexpr std::string_view kHandshake =
    "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A frame of the server, in words: "text: …", "binary: …", "ping: …", "pong: …", or "close CODE:
/// …"; "cut off" at the end of the connection.
inline std::string Describe(Opcode opcode, std::string payload) {
  switch (opcode) {
    case Opcode::kContinuation: return "continuation: " + payload;
    case Opcode::kText: return "text: " + payload;
    case Opcode::kBinary: return "binary: " + payload;
    case Opcode::kPing: return "ping: " + payload;
    case Opcode::kPong: return "pong: " + payload;
    case Opcode::kClose: break;
  }
  if (payload.size() < 2) return "close";
  const int code =
      static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
  return std::string("close ").append(std::to_string(code)).append(": ").append(payload.substr(2));
}

/// A WebSocket client on a plain socket: its test decides what it sends.
class WebSocketPeer {
 public:
  explicit WebSocketPeer(int port, int receive_buffer_bytes = 0)
      : peer_(port, receive_buffer_bytes) {
    peer_.Send(kHandshake);
    EXPECT_TRUE(peer_.ReadTo("\r\n\r\n").starts_with("HTTP/1.1 101 "));
  }

  const Peer& peer() const { return peer_; }
  bool Send(std::string_view bytes) const { return peer_.Send(bytes); }

  /// The next frame, see Describe.
  std::string Read() const {
    const std::string head = peer_.ReadBytes(2);
    if (head.size() < 2) return "cut off";
    std::size_t length = static_cast<unsigned char>(head[1]);
    if (length >= 126) {
      const std::string bytes = peer_.ReadBytes(length == 126 ? 2 : 8);
      length = 0;
      for (const char byte : bytes) length = length << 8 | static_cast<unsigned char>(byte);
    }
    std::string payload = peer_.ReadBytes(length);
    if (payload.size() < length) return "cut off";
    EXPECT_EQ(head[0] & 0xf0, 0x80) << "whole frames";
    return Describe(static_cast<Opcode>(head[0] & 0x0f), std::move(payload));
  }
  /// The next frame that is no text, see Describe.
  std::string ReadAfterTexts() const {
    std::string frame = Read();
    while (frame.starts_with("text: ")) frame = Read();
    return frame;
  }

 private:
  Peer peer_;
};

}  // namespace todo::edge
