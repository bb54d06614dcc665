#include "notify/smtp_mailer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "notify/send_outcome.h"
#include "util/status.h"

namespace todo::notify {
namespace {

using net::SmtpResult;
using ports::SendOutcome;
using Kind = SendOutcome::Kind;

/// Whether the enhanced code of a reply says that mail to this address can never arrive: no such
/// mailbox, no such domain, a mailbox that has moved away, a domain without mail.
bool SaysNoSuchAddress(std::string_view reply) {
  constexpr std::size_t kBehindCode = 4;
  if (reply.size() < kBehindCode) return false;
  const std::string_view text = reply.substr(kBehindCode);
  const std::string_view enhanced = text.substr(0, text.find(' '));
  return enhanced == "5.1.1" || enhanced == "5.1.2" || enhanced == "5.1.6" || enhanced == "5.1.10";
}

/// The meaning for the mail of a rejected MAIL, RCPT, DATA or of the rejected mail itself.
Kind KindOfRejection(const SmtpResult& result) {
  switch (result.code) {
    case 530:
    case 534:
    case 535:
    case 538: return Kind::kRetry;  // about authentication and encryption: our settings are wrong
  }
  if (result.code / 100 != 5) return Kind::kRetry;
  return SaysNoSuchAddress(result.reply) ? Kind::kGone : Kind::kRefused;
}

SendOutcome WithReply(Kind kind, const SmtpResult& result) {
  SendOutcome outcome;
  outcome.kind = kind;
  outcome.status_code = result.code;
  outcome.detail = "SMTP " + result.reply;
  return outcome;
}

SendOutcome OutcomeOf(const SmtpResult& result) {
  switch (result.end) {
    case SmtpResult::End::kAccepted: return WithReply(Kind::kDelivered, result);
    case SmtpResult::End::kRejected: return WithReply(KindOfRejection(result), result);
    case SmtpResult::End::kBroken: break;
  }
  // The server's refusal of the connection or of the password explains more than libcurl does.
  return result.code >= 400 ? WithReply(Kind::kRetry, result)
                            : Unanswered(Kind::kRetry, result.failure);
}

bool IsHost(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_' || c == ':';
  });
}

}  // namespace

absl::Status SmtpMailer::CheckServer(const std::string& host, int port) {
  if (!IsHost(host)) return absl::InvalidArgumentError("must be a host name or an address");
  if (port < 1 || port > 65535) return absl::InvalidArgumentError("its port must be 1 to 65535");
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<SmtpMailer>> SmtpMailer::Create(Options options,
                                                               const ports::Clock& clock) {
  if (const absl::Status status = CheckServer(options.host, options.port); !status.ok())
    return util::Annotate(status, "mail server");
  if (!IsMailAddress(options.sender.address))
    return absl::InvalidArgumentError("mail sender: must be an address like todo@example.com");
  if (options.security == Security::kPlain && !options.user.empty())
    return absl::InvalidArgumentError(
        "mail server: a password is sent over STARTTLS or TLS only; set one, or no user");
  return std::unique_ptr<SmtpMailer>(new SmtpMailer(std::move(options), clock));
}

SendOutcome SmtpMailer::Send(const ports::MailMessage& message) {
  auto mail = FormatMail(message, options_.sender, clock_.Now());
  if (!mail.ok()) return Unanswered(Kind::kRefused, mail.status());
  return OutcomeOf(net::SendSmtp(
      options_, {.from = options_.sender.address, .to = message.to, .content = *std::move(mail)}));
}

}  // namespace todo::notify
