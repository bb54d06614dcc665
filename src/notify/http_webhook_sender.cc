#include "notify/http_webhook_sender.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "domain/notification/messages.h"
#include "notify/send_outcome.h"
#include "util/digest.h"
#include "util/status.h"

namespace todo::notify {
namespace {

using ports::SendOutcome;
using Kind = SendOutcome::Kind;

constexpr std::size_t kMaxIdBytes = 255;

bool IsId(std::string_view id) {
  return !id.empty() && id.size() <= kMaxIdBytes &&
         std::all_of(id.begin(), id.end(),
                     [](unsigned char c) { return absl::ascii_isgraph(c) && c != '.'; });
}

std::string Signatures(const ports::WebhookMessage& message, long long timestamp) {
  const std::string content = fmt::format("{}.{}.{}", message.id, timestamp, message.body);
  std::string signatures;
  for (const std::string& secret : message.secrets) {
    const std::string signature = util::HmacSha256(secret, content);
    if (!signatures.empty()) signatures += ' ';
    signatures += "v1," + absl::Base64Escape(signature);
  }
  return signatures;
}

}  // namespace

absl::StatusOr<std::unique_ptr<HttpWebhookSender>> HttpWebhookSender::Create(HttpOptions options) {
  TODO_ASSIGN_OR_RETURN(HttpPoster poster, HttpPoster::Create(std::move(options)));
  return std::unique_ptr<HttpWebhookSender>(new HttpWebhookSender(std::move(poster)));
}

SendOutcome HttpWebhookSender::Send(const ports::WebhookMessage& message) {
  const auto refused = [](std::string_view why) { return Unanswered(Kind::kRefused, why); };
  if (message.body.size() > domain::kMaxWebhookBodyBytes)
    return refused(fmt::format("the payload has {} bytes; a webhook carries at most {}",
                               message.body.size(), domain::kMaxWebhookBodyBytes));
  if (!IsId(message.id)) return refused("the webhook's id cannot stand in a header");
  const auto& secrets = message.secrets;
  if (secrets.empty() || std::any_of(secrets.begin(), secrets.end(),
                                     [](const std::string& secret) { return secret.empty(); }))
    return refused("the webhook has no secret to sign with");

  const auto target = net::ParseTarget(message.url);
  if (!target.ok()) return Unanswered(Kind::kForbidden, target.status());
  const long long timestamp =
      std::chrono::floor<std::chrono::seconds>(message.timestamp).time_since_epoch().count();
  std::vector<std::string> headers = {"content-type: application/json", "webhook-id: " + message.id,
                                      fmt::format("webhook-timestamp: {}", timestamp),
                                      "webhook-signature: " + Signatures(message, timestamp)};
  if (!message.traceparent.empty()) headers.push_back("traceparent: " + message.traceparent);
  return poster_.Post(*target, std::move(headers), message.body);
}

}  // namespace todo::notify
