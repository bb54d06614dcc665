#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "api/admission.h"
#include "api/socket_messages.h"
#include "api/user_limits.h"
#include "domain/ids.h"
#include "ports/authenticator.h"
#include "ports/change_feed.h"
#include "util/web_socket.h"

namespace todo::api {

// Close codes of /ws, besides those of RFC 6455. A client may come back after 4400 to 4499, and
// must not come back by itself after 4500 to 4999.
inline constexpr int kCloseTokenExpired = 4401;
inline constexpr int kCloseNoHello = 4408;
inline constexpr int kCloseTooMany = 4429;
inline constexpr int kCloseInvalidToken = 4500;
inline constexpr int kCloseBadRequest = 4501;
inline constexpr int kCloseWrongOrigin = 4503;

/// The close code that tells the client of `status`. Precondition: not OK. Pure.
int CloseCodeOf(const absl::Status& status);

/// Sends the error and closes. `status` is not OK.
void CloseWith(util::WebSocket& socket, const absl::Status& status);

/// The parts that all sessions share, and which outlive them. Thread safety: as their types.
struct SocketParts {
  const Admission& admission;
  ports::ChangeFeed& feed;
  std::function<std::chrono::steady_clock::time_point()> clock;
};

/// One client of /ws: hello, then its changes, and now and then a new token. Thread safety: as
/// WebSocketListener; the feed reaches the client from its own threads.
class SocketSession final : public util::WebSocketListener {
 public:
  /// `credentials`: of the handshake. `parts` must outlive the session.
  SocketSession(const SocketParts& parts, std::shared_ptr<util::WebSocket> socket,
                ports::Credentials credentials);

  void OnMessage(std::string text) override;
  void OnClosed() override;

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  absl::Status Greet(HelloMessage hello);
  absl::Status Renew(const TokenMessage& message);
  absl::Status CountMessage();

  const SocketParts& parts_;
  const std::shared_ptr<util::WebSocket> socket_;
  std::unique_ptr<ports::Credentials> handshake_;  // until hello
  bool closed_ = false;                            // nothing the client says counts any more
  domain::UserId user_;                            // from hello on
  SteadyTime rested_at_;                           // see CountMessage
  UserLimits::Place place_;
  std::unique_ptr<ports::FeedWatch> watch_;  // last: it ends before the place is given back
};

}  // namespace todo::api
