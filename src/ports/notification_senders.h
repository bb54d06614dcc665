#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "domain/time.h"

// How a notification leaves the house. One call is one attempt: when to try again, and how often,
// is the caller's decision. Thread safety: all may be called from many threads at once. All block,
// at most as long as their own timeout; none throws.

namespace todo::ports {

/// What became of one attempt.
struct SendOutcome {
  enum class Kind {
    kDelivered,  // the other side has it
    kRetry,      // not now: a fault of the network, of the server, or ours
    kGone,  // the target does not exist any more (410, 404 of a push service): stop sending there
    kRefused,    // this message will never be taken; the target may be in order
    kForbidden,  // the target is one that we do not talk to (a private address, say); nothing was
                 // sent
  };
  Kind kind = Kind::kRetry;
  int status_code = 0;  // HTTP or SMTP; 0: it did not come to an answer
  std::string detail;   // for the delivery log and people; at most 500 bytes of UTF-8, no secrets
  std::optional<std::chrono::seconds> retry_after;  // what the other side asked for
};

/// A call of a webhook, signed as Standard Webhooks say.
struct WebhookMessage {
  std::string url;
  std::string id;                    // webhook-id: the same on every attempt
  domain::Instant timestamp;         // of this attempt
  std::string body;                  // JSON, below 20 kB
  std::vector<std::string> secrets;  // raw bytes; one signature for each, the newest first
};
class WebhookSender {
 public:
  virtual ~WebhookSender() = default;
  virtual SendOutcome Send(const WebhookMessage& message) = 0;
  /// Whether Send could ever be OK for this URL, as far as the URL tells: kPermissionDenied, with
  /// the reason for its user, when whatever a name server says it would be kForbidden. Does not
  /// block.
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

/// A Web Push message (RFC 8030), encrypted for the browser (RFC 8291) and signed by us (RFC 8292).
struct PushMessage {
  std::string endpoint;  // URL of the push service
  std::string p256dh;    // the browser's public key: raw, 65 bytes
  std::string auth;      // the browser's secret: raw, 16 bytes
  std::string payload;   // at most 3,000 bytes
  std::chrono::seconds ttl{3600};
  std::string topic;  // up to 32 characters of base64url, or empty: a later message replaces an
                      // undelivered one
};
class PushSender {
 public:
  virtual ~PushSender() = default;
  virtual SendOutcome Send(const PushMessage& message) = 0;
  /// The same as of a webhook.
  virtual absl::Status Check(const std::string& url) const = 0;
};

}  // namespace todo::ports
