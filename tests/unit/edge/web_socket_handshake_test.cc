#include "edge/web_socket_handshake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>

namespace todo::edge {
namespace {

using testing::Contains;
using testing::Pair;
using testing::UnorderedElementsAre;

ParsedHead Request() {
  ParsedHead parsed;
  parsed.head.method = "GET";
  parsed.head.path = "/ws";
  parsed.head.headers = {{"host", "x"},
                         {"connection", "keep-alive, Upgrade"},
                         {"upgrade", "WebSocket"},
                         {"sec-websocket-version", "13"},
                         {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="},
                         {"sec-websocket-extensions", "permessage-deflate"}};
  return parsed;
}

ParsedHead With(std::string_view name, std::string value) {
  ParsedHead parsed = Request();
  for (auto& [key, old] : parsed.head.headers)
    if (key == name) old = std::move(value);
  return parsed;
}

int StatusOf(const ParsedHead& parsed) {
  const auto answer = AnswerHandshake(parsed, "");
  if (const auto* refusal = std::get_if<util::HttpResponse>(&answer)) return refusal->status;
  return std::get<util::HttpResponseHead>(answer).status;
}

TEST(WebSocketHandshakeTest, AnswersWithTheKeyOfTheStandard) {
  const auto answer = AnswerHandshake(Request(), "todo.v1");
  const auto* head = std::get_if<util::HttpResponseHead>(&answer);
  ASSERT_NE(head, nullptr);
  EXPECT_EQ(head->status, 101);
  EXPECT_THAT(head->headers,
              UnorderedElementsAre(Pair("upgrade", "websocket"),
                                   Pair("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
                                   Pair("sec-websocket-protocol", "todo.v1")));
}

TEST(WebSocketHandshakeTest, FindsTokensInListsAndSeveralFields) {
  ParsedHead parsed = With("connection", "close ,\tUPGRADE");
  EXPECT_EQ(StatusOf(parsed), 101);
  parsed = With("connection", "keep-alive");
  EXPECT_EQ(StatusOf(parsed), 400);
  parsed.head.headers.emplace_back("connection", "upgrade");
  EXPECT_EQ(StatusOf(parsed), 101);
  EXPECT_EQ(StatusOf(With("connection", "upgraded")), 400);
  EXPECT_EQ(StatusOf(With("connection", "")), 400);
}

TEST(WebSocketHandshakeTest, RefusesWhatIsNone) {
  EXPECT_EQ(StatusOf(With("upgrade", "h2c")), 400);
  EXPECT_EQ(StatusOf(With("sec-websocket-key", "")), 400);
  EXPECT_EQ(StatusOf(With("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ")), 400);
  EXPECT_EQ(StatusOf(With("sec-websocket-key", "dGhlIHNhbXBsZSBub25j!Q==")), 400);
  EXPECT_EQ(StatusOf(With("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==dGhl")), 400);
  ParsedHead parsed = Request();
  parsed.head.headers.emplace_back("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
  EXPECT_EQ(StatusOf(parsed), 400) << "two keys";
  parsed = Request();
  parsed.head.method = "POST";
  EXPECT_EQ(StatusOf(parsed), 400);
  parsed = Request();
  parsed.http_1_0 = true;
  EXPECT_EQ(StatusOf(parsed), 400);
  parsed = Request();
  parsed.head.content_length = 1;
  EXPECT_EQ(StatusOf(parsed), 400);
  parsed = Request();
  parsed.chunked = true;
  EXPECT_EQ(StatusOf(parsed), 400);
}

TEST(WebSocketHandshakeTest, TellsTheVersion) {
  const auto answer = AnswerHandshake(With("sec-websocket-version", "8"), "");
  const auto* refusal = std::get_if<util::HttpResponse>(&answer);
  ASSERT_NE(refusal, nullptr);
  EXPECT_EQ(refusal->status, 426);
  EXPECT_THAT(refusal->headers, Contains(Pair("sec-websocket-version", "13")));
}

}  // namespace
}  // namespace todo::edge
