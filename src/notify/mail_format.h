#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "domain/time.h"
#include "ports/notification_senders.h"

namespace todo::notify {

struct MailSender {
  std::string address;  // see IsMailAddress
  std::string name;     // UTF-8, or empty
};

/// Whether domain::CheckMailAddress accepts `text`. Such an address can stand in a header and in a
/// command of SMTP.
bool IsMailAddress(std::string_view text);

/// `text` as the value of the header `name`. Short plain ASCII stays as it is; other text becomes
/// encoded words (RFC 2047), with lines folded at 76 characters. Text is cut after 1,000 bytes.
/// Control characters become spaces, so no text can add a header.
std::string EncodeHeader(std::string_view name, std::string_view text);

/// The whole mail, CRLF at the end of each line. Text and HTML are alternatives, both in base64, so
/// that their content cannot change the mail's structure. kInvalidArgument: the recipient, the
/// message id or the URL for unsubscribing cannot stand in a header.
absl::StatusOr<std::string> FormatMail(const ports::MailMessage& message, const MailSender& sender,
                                       domain::Instant now);

}  // namespace todo::notify
