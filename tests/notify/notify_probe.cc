// The senders on the command line: one JSON object per line on standard input, one answer each.
//   {"do": "webhook", "http": {…}, "url": …, "id": …, "timestamp": …, "body": …, "secrets":
//   [base64]}
//   {"do": "push", "http": {…}, "vapid_key": …, "contact": …, "endpoint": …, "p256dh": base64url,
//   …}
//   {"do": "mail", "smtp": {…}, "message_id": …, "to": …, "subject": …, "text": …, "html": …}
//   {"do": "resolve", "name": "rebind.test", "answers": [["192.0.2.1"], ["127.0.0.1", "::1"]]}
// http is {"allowed_hosts": [], "ca_file": "", "timeout_ms": 15000}. An answer is
//   {"kind": "delivered", "status": 200, "detail": …, "retry_after": 60,
//    "connects": ["127.0.0.1:8080"]}
// or {"invalid": reason} when the options are.
//
// No name server is asked and nothing but loopback is connected to: getaddrinfo and connect are
// this program's own, which libcurl finds before those of the C library. The first answers from
// what "resolve" has said: one list of addresses per look-up, the last one again and again; an
// empty list: no such name; the word "hang": no answer for ten minutes. The second notes each
// attempt and refuses all others than 127.0.0.0/8 and ::1 as unreachable.

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "notify/http_push_sender.h"
#include "notify/http_webhook_sender.h"
#include "notify/smtp_mailer.h"
#include "util/guarded.h"
#include "util/status.h"

namespace {

using nlohmann::json;
using todo::notify::HttpPushSender;
using todo::notify::HttpWebhookSender;
using todo::notify::SmtpMailer;
using todo::ports::SendOutcome;

struct Name {
  std::vector<std::vector<std::string>> answers;
  std::size_t asked = 0;
};
// Never destroyed: a look-up that hangs outlives main.
auto& g_names = *new todo::util::Guarded<std::map<std::string, Name>>;
auto& g_connects = *new todo::util::Guarded<std::vector<std::string>>;

template <typename Function>
Function* Original(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

/// What "resolve" has said about `host` for this look-up; empty: nothing.
std::vector<std::string> NextAnswer(const std::string& host) {
  auto names = g_names.Lock();
  const auto found = names->find(host);
  if (found == names->end()) return {};
  Name& name = found->second;
  const std::size_t index = std::min(name.asked++, name.answers.size() - 1);
  return name.answers[index];
}

bool IsLoopback(const sockaddr& address) {
  if (address.sa_family == AF_INET)
    return reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr % 256 == 127;
  return address.sa_family == AF_INET6 &&
         IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
}

std::string Text(const sockaddr& address, socklen_t size) {
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (getnameinfo(&address, size, host, sizeof(host), port, sizeof(port),
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return "family " + std::to_string(address.sa_family);
  const bool ipv6 = address.sa_family == AF_INET6;
  return (ipv6 ? "[" : "") + std::string(host) + (ipv6 ? "]:" : ":") + port;
}

class SystemClock final : public todo::ports::Clock {
 public:
  todo::domain::Instant Now() const override {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
};
const SystemClock kClock;

const char* NameOf(SendOutcome::Kind kind) {
  switch (kind) {
    case SendOutcome::Kind::kDelivered: return "delivered";
    case SendOutcome::Kind::kRetry: return "retry";
    case SendOutcome::Kind::kGone: return "gone";
    case SendOutcome::Kind::kRefused: return "refused";
    case SendOutcome::Kind::kForbidden: return "forbidden";
  }
  return "?";
}

todo::notify::HttpOptions Http(const json& question) {
  const json http = question.value("http", json::object());
  todo::notify::HttpOptions options;
  options.allowed_hosts = http.value("allowed_hosts", std::vector<std::string>{});
  options.ca_file = http.value("ca_file", "");
  options.timeout = std::chrono::milliseconds{http.value("timeout_ms", 15'000)};
  return options;
}

/// Text of the question as it is; "base64:…" for bytes that are no text.
std::string Bytes(const json& question, const char* field) {
  std::string text = question.value(field, "");
  if (text.rfind("base64:", 0) != 0) return text;
  std::string bytes;
  absl::Base64Unescape(text.substr(7), &bytes);
  return bytes;
}

/// The bytes of a key in base64url; empty when it is something else.
std::string Key(const json& question, const char* field) {
  std::string bytes;
  absl::WebSafeBase64Unescape(question.value(field, ""), &bytes);
  return bytes;
}

absl::StatusOr<SendOutcome> Webhook(const json& question) {
  TODO_ASSIGN_OR_RETURN(const auto sender, HttpWebhookSender::Create(Http(question)));
  todo::ports::WebhookMessage message;
  message.url = Bytes(question, "url");
  message.id = question.value("id", "msg_1");
  message.timestamp = kClock.Now();
  message.body = Bytes(question, "body");
  message.traceparent = question.value("traceparent", "");
  for (const std::string& text : question.value("secrets", std::vector<std::string>{"c2VjcmV0"})) {
    std::string secret;
    absl::Base64Unescape(text, &secret);
    message.secrets.push_back(secret);
  }
  return sender->Send(message);
}

absl::StatusOr<SendOutcome> Push(const json& question) {
  HttpPushSender::Options options;
  options.http = Http(question);
  options.vapid_key = question.value("vapid_key", "");
  options.contact = question.value("contact", "mailto:ops@example.com");
  TODO_ASSIGN_OR_RETURN(const auto sender, HttpPushSender::Create(options, kClock));
  todo::ports::PushMessage message;
  message.endpoint = question.value("endpoint", "");
  message.p256dh = Key(question, "p256dh");
  message.auth = Key(question, "auth");
  message.payload = Bytes(question, "payload");
  message.ttl = std::chrono::seconds{question.value("ttl", 3600)};
  message.topic = question.value("topic", "");
  return sender->Send(message);
}

absl::StatusOr<SendOutcome> Mail(const json& question) {
  const json& smtp = question.at("smtp");
  SmtpMailer::Options options;
  options.host = smtp.value("host", "127.0.0.1");
  options.port = smtp.value("port", 25);
  const std::string security = smtp.value("security", "starttls");
  options.security = security == "tls"     ? SmtpMailer::Security::kTls
                     : security == "plain" ? SmtpMailer::Security::kPlain
                                           : SmtpMailer::Security::kStartTls;
  options.user = smtp.value("user", "");
  options.password = smtp.value("password", "");
  options.sender = {smtp.value("from", "todo@example.com"), smtp.value("from_name", "Todo")};
  options.ca_file = smtp.value("ca_file", "");
  options.timeout = std::chrono::milliseconds{smtp.value("timeout_ms", 30'000)};
  TODO_ASSIGN_OR_RETURN(const auto mailer, SmtpMailer::Create(options, kClock));
  todo::ports::MailMessage message;
  message.message_id = question.value("message_id", "1@todo.example");
  message.to = question.value("to", "ada@example.com");
  message.subject = question.value("subject", "");
  message.text = question.value("text", "");
  message.html = question.value("html", "");
  message.list_unsubscribe = question.value("list_unsubscribe", "");
  return mailer->Send(message);
}

json Answer(const json& question) {
  const std::string what = question.at("do");
  if (what == "resolve") {
    (*g_names.Lock())[question.at("name")] = {question.at("answers"), 0};
    return json::object();
  }
  g_connects.Lock()->clear();
  const absl::StatusOr<SendOutcome> outcome = what == "webhook" ? Webhook(question)
                                              : what == "push"  ? Push(question)
                                                                : Mail(question);
  if (!outcome.ok()) return {{"invalid", std::string(outcome.status().message())}};
  json answer = {{"kind", NameOf(outcome->kind)},
                 {"status", outcome->status_code},
                 {"detail", outcome->detail},
                 {"retry_after", nullptr},
                 {"connects", *g_connects.Lock()}};
  if (outcome->retry_after) answer["retry_after"] = outcome->retry_after->count();
  return answer;
}

}  // namespace

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** result) {
  static const auto kOriginal = Original<decltype(getaddrinfo)>("getaddrinfo");
  std::vector<std::string> addresses = NextAnswer(node != nullptr ? node : "");
  if (addresses.empty()) addresses.emplace_back(node != nullptr ? node : "");
  if (addresses[0] == "hang") {
    sleep(600);
    return EAI_AGAIN;
  }
  addrinfo numeric = hints != nullptr ? *hints : addrinfo{};
  numeric.ai_flags = (numeric.ai_flags | AI_NUMERICHOST) & ~AI_ADDRCONFIG;
  addrinfo** end = result;
  *result = nullptr;
  for (const std::string& address : addresses) {
    // Odd notations are read as the C library reads them; what is no address is no such name.
    if (kOriginal(address.c_str(), service, &numeric, end) != 0) *end = nullptr;
    while (*end != nullptr) end = &(*end)->ai_next;
  }
  return *result != nullptr ? 0 : EAI_NONAME;
}

extern "C" int connect(int socket, const sockaddr* address, socklen_t size) {
  static const auto kOriginal = Original<decltype(connect)>("connect");
  if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
    return kOriginal(socket, address, size);
  g_connects.Lock()->push_back(Text(*address, size));
  if (IsLoopback(*address)) return kOriginal(socket, address, size);
  errno = ENETUNREACH;
  return -1;
}

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    json answer;
    try {
      answer = Answer(json::parse(line));
    } catch (const json::exception& error) {
      answer = {{"invalid", error.what()}};
    }
    std::cout << answer.dump(-1, ' ', false, json::error_handler_t::replace) << "\n" << std::flush;
  }
  std::_Exit(0);  // not waiting for look-ups that hang
}
