#pragma once

#include <memory>

#include "notify/http_poster.h"
#include "ports/notification_senders.h"

namespace todo::notify {

/// Calls webhooks by the Standard Webhooks specification: 2xx is kDelivered, 410 kGone, and every
/// other answer kRetry, redirects and 4xx too. Thread safety and blocking: as the port says.
class HttpWebhookSender final : public ports::WebhookSender {
 public:
  /// kInvalidArgument names an entry of `allowed_hosts` that cannot be on the list.
  static absl::StatusOr<std::unique_ptr<HttpWebhookSender>> Create(HttpOptions options);

  /// kRefused, before anything is sent: a body of more than domain::kMaxWebhookBodyBytes, no secret
  /// or an empty one, an id that cannot stand in a header or contains '.', the separator in the
  /// signed text.
  ports::SendOutcome Send(const ports::WebhookMessage& message) override;
  absl::Status Check(const std::string& url) const override { return poster_.Check(url); }

 private:
  explicit HttpWebhookSender(HttpPoster poster) : poster_(std::move(poster)) {}

  const HttpPoster poster_;
};

}  // namespace todo::notify
