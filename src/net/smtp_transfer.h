#pragma once

#include <chrono>
#include <string>

namespace todo::net {

/// A mail server and how to talk to it.
struct SmtpServer {
  enum class Security {
    kPlain,     // not encrypted and without a password: for a relay on this machine
    kStartTls,  // usually port 587; a server that does not offer STARTTLS gets nothing
    kTls,       // usually port 465
  };
  std::string host;  // a name or an address; the mail server is the operator's choice: no guard
  int port = 587;
  Security security = Security::kStartTls;
  std::string user;  // empty: without authentication
  std::string password;
  /// PEM file of the authorities that are trusted instead of the system's; empty: the system's.
  std::string ca_file;
  /// Of the whole conversation, the look-up of the name included.
  std::chrono::milliseconds timeout{30'000};
};

struct SmtpMail {
  std::string from;     // an address
  std::string to;       // an address
  std::string content;  // headers and body, CRLF at the end of each line
};

/// How a conversation with a mail server ended.
struct SmtpResult {
  enum class End {
    kAccepted,  // the server has taken the mail
    kRejected,  // the server has answered a command about the mail with a failure
    kBroken,  // the conversation ended otherwise: no connection, no encryption, no log-in, no time
  };
  End end = End::kBroken;
  int code = 0;         // of `reply`; 0: there is none
  std::string reply;    // the server's last line before its farewell
  std::string failure;  // kBroken: libcurl's description
};

/// Hands `mail` to `server`, once. Blocks, at most as long as the server's timeout. After kBroken
/// the server may have taken the mail. Thread safety: may be called from many threads at once.
SmtpResult SendSmtp(const SmtpServer& server, const SmtpMail& mail);

}  // namespace todo::net
