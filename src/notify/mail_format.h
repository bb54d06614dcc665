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

/// Whether domain::CheckMailAddress takes it. Then it can stand in a header and in a command of
/// SMTP.
bool IsMailAddress(std::string_view text);

/// `text` as the value of a header named `name`, whose line it begins behind: as it is when it is
/// short, plain ASCII, else in encoded words (RFC 2047), lines folded at 76 characters. What is
/// beyond 1,000 bytes is cut. Control characters become spaces, so no text can add a header.
std::string EncodeHeader(std::string_view name, std::string_view text);

/// The whole mail, CRLF at the end of each line: text and HTML as alternatives, both in base64, so
/// that their content cannot touch the structure. kInvalidArgument: the recipient, the message id
/// or the URL for unsubscribing cannot stand in a header.
absl::StatusOr<std::string> FormatMail(const ports::MailMessage& message, const MailSender& sender,
                                       domain::Instant now);

}  // namespace todo::notify
