#include "notify/mail_format.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "domain/notification/endpoint_rules.h"
#include "util/one_line.h"
#include "util/status.h"
#include "util/utf8.h"

namespace todo::notify {
namespace {

constexpr std::size_t kMaxLine = 76;
constexpr std::size_t kMaxHeaderBytes = 1000;
constexpr std::size_t kMaxLinkBytes = 900;  // in one line, of at most 998 bytes
// 52 characters of base64 and 12 around them: with the name of the header still below kMaxLine.
constexpr std::size_t kEncodedWordBytes = 39;
// Holds a character that base64 does not have, so no part can contain it.
constexpr char kBoundary[] = "=_alternative";

bool IsUrl(std::string_view text) {
  return text.size() <= kMaxLinkBytes &&
         (absl::StartsWith(util::ToAbsl(text), "https://") ||
          absl::StartsWith(util::ToAbsl(text), "mailto:")) &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return absl::ascii_isgraph(c) && c != '<' && c != '>' && c != ',';
         });
}

/// A body in base64. Its lines end with CRLF before they are encoded, as MIME demands.
std::string EncodeBody(std::string_view text) {
  std::string canonical;
  for (const char c : text) {
    if (c == '\n' && (canonical.empty() || canonical.back() != '\r')) canonical += '\r';
    canonical += c;
  }
  const std::string encoded = absl::Base64Escape(canonical);
  std::string lines;
  for (std::size_t at = 0; at < encoded.size(); at += kMaxLine)
    lines += encoded.substr(at, kMaxLine) + "\r\n";
  return lines;
}

/// UTF-8 as encoded words, one a line.
std::string EncodedWords(std::string_view line) {
  std::string words;
  while (!line.empty()) {
    std::size_t size = 0;  // whole characters only: each word must be UTF-8 by itself
    while (size < line.size()) {
      const std::size_t next = std::max<std::size_t>(1, util::Utf8Length(line.substr(size)));
      if (size + next > kEncodedWordBytes) break;
      size += next;
    }
    words += fmt::format("{}=?UTF-8?B?{}?=", words.empty() ? "" : "\r\n ",
                         absl::Base64Escape(util::ToAbsl(line.substr(0, size))));
    line.remove_prefix(size);
  }
  return words;
}

/// The value of From. A name with punctuation is encoded, because it would need the rules of quoted
/// strings.
std::string FormatSender(const MailSender& sender) {
  const bool plain = std::all_of(sender.name.begin(), sender.name.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == ' ' || c == '-';
  });
  const std::string address = fmt::format("<{}>", sender.address);
  if (sender.name.empty()) return address;
  if (plain && sender.name.size() <= kMaxLine / 2) return sender.name + " " + address;
  return EncodedWords(util::OneLine(sender.name, kMaxHeaderBytes)) + "\r\n " + address;
}

std::string Part(std::string_view type, std::string_view content) {
  return fmt::format(
      "--{}\r\n"
      "Content-Type: {}; charset=utf-8\r\n"
      "Content-Transfer-Encoding: base64\r\n"
      "\r\n"
      "{}",
      kBoundary, type, EncodeBody(content));
}

}  // namespace

bool IsMailAddress(std::string_view text) { return domain::CheckMailAddress(text).ok(); }

std::string EncodeHeader(std::string_view name, std::string_view text) {
  const std::string line = util::OneLine(text, kMaxHeaderBytes);
  const bool plain = std::all_of(line.begin(), line.end(),
                                 [](unsigned char c) { return absl::ascii_isprint(c); }) &&
                     !absl::StrContains(line, "=?");
  const bool fits = name.size() + 2 + line.size() <= kMaxLine;
  // A space at either end would be lost when the mail is read.
  const bool bare_ends = line.empty() || (line.front() != ' ' && line.back() != ' ');
  return plain && fits && bare_ends ? line : EncodedWords(line);
}

absl::StatusOr<std::string> FormatMail(const ports::MailMessage& message, const MailSender& sender,
                                       domain::Instant now) {
  constexpr std::size_t kMaxMessageId = 250;
  if (!IsMailAddress(message.to))
    return absl::InvalidArgumentError("the recipient must be an e-mail address in plain ASCII");
  if (!domain::IsAddressLike(message.message_id, kMaxMessageId))
    return absl::InvalidArgumentError("the message id must be like id@host");
  if (!message.list_unsubscribe.empty() && !IsUrl(message.list_unsubscribe))
    return absl::InvalidArgumentError(
        "the link for unsubscribing must be an https: or mailto: URL");

  std::string mail;
  const auto add = [&](std::string_view header, std::string_view value) {
    mail += fmt::format("{}: {}\r\n", header, value);
  };
  add("Date",
      absl::FormatTime("%a, %d %b %Y %H:%M:%S +0000", absl::FromChrono(now), absl::UTCTimeZone()));
  add("From", FormatSender(sender));
  add("To", message.to);
  add("Subject", EncodeHeader("Subject", message.subject));
  add("Message-ID", fmt::format("<{}>", message.message_id));
  if (!message.list_unsubscribe.empty()) {
    add("List-Unsubscribe", fmt::format("<{}>", message.list_unsubscribe));
    // One click, without a page that asks (RFC 8058): for https only.
    if (absl::StartsWith(message.list_unsubscribe, "https://"))
      add("List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
  }
  add("Auto-Submitted", "auto-generated");  // no answers from machines, please (RFC 3834)
  add("MIME-Version", "1.0");
  add("Content-Type", fmt::format("multipart/alternative; boundary=\"{}\"", kBoundary));
  mail += "\r\n";
  mail += Part("text/plain", message.text);
  mail += Part("text/html", message.html);
  mail += fmt::format("--{}--\r\n", kBoundary);
  return mail;
}

}  // namespace todo::notify
