#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "domain/time.h"

// Senders of notifications, one for each channel. One call is one attempt: when and how often to
// try again is the caller's decision. Thread safety: all methods may be called from many threads at
// once. Send blocks, at most as long as the sender's own timeout. None throws.

namespace todo::ports {

/// The result of one attempt.
struct SendOutcome {
  enum class Kind {
    kDelivered,  // the endpoint has the message
    kRetry,      // not now: a fault of the network, of the endpoint, or of this server
    kGone,       // the endpoint no longer exists (410, 404 of a push service): stop sending there
    kRefused,    // the endpoint will never take this message; it may take others
    kForbidden,  // this server must not connect to the endpoint (a private address, say); nothing
                 // was sent
  };
  Kind kind = Kind::kRetry;
  int status_code = 0;  // HTTP or SMTP; 0: there was no answer
  std::string detail;   // for the delivery log; at most 500 bytes of UTF-8, without secrets
  std::optional<std::chrono::seconds> retry_after;  // the wait that the endpoint asked for
};

/// A call of a webhook, signed by Standard Webhooks.
struct WebhookMessage {
  std::string url;
  std::string id;                    // webhook-id: the same on every attempt
  domain::Instant timestamp;         // of this attempt
  std::string body;                  // JSON, at most domain::kMaxWebhookBodyBytes
  std::vector<std::string> secrets;  // raw bytes; one signature for each, the newest first
  std::string traceparent = {};      // header, W3C; empty: not sent
};
class WebhookSender {
 public:
  virtual ~WebhookSender() = default;
  virtual SendOutcome Send(const WebhookMessage& message) = 0;
  /// kPermissionDenied when Send would answer kForbidden for this URL whatever its host's name
  /// leads to, with the reason for its user. Does not block.
  virtual absl::Status Check(const std::string& url) const = 0;
};

struct MailMessage {
  std::string message_id;        // without angle brackets; the same on every attempt
  std::string to;                // one address
  std::string subject;           // UTF-8
  std::string text;              // UTF-8
  std::string html;              // UTF-8
  std::string list_unsubscribe;  // a URL, or empty
};
class Mailer {
 public:
  virtual ~Mailer() = default;
  virtual SendOutcome Send(const MailMessage& message) = 0;
};

/// A Web Push message (RFC 8030), encrypted for the browser (RFC 8291) and signed by this server
/// (RFC 8292).
struct PushMessage {
  std::string endpoint;  // URL of the push service
  std::string p256dh;    // the browser's public key: raw, 65 bytes
  std::string auth;      // the browser's secret: raw, 16 bytes
  std::string payload;   // at most domain::kMaxPushPayloadBytes
  std::chrono::seconds ttl{3600};
  std::string topic;  // at most 32 characters of base64url, or empty; a later message replaces an
                      // undelivered one with the same topic
};
class PushSender {
 public:
  virtual ~PushSender() = default;
  virtual SendOutcome Send(const PushMessage& message) = 0;
  /// As WebhookSender::Check.
  virtual absl::Status Check(const std::string& url) const = 0;
};

}  // namespace todo::ports
