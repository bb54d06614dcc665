#pragma once

#include <memory>

#include "net/http_poster.h"
#include "ports/notification_senders.h"

namespace todo::notify {

/// Calls webhooks as the Standard Webhooks specification says. By it every answer but 2xx is a
/// failure that is tried again, redirects and 4xx too, and 410 ends the endpoint.
class HttpWebhookSender final : public ports::WebhookSender {
 public:
  static constexpr std::size_t kMaxBodyBytes = 20'000;

  /// kInvalidArgument: see net::HttpPoster::Create.
  static absl::StatusOr<std::unique_ptr<HttpWebhookSender>> Create(net::HttpOptions options);

  /// kRefused, before anything is sent: a body of kMaxBodyBytes or more, no secret or an empty
  /// one, an id that cannot stand in a header or holds the '.' that separates it in what is signed.
  ports::SendOutcome Send(const ports::WebhookMessage& message) override;
  absl::Status Check(const std::string& url) const override { return poster_.Check(url); }

 private:
  explicit HttpWebhookSender(net::HttpPoster poster) : poster_(std::move(poster)) {}

  const net::HttpPoster poster_;
};

}  // namespace todo::notify
