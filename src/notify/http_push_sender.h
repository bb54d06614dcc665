#pragma once

#include <memory>
#include <string>

#include "notify/http_poster.h"
#include "notify/vapid.h"
#include "ports/clock.h"
#include "ports/notification_senders.h"

namespace todo::notify {

/// Sends Web Push messages (RFC 8030) to the push service that the user's browser has named.
/// The answers 404 and 410 are kGone: the subscription has ended. 408, 425, 429, 3xx and 5xx are
/// kRetry, the rest of 4xx kRefused. Thread safety and blocking: as the port says.
class HttpPushSender final : public ports::PushSender {
 public:
  struct Options {
    HttpOptions http;
    std::string vapid_key;  // see Vapid::ParseKey
    std::string contact;    // mailto: or https: URL by which push services reach the operator
  };

  /// kInvalidArgument: `contact` is neither a mailto: nor an https: URL.
  static absl::Status CheckContact(const std::string& contact);
  /// kInvalidArgument says what is wrong with the options, without quoting the key. `clock` must
  /// outlive the sender.
  static absl::StatusOr<std::unique_ptr<HttpPushSender>> Create(Options options,
                                                                const ports::Clock& clock);

  /// Also kRefused, before anything is sent: a payload of more than domain::kMaxPushPayloadBytes,
  /// invalid keys, a topic that RFC 8030 does not allow.
  ports::SendOutcome Send(const ports::PushMessage& message) override;
  absl::Status Check(const std::string& url) const override { return poster_.Check(url); }

  /// See Vapid::PublicKey.
  std::string PublicKey() const { return vapid_.PublicKey(); }

 private:
  HttpPushSender(HttpPoster poster, P256Key key, std::string contact, const ports::Clock& clock)
      : poster_(std::move(poster)), vapid_(std::move(key), std::move(contact), clock) {}

  const HttpPoster poster_;
  Vapid vapid_;
};

}  // namespace todo::notify
