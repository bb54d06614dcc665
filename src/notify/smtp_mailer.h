#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "net/smtp_transfer.h"
#include "notify/mail_format.h"
#include "ports/clock.h"
#include "ports/notification_senders.h"

namespace todo::notify {

/// Hands mail to the operator's mail server.
/// A reply 5xx about the mail is kRefused, or kGone when its enhanced code (RFC 3463) says that the
/// mailbox does not exist. Every other failure is kRetry, also when the server rejects this client
/// or its password: those are no faults of the mail. Thread safety and blocking: as the port says.
class SmtpMailer final : public ports::Mailer {
 public:
  using Security = net::SmtpServer::Security;
  struct Options : net::SmtpServer {
    MailSender sender;
  };

  /// kInvalidArgument: no mail server can have this address.
  static absl::Status CheckServer(const std::string& host, int port);
  /// kInvalidArgument says what is wrong with the options. `clock` must outlive the mailer.
  static absl::StatusOr<std::unique_ptr<SmtpMailer>> Create(Options options,
                                                            const ports::Clock& clock);

  /// Also kRefused, before anything is sent: see FormatMail.
  ports::SendOutcome Send(const ports::MailMessage& message) override;

 private:
  SmtpMailer(Options options, const ports::Clock& clock)
      : options_(std::move(options)), clock_(clock) {}

  const Options options_;
  const ports::Clock& clock_;
};

}  // namespace todo::notify
