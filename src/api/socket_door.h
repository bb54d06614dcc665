#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "api/admission.h"
#include "api/origin_rule.h"
#include "api/socket_session.h"
#include "ports/change_feed.h"
#include "util/http_exchange.h"

namespace todo::api {

/// The only subprotocol of /ws.
inline constexpr char kSocketProtocol[] = "todo.v1";

/// The path /ws: the changes of a user over a WebSocket (docs/live.md). A handshake that a browser
/// may not or cannot make is accepted and closed at once, with a code that says why, because pages
/// see nothing of a refused handshake. Thread safety: as HttpHandler.
class SocketDoor final : public util::HttpHandler {
 public:
  struct Options {
    /// The origins whose pages may open sockets, besides the server's own: such as
    /// "https://app.example.org". Clients that are no browsers send no origin, and may come.
    std::vector<std::string> allowed_origins = {};
    std::function<std::chrono::steady_clock::time_point()> clock = std::chrono::steady_clock::now;
  };

  /// `admission` and `feed` must outlive the door and every socket.
  SocketDoor(const Admission& admission, ports::ChangeFeed& feed, Options options)
      : origins_(std::move(options.allowed_origins)),
        parts_{admission, feed, std::move(options.clock)} {}

  util::HttpDecision Decide(const util::HttpRequestHead& head) override;

 private:
  /// An error: the socket is closed with it.
  absl::Status Check(const util::HttpRequestHead& head) const;

  const OriginRule origins_;
  const SocketParts parts_;
};

}  // namespace todo::api
