#include "net/smtp_transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "absl/strings/ascii.h"
#include "net/curl_handle.h"
#include "util/one_line.h"
#include "util/status.h"

namespace todo::net {
namespace {

constexpr std::size_t kMaxReplyBytes = 400;

/// State that the callbacks of one transfer share.
struct Conversation {
  std::string_view unsent;  // of the mail
  bool greeted = false;     // the server has taken the connection
  std::string reply;        // the server's last line before its farewell
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
  if (line.starts_with("221")) return bytes;
  if (line.starts_with("220")) conversation.greeted = true;
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

std::string UrlOf(const SmtpServer& server) {
  const bool ipv6 = server.host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}",
                     server.security == SmtpServer::Security::kTls ? "smtps" : "smtp",
                     ipv6 ? "[" : "", server.host, ipv6 ? "]" : "", server.port);
}

/// Whether libcurl says by `code` that a command was answered with a failure.
bool IsRejection(CURLcode code) {
  return code == CURLE_SEND_ERROR || code == CURLE_WEIRD_SERVER_REPLY;
}

}  // namespace

SmtpResult SendSmtp(const SmtpServer& server, const SmtpMail& mail) {
  Conversation conversation;
  conversation.unsent = mail.content;
  CurlHandle curl(server.timeout, server.ca_file);
  curl.Set(CURLOPT_URL, UrlOf(server).c_str());
  curl.Set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  if (server.security == SmtpServer::Security::kStartTls)
    curl.Set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
  if (!server.user.empty()) {
    curl.Set(CURLOPT_USERNAME, server.user.c_str());
    curl.Set(CURLOPT_PASSWORD, server.password.c_str());
  }
  curl.Set(CURLOPT_MAIL_FROM, mail.from.c_str());
  curl.SetList(CURLOPT_MAIL_RCPT, {mail.to});
  curl.Set(CURLOPT_UPLOAD, 1L);
  curl.Set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(mail.content.size()));
  curl.Set(CURLOPT_READFUNCTION, ReadMail);
  curl.Set(CURLOPT_READDATA, &conversation);
  curl.Set(CURLOPT_HEADERFUNCTION, OnReply);
  curl.Set(CURLOPT_HEADERDATA, &conversation);

  SmtpResult result;
  const CURLcode code = curl.Perform();
  result.code = CodeOf(conversation.reply);
  // Before the greeting the server refuses the connection, not the mail.
  if (code == CURLE_OK) {
    result.end = SmtpResult::End::kAccepted;
  } else if (IsRejection(code) && conversation.greeted && result.code >= 400) {
    result.end = SmtpResult::End::kRejected;
  } else {
    result.failure = curl.Describe(code);
  }
  result.reply = std::move(conversation.reply);
  return result;
}

}  // namespace todo::net
