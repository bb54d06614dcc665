#include "notify/mail_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "util/one_line.h"

namespace todo::notify {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const domain::Instant kNow{std::chrono::seconds{1'795'430'096}};  // Monday 2026-11-23 10:34:56

ports::MailMessage Mail() {
  return {.message_id = "reminder.7@todo.example",
          .to = "ada@example.com",
          .subject = "Water the plants",
          .text = "Water the plants",
          .html = "<p>Water the plants</p>",
          .list_unsubscribe = ""};
}
std::string Formatted(const ports::MailMessage& message,
                      const MailSender& sender = {"todo@example.com", "Todo"}) {
  const auto mail = FormatMail(message, sender, kNow);
  EXPECT_TRUE(mail.ok()) << mail.status();
  return mail.value_or("");
}

/// The text that a mail reader shows for a header's value from EncodeHeader.
std::string Decoded(const std::string& value) {
  if (value.rfind("=?UTF-8?B?", 0) != 0) return value;
  std::string text;
  for (absl::string_view word : absl::StrSplit(value, "\r\n ")) {
    EXPECT_TRUE(absl::ConsumePrefix(&word, "=?UTF-8?B?")) << value;
    EXPECT_TRUE(absl::ConsumeSuffix(&word, "?=")) << value;
    std::string piece;
    EXPECT_TRUE(absl::Base64Unescape(word, &piece)) << value;
    EXPECT_EQ(util::OneLine(piece, piece.size()), piece) << "a word is whole characters";
    text += piece;
  }
  return text;
}

TEST(EncodeHeader, LeavesShortPlainTextAsItIs) {
  EXPECT_EQ(EncodeHeader("Subject", "Water the plants!"), "Water the plants!");
  EXPECT_EQ(EncodeHeader("Subject", ""), "");
}

TEST(EncodeHeader, EncodesTheRest) {
  EXPECT_EQ(EncodeHeader("Subject", "M\u00fcll"), "=?UTF-8?B?TcO8bGw=?=");
  EXPECT_EQ(EncodeHeader("Subject", "=?UTF-8?B?eA==?="), "=?UTF-8?B?PT9VVEYtOD9CP2VBPT0/PQ==?=");
  EXPECT_EQ(EncodeHeader("Subject", " x"), "=?UTF-8?B?IHg=?=");
}

TEST(EncodeHeader, NoTextCanAddAHeader) {
  EXPECT_EQ(EncodeHeader("Subject", "a\r\nBcc: b@example.com"), "a  Bcc: b@example.com");
  EXPECT_EQ(EncodeHeader("Subject", "a\n\n<b>"), "a  <b>");
}

TEST(EncodeHeader, AnyTextBecomesShortLinesOfAsciiThatReadTheSame) {
  const std::vector<std::string> pieces = {"a",  "plant ", "\u00fc", "\u2713", "\U0001f600", "\r\n",
                                           "\n", "=?",     "?=",     "\xff",   "\xe2\x82",   "\t",
                                           " ",  "\"",     "<x@y>",  ",",      "\u2028",     ":"};
  std::mt19937 random(20261123);
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (auto count = random() % 60; count > 0; --count) text += pieces[random() % pieces.size()];
    const std::string value = EncodeHeader("Subject", text);
    ASSERT_EQ(Decoded(value), util::OneLine(text, 1000));
    for (absl::string_view line : absl::StrSplit("Subject: " + value, "\r\n ")) {
      ASSERT_LE(line.size(), 76u) << value;
      for (const unsigned char c : line) ASSERT_TRUE(absl::ascii_isprint(c)) << value;
    }
  }
}

TEST(IsMailAddress, TakesPlainAddressesOnly) {
  for (const char* text : {"ada@example.com", "a.b+c@x-y.example", "o'neil@example.com", "a@b"})
    EXPECT_TRUE(IsMailAddress(text)) << text;
  for (const char* text : {"",
                           "ada",
                           "@example.com",
                           "ada@",
                           "ada@@example.com",
                           "a b@example.com",
                           "ada@exa mple",
                           "ada@example.com\r\nRCPT TO:<b@example.com>",
                           "<ada@example.com>",
                           "a,b@example.com",
                           "\"a b\"@example.com",
                           "a..b@example.com",
                           ".a@example.com",
                           "ada@example..com",
                           "ada@[127.0.0.1]",
                           "ad\u00e4@example.com",
                           "ada@ex\u00e4mple.com",
                           "ada@example.com>",
                           "ada(x)@example.com",
                           "ada@a=b.com"})
    EXPECT_FALSE(IsMailAddress(text)) << text;
  EXPECT_FALSE(IsMailAddress(std::string(65, 'a') + "@example.com"));
  EXPECT_FALSE(IsMailAddress("a@" + std::string(260, 'b')));
}

TEST(FormatMail, WritesBothPartsAndTheHeaders) {
  ports::MailMessage message = Mail();
  message.text = "one\ntwo\r\n";
  message.list_unsubscribe = "https://todo.example/u?t=1";
  EXPECT_EQ(Formatted(message),
            "Date: Mon, 23 Nov 2026 10:34:56 +0000\r\n"
            "From: Todo <todo@example.com>\r\n"
            "To: ada@example.com\r\n"
            "Subject: Water the plants\r\n"
            "Message-ID: <reminder.7@todo.example>\r\n"
            "List-Unsubscribe: <https://todo.example/u?t=1>\r\n"
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
            "Auto-Submitted: auto-generated\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: multipart/alternative; boundary=\"=_alternative\"\r\n"
            "\r\n"
            "--=_alternative\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: base64\r\n"
            "\r\n"
            "b25lDQp0d28NCg==\r\n"
            "--=_alternative\r\n"
            "Content-Type: text/html; charset=utf-8\r\n"
            "Content-Transfer-Encoding: base64\r\n"
            "\r\n"
            "PHA+V2F0ZXIgdGhlIHBsYW50czwvcD4=\r\n"
            "--=_alternative--\r\n");
}

TEST(FormatMail, OneClickIsForHttpsOnly) {
  EXPECT_THAT(Formatted(Mail()), Not(HasSubstr("List-Unsubscribe")));
  ports::MailMessage message = Mail();
  message.list_unsubscribe = "mailto:stop@todo.example";
  EXPECT_THAT(Formatted(message), HasSubstr("List-Unsubscribe: <mailto:stop@todo.example>\r\n"));
  EXPECT_THAT(Formatted(message), Not(HasSubstr("List-Unsubscribe-Post")));
}

TEST(FormatMail, TheSendersNameCannotBreakItsHeader) {
  EXPECT_THAT(Formatted(Mail(), {"t@example.com", ""}), HasSubstr("From: <t@example.com>\r\n"));
  EXPECT_THAT(Formatted(Mail(), {"t@example.com", "A <b@c>, \"d\""}),
              HasSubstr("From: =?UTF-8?B?QSA8YkBjPiwgImQi?=\r\n <t@example.com>\r\n"));
}

TEST(FormatMail, RefusesTextsThatCannotStandInAHeader) {
  const auto refused = [](const ports::MailMessage& message) {
    return FormatMail(message, {"todo@example.com", ""}, kNow).status().code() ==
           absl::StatusCode::kInvalidArgument;
  };
  ports::MailMessage message = Mail();
  message.to = "a@example.com, b@example.com";
  EXPECT_TRUE(refused(message));
  message = Mail();
  for (const char* id : {"", "x", "x@y>\r\nBcc: z@y", "<x@y>", "x y@z"}) {
    message.message_id = id;
    EXPECT_TRUE(refused(message)) << id;
  }
  message = Mail();
  for (const char* url :
       {"http://todo.example/", "javascript:x", "https://todo.example/>\r\nBcc: b",
        "https://todo.example/a b", "https://todo.example/>,<mailto:x@y"}) {
    message.list_unsubscribe = url;
    EXPECT_TRUE(refused(message)) << url;
  }
}

TEST(FormatMail, LinesStayBelowTheLimitOfSmtp) {
  ports::MailMessage message = Mail();
  message.subject = std::string(5000, 'x');
  message.text = std::string(100'000, 'y');
  for (const absl::string_view line : absl::StrSplit(Formatted(message), "\r\n")) {
    EXPECT_LE(line.size(), 998u);
    EXPECT_EQ(line.find_first_of("\r\n"), absl::string_view::npos);
  }
}

}  // namespace
}  // namespace todo::notify
