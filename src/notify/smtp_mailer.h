#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "notify/mail_format.h"
#include "ports/clock.h"
#include "ports/notification_senders.h"

namespace todo::notify {

/// Hands mail to the operator's mail server.
/// 5xx is kRefused, and kGone when the enhanced code (RFC 3463) says that there is no such mailbox;
/// all else is kRetry, also where the server does not take our credentials or us: that is no fault
/// of the mail.
class SmtpMailer final : public ports::Mailer {
 public:
  enum class Security {
    kPlain,     // not encrypted, and without a password: for a relay on the same machine
    kStartTls,  // usually port 587; a server that does not offer it gets nothing
    kTls,       // usually port 465
  };
  struct Options {
    std::string host;
    int port = 587;
    Security security = Security::kStartTls;
    std::string user;  // empty: without authentication
    std::string password;
    MailSender sender;
    /// PEM file of the authorities that are trusted instead of the system's; empty: the system's.
    std::string ca_file;
    std::chrono::milliseconds timeout{30'000};  // of one attempt, name look-up included
  };

  /// kInvalidArgument: no mail server can have this address.
  static absl::Status CheckServer(const std::string& host, int port);
  /// kInvalidArgument names what is wrong with the options. `clock` must outlive the mailer.
  static absl::StatusOr<std::unique_ptr<SmtpMailer>> Create(Options options,
                                                            const ports::Clock& clock);

  /// kRefused, before anything is sent: see FormatMail.
  ports::SendOutcome Send(const ports::MailMessage& message) override;

 private:
  SmtpMailer(Options options, const ports::Clock& clock)
      : options_(std::move(options)), clock_(clock) {}

  const Options options_;
  const ports::Clock& clock_;
};

}  // namespace todo::notify
