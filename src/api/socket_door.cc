#include "api/socket_door.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "util/http_problem.h"
#include "util/status.h"

namespace todo::api {
namespace {

/// Hears nothing: for a socket that is closed at once.
class DeafListener final : public util::WebSocketListener {
 public:
  void OnMessage(std::string /*text*/) override {}
  void OnClosed() override {}
};

/// Whether one of the comma-separated lists holds `word`.
bool ListsHold(const std::vector<std::string>& lists, std::string_view word) {
  for (const std::string& list : lists) {
    std::string_view rest = list;
    while (!rest.empty()) {
      std::string_view entry = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
      while (entry.starts_with(' ') || entry.starts_with('\t')) entry.remove_prefix(1);
      while (entry.ends_with(' ') || entry.ends_with('\t')) entry.remove_suffix(1);
      if (entry == word) return true;
    }
  }
  return false;
}

}  // namespace

absl::Status SocketDoor::Check(const util::HttpRequestHead& head) const {
  TODO_RETURN_IF_ERROR(origins_.Check(head));
  if (!ListsHold(head.All("sec-websocket-protocol"), kSocketProtocol)) {
    return util::WithReason(
        absl::InvalidArgumentError("the handshake must offer the subprotocol todo.v1"),
        "PROTOCOL_MISSING");
  }
  return absl::OkStatus();
}

util::HttpDecision SocketDoor::Decide(const util::HttpRequestHead& head) {
  if (head.method != "GET") {
    util::HttpResponse response = util::HttpProblem(405, "a WebSocket is opened with GET");
    response.headers.emplace_back("allow", "GET");
    return response;
  }
  const absl::Status refusal = Check(head);
  util::WebSocketAcceptance acceptance;
  acceptance.late_code = kCloseNoHello;
  acceptance.late_reason = "HELLO_TOO_LATE";
  if (ListsHold(head.All("sec-websocket-protocol"), kSocketProtocol))
    acceptance.subprotocol = kSocketProtocol;
  if (!refusal.ok()) {
    acceptance.open = [refusal](const std::shared_ptr<util::WebSocket>& socket) {
      CloseWith(*socket, refusal);
      return std::make_unique<DeafListener>();
    };
    return acceptance;
  }
  acceptance.open = [this, credentials = ReadHeaders([&](std::string_view name) {
                                           return head.All(name);
                                         }).credentials](std::shared_ptr<util::WebSocket> socket) {
    return std::make_unique<SocketSession>(parts_, std::move(socket), credentials);
  };
  return acceptance;
}

}  // namespace todo::api
