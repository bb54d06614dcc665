#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "util/guarded.h"
#include "util/http_exchange.h"

namespace todo::edge {

/// Carries the answer to one request from a handler, on any thread, to the connection, on the
/// server's thread. Both ends own it, so either may go first.
class AnswerChannel {
 public:
  /// What the handler has given since the last Take, in the order of the wire.
  struct Given {
    std::optional<util::HttpResponse> whole;
    std::optional<util::HttpResponseHead> head;
    std::vector<std::string> pieces;
    bool ended = false;      // nothing follows
    bool abandoned = false;  // nothing follows, and the answer is not complete
  };

  /// `wake` makes the connection call Take soon; called from any thread, must not block.
  /// `max_unsent_bytes`: of a streamed answer, see HttpExchange::Write.
  AnswerChannel(std::function<void()> wake, std::size_t max_unsent_bytes)
      : wake_(std::move(wake)), max_unsent_bytes_(max_unsent_bytes) {}

  // For the connection.

  Given Take();
  /// How many bytes of this answer the connection still holds. Calls the handler's callback if all
  /// have been sent.
  void SetHeld(std::size_t bytes);
  /// The client has gone. Calls the handler's callbacks if the answer was not complete.
  void Cancel();
  /// The client has left too much unread: the connection should close.
  bool overflowed();

  // For the handler, through the exchange.

  bool cancelled();
  void OnCancel(std::function<void()> callback);
  void OnDrained(std::function<void()> callback);
  void Respond(util::HttpResponse response);
  void Begin(util::HttpResponseHead head);
  bool Write(std::string piece);
  void End();
  /// The handler has let go of the exchange.
  void LetGo();

 private:
  enum class Stage { kNothing, kBegun, kComplete };
  struct State {
    Stage stage = Stage::kNothing;
    Given given;
    std::size_t queued_bytes = 0;  // of given.pieces
    std::size_t held_bytes = 0;
    bool cancelled = false;
    bool overflowed = false;
    bool woken = false;  // since the last Take
    std::function<void()> on_cancel;
    std::function<void()> on_drained;

    bool is_drained() const { return cancelled || queued_bytes + held_bytes == 0; }
  };

  /// Changes the state, then wakes the connection, once for each Take.
  template <typename Change>
  void Update(Change change);

  const std::function<void()> wake_;
  const std::size_t max_unsent_bytes_;
  util::Guarded<State> state_;
};

/// The exchange whose answer goes into `channel`.
std::unique_ptr<util::HttpExchange> MakeExchange(std::shared_ptr<AnswerChannel> channel);

}  // namespace todo::edge
