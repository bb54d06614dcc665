// Messages that the senders refuse before anything is sent. The sent ones are tested in
// tests/notify.

#include <gtest/gtest.h>

#include "domain/notification/messages.h"
#include "notify/http_push_sender.h"
#include "notify/http_webhook_sender.h"
#include "notify/smtp_mailer.h"
#include "unit/notify/set_clock.h"

namespace todo::notify {
namespace {

using Kind = ports::SendOutcome::Kind;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// No server listens on port 1, and the guard refuses loopback.
ports::WebhookMessage Webhook() {
  ports::WebhookMessage message;
  message.url = "https://127.0.0.1:1/";
  message.id = "msg_1";
  message.body = "{}";
  message.secrets = {"secret"};
  return message;
}

TEST(HttpWebhookSender, RefusesMessagesThatNoEndpointWouldTake) {
  const auto sender = HttpWebhookSender::Create({}).value();
  EXPECT_EQ(sender->Send(Webhook()).kind, Kind::kForbidden);  // so it is the address that is wrong

  ports::WebhookMessage message = Webhook();
  message.body = std::string(domain::kMaxWebhookBodyBytes, ' ');
  EXPECT_EQ(sender->Send(message).kind, Kind::kForbidden);
  message.body += ' ';
  EXPECT_EQ(sender->Send(message).kind, Kind::kRefused);

  for (const char* id : {"", "a.b", "a b", "a\r\nx: y", "\u00fc"}) {
    message = Webhook();
    message.id = id;
    EXPECT_EQ(sender->Send(message).kind, Kind::kRefused) << id;
  }
  for (const std::vector<std::string>& secrets :
       {std::vector<std::string>{}, std::vector<std::string>{"new", ""}}) {
    message = Webhook();
    message.secrets = secrets;
    EXPECT_EQ(sender->Send(message).kind, Kind::kRefused);
  }
}

TEST(HttpWebhookSender, ItsListIsChecked) {
  HttpOptions options;
  options.allowed_hosts = {"10.0.0.1/8"};
  EXPECT_EQ(HttpWebhookSender::Create(options).status().code(), kInvalid);
}

class PushTest : public ::testing::Test {
 protected:
  static HttpPushSender::Options Options() {
    HttpPushSender::Options options;
    options.vapid_key = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
    options.contact = "mailto:ops@example.com";
    return options;
  }
  static ports::PushMessage Message() {
    ports::PushMessage message;
    message.endpoint = "https://127.0.0.1:1/";
    message.p256dh = P256Key::Generate()->public_bytes();
    message.auth = std::string(16, 'a');
    message.payload = "{}";
    return message;
  }

  SetClock clock_;
};

TEST_F(PushTest, RefusesMessagesThatNoPushServiceWouldTake) {
  const auto sender = HttpPushSender::Create(Options(), clock_).value();
  EXPECT_EQ(sender->Send(Message()).kind, Kind::kForbidden);

  ports::PushMessage message = Message();
  message.payload = std::string(domain::kMaxPushPayloadBytes, 'x');
  EXPECT_EQ(sender->Send(message).kind, Kind::kForbidden);
  message.payload += 'x';
  EXPECT_EQ(sender->Send(message).kind, Kind::kRefused);
  message = Message();
  message.p256dh = std::string(65, '\4');
  EXPECT_EQ(sender->Send(message).kind, Kind::kRefused);
  message = Message();
  message.auth = "short";
  EXPECT_EQ(sender->Send(message).kind, Kind::kRefused);
  for (const std::string& topic :
       {std::string("a b"), std::string("a\r\nx: y"), std::string(33, 'a')}) {
    message = Message();
    message.topic = topic;
    EXPECT_EQ(sender->Send(message).kind, Kind::kRefused) << topic;
  }
}

TEST_F(PushTest, ItsOptionsAreChecked) {
  HttpPushSender::Options options = Options();
  options.vapid_key = "secret";
  const absl::Status status = HttpPushSender::Create(options, clock_).status();
  EXPECT_EQ(status.code(), kInvalid);
  EXPECT_EQ(status.message().find("secret"), absl::string_view::npos);
  for (const char* contact : {"", "ops@example.com", "http://example.com", "mailto:a b"}) {
    options = Options();
    options.contact = contact;
    EXPECT_EQ(HttpPushSender::Create(options, clock_).status().code(), kInvalid) << contact;
  }
  options = Options();
  options.http.allowed_hosts = {"*"};
  EXPECT_EQ(HttpPushSender::Create(options, clock_).status().code(), kInvalid);
}

TEST(SmtpMailer, ItsOptionsAreChecked) {
  SetClock clock;
  const auto code = [&](auto change) {
    SmtpMailer::Options options;
    options.host = "mail.example";
    options.sender.address = "todo@example.com";
    change(options);
    return SmtpMailer::Create(options, clock).status().code();
  };
  using Options = SmtpMailer::Options;
  EXPECT_EQ(code([](Options&) {}), absl::StatusCode::kOk);
  EXPECT_EQ(code([](Options& o) { o.host = "::1"; }), absl::StatusCode::kOk);
  EXPECT_EQ(code([](Options& o) { o.host = ""; }), kInvalid);
  EXPECT_EQ(code([](Options& o) { o.host = "a@b/c"; }), kInvalid);
  EXPECT_EQ(code([](Options& o) { o.port = 0; }), kInvalid);
  EXPECT_EQ(code([](Options& o) { o.port = 65536; }), kInvalid);
  EXPECT_EQ(code([](Options& o) { o.sender.address = "todo"; }), kInvalid);
  EXPECT_EQ(code([](Options& o) {
              o.security = SmtpMailer::Security::kPlain;
              o.user = "todo";
            }),
            kInvalid);
}

TEST(SmtpMailer, RefusesMailThatCannotBeWritten) {
  SetClock clock;
  SmtpMailer::Options options;
  options.host = "127.0.0.1";
  options.port = 1;
  options.security = SmtpMailer::Security::kPlain;
  options.sender.address = "todo@example.com";
  const auto mailer = SmtpMailer::Create(options, clock).value();
  ports::MailMessage message;
  message.message_id = "1@todo.example";
  message.to = "ada@example.com\r\nRCPT TO:<eve@example.com>";
  EXPECT_EQ(mailer->Send(message).kind, Kind::kRefused);
  message.to = "ada@example.com";
  const ports::SendOutcome outcome = mailer->Send(message);  // no server listens there
  EXPECT_EQ(outcome.kind, Kind::kRetry);
  EXPECT_EQ(outcome.status_code, 0);
}

}  // namespace
}  // namespace todo::notify
