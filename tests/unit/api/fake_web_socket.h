#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "util/guarded.h"
#include "util/http_exchange.h"
#include "util/web_socket.h"

namespace todo::api {

/// A WebSocket without a server: what its client has received. Thread safety: any thread.
class FakeWebSocket final : public util::WebSocket {
 public:
  bool Send(std::shared_ptr<const std::string> text) override {
    auto state = state_.Lock();
    if (state->code != 0 || state->full) return false;
    state->texts.push_back(std::move(text));
    changed_.notify_all();
    return true;
  }
  std::size_t unsent_bytes() const override { return 0; }
  void OnDrained(std::function<void()> callback) override {
    auto state = state_.Lock();
    state->on_drained = std::move(callback);
  }
  void Admit() override { state_.Lock()->admitted = true; }
  void Close(int code, std::string_view reason) override {
    auto state = state_.Lock();
    if (state->code != 0) return;
    EXPECT_LE(reason.size(), 123u);
    state->code = code;
    state->reason = reason;
    changed_.notify_all();
  }

  std::vector<std::string> texts() {
    std::vector<std::string> texts;
    for (const auto& text : state_.Lock()->texts) texts.push_back(*text);
    return texts;
  }
  std::vector<std::shared_ptr<const std::string>> shared_texts() { return state_.Lock()->texts; }
  std::string last() { return texts().empty() ? "" : texts().back(); }
  int code() { return state_.Lock()->code; }  // 0: open
  std::string reason() { return state_.Lock()->reason; }
  bool admitted() { return state_.Lock()->admitted; }
  /// The client leaves too much unread.
  void Fill() { state_.Lock()->full = true; }
  void Drain() {
    const auto callback = std::exchange(state_.Lock()->on_drained, nullptr);
    if (callback) callback();
  }

 private:
  struct State {
    std::vector<std::shared_ptr<const std::string>> texts;
    int code = 0;
    std::string reason;
    bool admitted = false;
    bool full = false;
    std::function<void()> on_drained;
  };
  util::Guarded<State> state_;
  std::condition_variable changed_;
};

/// A client of /ws: its socket, and what it says.
struct SocketClient {
  std::shared_ptr<FakeWebSocket> socket = std::make_shared<FakeWebSocket>();
  util::WebSocketAcceptance acceptance = {};
  std::unique_ptr<util::WebSocketListener> listener = nullptr;

  /// What a server does with a handshake. Fails the test when it is not accepted.
  SocketClient(util::HttpHandler& door, util::HttpHeaders headers) {
    headers.insert(headers.begin(), {"host", "todo.example:8080"});
    util::HttpDecision decision = door.Decide({.method = "GET",
                                               .path = "/ws",
                                               .query = "",
                                               .headers = std::move(headers),
                                               .peer = "127.0.0.1",
                                               .encrypted = false,
                                               .content_length = std::nullopt});
    auto* const accepted = std::get_if<util::WebSocketAcceptance>(&decision);
    if (accepted == nullptr) {
      ADD_FAILURE() << "refused";
      return;
    }
    acceptance = std::move(*accepted);
    listener = acceptance.open(socket);
  }

  void Say(std::string text) { listener->OnMessage(std::move(text)); }
  /// The connection ends.
  void Leave() {
    listener->OnClosed();
    listener.reset();
  }
};

}  // namespace todo::api
