#include "notify/http_push_sender.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "domain/notification/messages.h"
#include "notify/push_encryption.h"
#include "notify/send_outcome.h"
#include "util/status.h"

namespace todo::notify {
namespace {

using ports::SendOutcome;
using Kind = SendOutcome::Kind;

constexpr std::size_t kMaxTopicBytes = 32;

bool IsTopic(std::string_view topic) {
  return topic.size() <= kMaxTopicBytes &&
         std::all_of(topic.begin(), topic.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '-' || c == '_';
         });
}

bool IsContact(const std::string& contact) {
  return (absl::StartsWith(contact, "mailto:") || absl::StartsWith(contact, "https://")) &&
         std::all_of(contact.begin(), contact.end(),
                     [](unsigned char c) { return absl::ascii_isgraph(c); });
}

/// Encrypts with a fresh key pair and a fresh salt.
absl::StatusOr<std::string> Encrypt(const ports::PushMessage& message) {
  std::string salt(Aes128Gcm::kSaltBytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(salt.data()), static_cast<int>(salt.size())) != 1)
    return absl::InternalError("no random bytes could be generated");
  TODO_ASSIGN_OR_RETURN(const P256Key sender, P256Key::Generate());
  return EncryptPush({message.p256dh, message.auth}, message.payload, sender, salt);
}

Kind KindOf(const SendOutcome& outcome) {
  switch (outcome.status_code) {
    case 404: return Kind::kGone;
    case 408:
    case 425:
    case 429: return Kind::kRetry;
  }
  const bool refused = outcome.kind == Kind::kRetry && outcome.status_code / 100 == 4;
  return refused ? Kind::kRefused : outcome.kind;
}

}  // namespace

absl::Status HttpPushSender::CheckContact(const std::string& contact) {
  if (IsContact(contact)) return absl::OkStatus();
  return absl::InvalidArgumentError("must be a mailto: or https: URL");
}

absl::StatusOr<std::unique_ptr<HttpPushSender>> HttpPushSender::Create(Options options,
                                                                       const ports::Clock& clock) {
  TODO_ASSIGN_OR_RETURN(HttpPoster poster, HttpPoster::Create(std::move(options.http)));
  absl::StatusOr<P256Key> key = Vapid::ParseKey(options.vapid_key);
  if (!key.ok()) return util::Annotate(key.status(), "VAPID key");
  if (const absl::Status status = CheckContact(options.contact); !status.ok())
    return util::Annotate(status, "VAPID contact");
  return std::unique_ptr<HttpPushSender>(
      new HttpPushSender(std::move(poster), *std::move(key), std::move(options.contact), clock));
}

SendOutcome HttpPushSender::Send(const ports::PushMessage& message) {
  if (message.payload.size() > domain::kMaxPushPayloadBytes)
    return Unanswered(Kind::kRefused,
                      fmt::format("the payload has {} bytes; a push message carries at most {}",
                                  message.payload.size(), domain::kMaxPushPayloadBytes));
  if (!IsTopic(message.topic))
    return Unanswered(Kind::kRefused, "the topic must have at most 32 characters of base64url");
  const auto target = net::ParseTarget(message.endpoint);
  if (!target.ok()) return Unanswered(Kind::kForbidden, target.status());
  const auto body = Encrypt(message);
  if (!body.ok())
    return Unanswered(absl::IsInvalidArgument(body.status()) ? Kind::kRefused : Kind::kRetry,
                      body.status());
  const auto authorization = vapid_.Authorization(target->origin);
  if (!authorization.ok()) return Unanswered(Kind::kRetry, authorization.status());

  std::vector<std::string> headers = {
      "content-type: application/octet-stream", "content-encoding: aes128gcm",
      "authorization: " + *authorization,
      fmt::format("ttl: {}", std::max(message.ttl, std::chrono::seconds{0}).count()),
      "urgency: high"};  // a reminder is worth waking the device for
  if (!message.topic.empty()) headers.push_back("topic: " + message.topic);
  SendOutcome outcome = poster_.Post(*target, std::move(headers), *body);
  outcome.kind = KindOf(outcome);
  if (outcome.kind != Kind::kRetry) outcome.retry_after.reset();
  return outcome;
}

}  // namespace todo::notify
