#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "util/guarded.h"
#include "util/web_socket.h"

namespace todo::edge {

/// The door's end of a WebSocket: carries messages from any thread to the session, on the server's
/// thread. The door may keep it longer than the session lives.
class WebSocketChannel final : public util::WebSocket {
 public:
  struct Message {
    std::shared_ptr<const std::string> bytes;
    bool binary = false;
  };
  struct CloseOrder {
    int code = 0;
    std::string reason;
    bool at_once = false;  // without the messages that wait
  };
  /// What the door has given since the last Take, in this order.
  struct Given {
    bool admitted = false;
    std::vector<Message> messages;
    std::optional<CloseOrder> close;
  };

  /// `wake` makes the session call Take soon; called from any thread, must not block.
  WebSocketChannel(std::function<void()> wake, std::size_t max_unsent_bytes)
      : wake_(std::move(wake)), max_unsent_bytes_(max_unsent_bytes) {}

  // For the session.

  Given Take();
  /// How many bytes of messages the session still holds.
  void SetHeld(std::size_t bytes);
  /// Nothing further will be sent. Calls the door's callback.
  void Shut();

  // For the door, see util::WebSocket.

  bool Send(std::shared_ptr<const std::string> text) override;
  bool SendBinary(std::shared_ptr<const std::string> bytes) override;
  std::size_t unsent_bytes() const override;
  void OnDrained(std::function<void()> callback) override;
  void Admit() override;
  void Close(int code, std::string_view reason) override;

 private:
  struct State {
    Given given;
    std::size_t queued_bytes = 0;  // of given.messages
    std::size_t held_bytes = 0;
    bool closing = false;
    bool woken = false;  // since the last Take
    std::function<void()> on_drained;
  };

  bool Queue(Message message);
  /// Changes the state, then wakes the session, once for each Take.
  template <typename Change>
  void Update(Change change);

  const std::function<void()> wake_;
  const std::size_t max_unsent_bytes_;
  mutable util::Guarded<State> state_;
};

}  // namespace todo::edge
