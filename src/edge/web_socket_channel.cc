#include "edge/web_socket_channel.h"

#include <utility>

#include "util/require.h"

namespace todo::edge {

template <typename Change>
void WebSocketChannel::Update(Change change) {
  {
    auto state = state_.Lock();
    if (!change(*state)) return;
    if (std::exchange(state->woken, true)) return;
  }
  wake_();
}

WebSocketChannel::Given WebSocketChannel::Take() {
  auto state = state_.Lock();
  state->woken = false;
  state->held_bytes += std::exchange(state->queued_bytes, 0);
  return std::exchange(state->given, {});
}

void WebSocketChannel::SetHeld(std::size_t bytes) {
  std::function<void()> callback;
  {
    auto state = state_.Lock();
    state->held_bytes = bytes;
    if (bytes + state->queued_bytes == 0) callback = std::exchange(state->on_drained, nullptr);
  }
  if (callback) callback();
}

void WebSocketChannel::Shut() {
  Given needless;  // destroyed without the lock
  std::function<void()> callback;
  {
    auto state = state_.Lock();
    state->closing = true;
    needless = std::exchange(state->given, {});
    state->queued_bytes = 0;
    state->held_bytes = 0;
    callback = std::exchange(state->on_drained, nullptr);
  }
  if (callback) callback();
}

bool WebSocketChannel::Send(std::shared_ptr<const std::string> text) {
  return Queue({.bytes = std::move(text)});
}

bool WebSocketChannel::SendBinary(std::shared_ptr<const std::string> bytes) {
  return Queue({.bytes = std::move(bytes), .binary = true});
}

bool WebSocketChannel::Queue(Message message) {
  TODO_REQUIRE(message.bytes != nullptr);
  bool taken = false;
  std::vector<Message> needless;  // destroyed without the lock
  Update([&](State& state) {
    if (state.closing) return false;
    // A single message may be larger than the bound: its size is the door's affair.
    if (state.queued_bytes + state.held_bytes > max_unsent_bytes_) {
      state.closing = true;
      needless = std::exchange(state.given.messages, {});
      state.queued_bytes = 0;
      state.given.close = {.code = util::kCloseTryAgainLater,
                           .reason = "the client reads too slowly",
                           .at_once = true};
      return true;
    }
    taken = true;
    state.queued_bytes += message.bytes->size();
    state.given.messages.push_back(std::move(message));
    return true;
  });
  return taken;
}

std::size_t WebSocketChannel::unsent_bytes() const {
  auto state = state_.Lock();
  return state->queued_bytes + state->held_bytes;
}

void WebSocketChannel::OnDrained(std::function<void()> callback) {
  {
    auto state = state_.Lock();
    if (state->queued_bytes + state->held_bytes > 0) {
      std::swap(state->on_drained, callback);  // the former one is destroyed without the lock
      return;
    }
  }
  callback();
}

void WebSocketChannel::Admit() {
  Update([](State& state) {
    state.given.admitted = true;
    return !state.closing;
  });
}

void WebSocketChannel::Close(int code, std::string_view reason) {
  Update([&](State& state) {
    if (std::exchange(state.closing, true)) return false;
    state.given.close = {.code = code, .reason = std::string(reason)};
    return true;
  });
}

}  // namespace todo::edge
