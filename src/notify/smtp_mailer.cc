#include "notify/smtp_mailer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "net/curl_handle.h"
#include "net/unanswered.h"
#include "util/one_line.h"
#include "util/status.h"

namespace todo::notify {
namespace {

using ports::SendOutcome;
using Kind = SendOutcome::Kind;

constexpr std::size_t kMaxReplyBytes = 400;

struct Conversation {
  std::string_view unsent;  // of the mail
  bool greeted = false;     // the server has taken the connection
  std::string reply;        // the server's last line, but for the farewell
};

std::size_t ReadMail(char* buffer, std::size_t size, std::size_t count, void* data) {
  auto& conversation = *static_cast<Conversation*>(data);
  const std::size_t bytes = std::min(size * count, conversation.unsent.size());
  std::memcpy(buffer, conversation.unsent.data(), bytes);
  conversation.unsent.remove_prefix(bytes);
  return bytes;
}

std::size_t OnReply(char* begin, std::size_t, std::size_t bytes, void* data) {
  auto& conversation = *static_cast<Conversation*>(data);
  const std::string_view line(begin, bytes);
  if (absl::StartsWith(util::ToAbsl(line), "221")) return bytes;
  if (absl::StartsWith(util::ToAbsl(line), "220")) conversation.greeted = true;
  conversation.reply = util::OneLine(
      util::FromAbsl(absl::StripTrailingAsciiWhitespace(util::ToAbsl(line))), kMaxReplyBytes);
  return bytes;
}

int CodeOf(std::string_view reply) {
  int code = 0;
  for (const char c : reply.substr(0, 3)) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return 0;
    code = code * 10 + (c - '0');
  }
  return code;
}

/// Whether an enhanced status code says that mail to this address can never arrive: no such
/// mailbox, no such domain, moved away, a domain without mail.
bool SaysNoSuchAddress(std::string_view reply) {
  constexpr std::size_t kBehindCode = 4;
  if (reply.size() < kBehindCode) return false;
  const std::string_view text = reply.substr(kBehindCode);
  const std::string_view enhanced = text.substr(0, text.find(' '));
  return enhanced == "5.1.1" || enhanced == "5.1.2" || enhanced == "5.1.6" || enhanced == "5.1.10";
}

/// What a reply to MAIL, RCPT, DATA or to the mail itself means for the mail.
Kind KindOf(std::string_view reply) {
  const int code = CodeOf(reply);
  switch (code) {
    case 530:
    case 534:
    case 535:
    case 538: return Kind::kRetry;  // about authentication and encryption: our settings are wrong
  }
  if (code / 100 != 5) return Kind::kRetry;
  return SaysNoSuchAddress(reply) ? Kind::kGone : Kind::kRefused;
}

/// What the server said last, and `kind` for it.
SendOutcome FromReply(Kind kind, const Conversation& conversation) {
  SendOutcome outcome;
  outcome.kind = kind;
  outcome.status_code = CodeOf(conversation.reply);
  outcome.detail = "SMTP " + conversation.reply;
  return outcome;
}

SendOutcome FromFailure(const net::CurlHandle& curl, CURLcode code,
                        const Conversation& conversation) {
  if (CodeOf(conversation.reply) < 400) return net::Unanswered(Kind::kRetry, curl.Describe(code));
  // The codes by which libcurl says that a command was refused. Before the greeting it is the
  // connection that was refused.
  const bool refused_command = code == CURLE_SEND_ERROR || code == CURLE_WEIRD_SERVER_REPLY;
  return FromReply(
      refused_command && conversation.greeted ? KindOf(conversation.reply) : Kind::kRetry,
      conversation);
}

bool IsHost(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_' || c == ':';
  });
}

std::string UrlOf(const SmtpMailer::Options& options) {
  const bool ipv6 = absl::StrContains(options.host, ":");
  return fmt::format("{}://{}{}{}:{}",
                     options.security == SmtpMailer::Security::kTls ? "smtps" : "smtp",
                     ipv6 ? "[" : "", options.host, ipv6 ? "]" : "", options.port);
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
  const auto mail = FormatMail(message, options_.sender, clock_.Now());
  if (!mail.ok()) return net::Unanswered(Kind::kRefused, mail.status());

  Conversation conversation;
  conversation.unsent = *mail;
  net::CurlHandle curl(options_.timeout, options_.ca_file);
  curl.Set(CURLOPT_URL, UrlOf(options_).c_str());
  curl.Set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  if (options_.security == Security::kStartTls)
    curl.Set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
  if (!options_.user.empty()) {
    curl.Set(CURLOPT_USERNAME, options_.user.c_str());
    curl.Set(CURLOPT_PASSWORD, options_.password.c_str());
  }
  curl.Set(CURLOPT_MAIL_FROM, options_.sender.address.c_str());
  curl.SetList(CURLOPT_MAIL_RCPT, {message.to});
  curl.Set(CURLOPT_UPLOAD, 1L);
  curl.Set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(mail->size()));
  curl.Set(CURLOPT_READFUNCTION, ReadMail);
  curl.Set(CURLOPT_READDATA, &conversation);
  curl.Set(CURLOPT_HEADERFUNCTION, OnReply);
  curl.Set(CURLOPT_HEADERDATA, &conversation);

  const CURLcode code = curl.Perform();
  if (code != CURLE_OK) return FromFailure(curl, code, conversation);
  return FromReply(Kind::kDelivered, conversation);
}

}  // namespace todo::notify
