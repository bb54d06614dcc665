#include "api/socket_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "api/feed_json.h"
#include "api/watch_encoding.h"
#include "util/require.h"
#include "util/status.h"

namespace todo::api {
namespace {

constexpr int kCloseInternal = 1011;

/// After hello a client may send this many messages at once, and one for each interval.
constexpr int kMessageBurst = 10;
constexpr std::chrono::seconds kMessageInterval{6};

/// The end of a watch at a socket. Belongs to the feed.
class SocketSink final : public ports::FeedSink {
 public:
  explicit SocketSink(std::shared_ptr<util::WebSocket> socket) : socket_(std::move(socket)) {}

  bool Send(const ports::FeedMessage& message) override { return socket_->Send(JsonOf(message)); }
  void OnDrained(std::function<void()> callback) override {
    socket_->OnDrained(std::move(callback));
  }
  void End(const ports::FeedEnd& end) override { CloseWith(*socket_, StatusOf(end)); }

 private:
  const std::shared_ptr<util::WebSocket> socket_;
};

absl::Status BadRequest(std::string_view reason, std::string_view text) {
  return util::WithReason(util::MakeStatus(absl::StatusCode::kInvalidArgument, text), reason);
}

}  // namespace

int CloseCodeOf(const absl::Status& status) {
  const std::string reason = util::ReasonOf(status);
  switch (status.code()) {
    case absl::StatusCode::kUnauthenticated:
      return reason == "TOKEN_EXPIRED" || reason == "TICKET_EXPIRED" ? kCloseTokenExpired
                                                                     : kCloseInvalidToken;
    case absl::StatusCode::kPermissionDenied: return kCloseWrongOrigin;
    case absl::StatusCode::kInvalidArgument: return kCloseBadRequest;
    case absl::StatusCode::kResourceExhausted:
      return reason == "USER_RATE_LIMITED" || reason == "USER_BUSY" ? kCloseTooMany
                                                                    : util::kCloseTryAgainLater;
    case absl::StatusCode::kUnavailable:
      return reason == "SERVER_STOPPING" ? util::kCloseServiceRestart : util::kCloseTryAgainLater;
    default: return kCloseInternal;
  }
}

void CloseWith(util::WebSocket& socket, const absl::Status& status) {
  ErrorMessage error = ErrorMessageOf(status);
  socket.Send(std::make_shared<const std::string>(std::move(error.json)));
  socket.Close(CloseCodeOf(status), error.reason);
}

SocketSession::SocketSession(const SocketParts& parts, std::shared_ptr<util::WebSocket> socket,
                             ports::Credentials credentials)
    : parts_(parts),
      socket_(std::move(socket)),
      handshake_(std::make_unique<ports::Credentials>(std::move(credentials))) {}

void SocketSession::OnMessage(std::string text) {
  if (closed_) return;
  const bool is_first = handshake_ != nullptr;
  const absl::Status status = [&]() -> absl::Status {
    if (!is_first) TODO_RETURN_IF_ERROR(CountMessage());
    TODO_ASSIGN_OR_RETURN(SocketMessage message, ParseSocketMessage(text));
    if (auto* const hello = std::get_if<HelloMessage>(&message)) return Greet(std::move(*hello));
    return Renew(std::get<TokenMessage>(message));
  }();
  if (status.ok()) return;
  closed_ = true;
  watch_.reset();
  CloseWith(*socket_, status);
}

void SocketSession::OnClosed() {
  closed_ = true;
  watch_.reset();
  place_.Return();
}

absl::Status SocketSession::Greet(HelloMessage hello) {
  if (handshake_ == nullptr)
    return BadRequest("HELLO_REPEATED", "hello was sent before: open another socket");
  ports::Credentials credentials = std::move(*std::exchange(handshake_, nullptr));
  // Where there are two proofs, both are given, and the authenticator refuses them.
  if (hello.token) credentials.authorization.push_back(fmt::format("Bearer {}", *hello.token));
  if (hello.user_id) credentials.user_ids.push_back(*std::move(hello.user_id));
  TODO_ASSIGN_OR_RETURN(
      ports::Identity identity,
      parts_.admission.IdentifyWatcher(credentials, hello.ticket.value_or(std::string())));
  TODO_ASSIGN_OR_RETURN(place_, parts_.admission.AdmitWatch(identity.user));
  socket_->Admit();
  user_ = identity.user;
  TODO_ASSIGN_OR_RETURN(watch_, parts_.feed.Watch({.user = std::move(identity.user),
                                                   .cursor = std::move(hello.cursor),
                                                   .scope = hello.scope,
                                                   .expiry = identity.expiry},
                                                  std::make_shared<SocketSink>(socket_)));
  return absl::OkStatus();
}

absl::Status SocketSession::Renew(const TokenMessage& message) {
  if (handshake_ != nullptr) return BadRequest("HELLO_MISSING", "the first message must be hello");
  const absl::StatusOr<ports::Identity> identity =
      parts_.admission.IdentifyWatcher({.authorization = {fmt::format("Bearer {}", message.token)},
                                        .user_ids = {},
                                        .user_roles = {}},
                                       {});
  if (absl::IsUnavailable(identity.status())) {
    // The former token still counts; the client tries again.
    socket_->Send(std::make_shared<const std::string>(ErrorMessageOf(identity.status()).json));
    return absl::OkStatus();
  }
  TODO_RETURN_IF_ERROR(identity.status());
  if (identity->user != user_) {
    return util::WithReason(
        absl::UnauthenticatedError("the new token is of another user: open another socket"),
        "TOKEN_OTHER_USER");
  }
  watch_->SetExpiry(identity->expiry);
  socket_->Send(std::make_shared<const std::string>(TokenAcceptedJson(identity->expiry)));
  return absl::OkStatus();
}

absl::Status SocketSession::CountMessage() {
  // A bucket of kMessageBurst tokens, as the moment at which it is full again.
  const SteadyTime now = parts_.clock();
  rested_at_ = std::max(rested_at_, now) + kMessageInterval;
  if (rested_at_ - now <= kMessageInterval * kMessageBurst) return absl::OkStatus();
  return BadRequest("TOO_MANY_MESSAGES",
                    "too many messages: send a new token once, before the former one expires");
}

}  // namespace todo::api
