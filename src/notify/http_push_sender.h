#pragma once

#include <memory>
#include <string>

#include "net/http_poster.h"
#include "notify/vapid.h"
#include "ports/clock.h"
#include "ports/notification_senders.h"

namespace todo::notify {

/// Sends Web Push messages (RFC 8030) to whatever push service the browser has named.
/// 404 and 410 are kGone: the subscription has ended. 408, 425, 429, 3xx and 5xx are kRetry, other
/// answers of 4xx kRefused.
class HttpPushSender final : public ports::PushSender {
 public:
  static constexpr std::size_t kMaxPayloadBytes = 3000;

  struct Options {
    net::HttpOptions http;
    std::string vapid_key;  // see Vapid::ParseKey
    std::string contact;    // a mailto: or https: URL of the operator, for the push services
  };

  /// kInvalidArgument: push services would not take this contact.
  static absl::Status CheckContact(const std::string& contact);
  /// kInvalidArgument names what is wrong with the options, without quoting the key. `clock` must
  /// outlive the sender.
  static absl::StatusOr<std::unique_ptr<HttpPushSender>> Create(Options options,
                                                                const ports::Clock& clock);

  /// kRefused, before anything is sent: a payload of more than kMaxPayloadBytes, keys that are
  /// none, a topic that RFC 8030 does not know.
  ports::SendOutcome Send(const ports::PushMessage& message) override;
  absl::Status Check(const std::string& url) const override { return poster_.Check(url); }

  /// See Vapid::PublicKey.
  std::string PublicKey() const { return vapid_.PublicKey(); }

 private:
  HttpPushSender(net::HttpPoster poster, P256Key key, std::string contact,
                 const ports::Clock& clock)
      : poster_(std::move(poster)), vapid_(std::move(key), std::move(contact), clock) {}

  const net::HttpPoster poster_;
  Vapid vapid_;
};

}  // namespace todo::notify
