#include "edge/head_parser.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace todo::edge {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::variant<ParsedHead, HeadFault> Parse(std::string_view text) { return ParseHead(text, 10); }

/// The status of the refusal; 0: accepted.
int Refusal(std::string_view text) {
  const auto result = Parse(text);
  const auto* fault = std::get_if<HeadFault>(&result);
  return fault == nullptr ? 0 : fault->status;
}

/// A request with the given fields besides a host.
std::string With(std::string_view fields) {
  return fmt::format("POST /a HTTP/1.1\r\nHost: x\r\n{}\r\n", fields);
}

TEST(HeadParserTest, TakesAHeadApart) {
  auto result = Parse(
      "POST /a/b%20c?d=e&f HTTP/1.1\r\nHost: x:80\r\nX-Two:  a b \t\r\nx-TWO:\r\n"
      "Content-Length: 12\r\n\r\n");
  const ParsedHead& parsed = std::get<ParsedHead>(result);
  EXPECT_EQ(parsed.head.method, "POST");
  EXPECT_EQ(parsed.head.path, "/a/b%20c");
  EXPECT_EQ(parsed.head.query, "d=e&f");
  EXPECT_EQ(parsed.head.content_length, 12U);
  EXPECT_THAT(parsed.head.headers, ElementsAre(Pair("host", "x:80"), Pair("x-two", "a b"),
                                               Pair("x-two", ""), Pair("content-length", "12")));
  EXPECT_TRUE(parsed.keep_alive);
  EXPECT_FALSE(parsed.chunked);
  EXPECT_FALSE(parsed.expects_continue);
}

TEST(HeadParserTest, UnderstandsTheFieldsOfTheConnection) {
  auto result = Parse(
      With("Connection: foo, Close\r\nTransfer-Encoding: Chunked\r\nExpect: 100-Continue\r\n"));
  const ParsedHead& parsed = std::get<ParsedHead>(result);
  EXPECT_FALSE(parsed.keep_alive);
  EXPECT_TRUE(parsed.chunked);
  EXPECT_TRUE(parsed.expects_continue);
}

TEST(HeadParserTest, Http10NeedsNoHostAndEndsItsConnection) {
  auto result = Parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const ParsedHead& parsed = std::get<ParsedHead>(result);
  EXPECT_TRUE(parsed.http_1_0);
  EXPECT_FALSE(parsed.keep_alive);
}

TEST(HeadParserTest, TakesTheTargetOfAProxy) {
  auto result = Parse("GET http://X:80/a?b HTTP/1.1\r\nHost: x:80\r\n\r\n");
  EXPECT_EQ(std::get<ParsedHead>(result).head.path, "/a");
  EXPECT_EQ(std::get<ParsedHead>(result).head.query, "b");
  result = Parse("GET http://x?b HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(std::get<ParsedHead>(result).head.path, "/");
  EXPECT_EQ(Refusal("GET http://other/ HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(Refusal("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"), 0);
}

TEST(HeadParserTest, RefusesWhatCouldBeUnderstoodDifferently) {
  const std::pair<std::string, int> cases[] = {
      {With("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400},
      {With("Content-Length: 1\r\nContent-Length: 1\r\n"), 400},
      {With("Content-Length: 1, 1\r\n"), 400},
      {With("Content-Length: +1\r\n"), 400},
      {With("Content-Length: -1\r\n"), 400},
      {With("Content-Length: 0x1\r\n"), 400},
      {With("Content-Length: 1 2\r\n"), 400},
      {With("Content-Length:\r\n"), 400},
      {With("Content-Length: 9999999999999999999\r\n"), 400},
      {With("Transfer-Encoding: gzip\r\n"), 501},
      {With("Transfer-Encoding: gzip, chunked\r\n"), 501},
      {With("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 501},
      {With("Transfer-Encoding: \x0b"
            "chunked\r\n"),
       400},
      {With("Transfer-Encoding : chunked\r\n"), 400},
      {With(" folded: a\r\n"), 400},
      {With("A: b\r\n folded\r\n"), 400},
      {With("A: b\r\n\tfolded\r\n"), 400},
      {With("no colon\r\n"), 400},
      {With(": no name\r\n"), 400},
      {With("b(d: name\r\n"), 400},
      {With("A: b\rC: d\r\n"), 400},
      {With("Host: x\r\n"), 400},
      {With("Expect: more\r\n"), 417},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
      {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400},
      {"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET a HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET ?a HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET  HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 400},
      {"G@T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /\r\nHost: x\r\n\r\n", 400},
      {"GET / http/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505},
      {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"GET / HTTP/1.1\nHost: x\n\n", 400},
      {std::string("GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 28), 400},
      {"\r\n\r\n", 400},
  };
  for (const auto& [text, status] : cases) EXPECT_EQ(Refusal(text), status) << text;
}

TEST(HeadParserTest, LimitsTheNumberOfFields) {
  std::string fields;
  for (int i = 0; i < 9; ++i) fields += fmt::format("a{}: b\r\n", i);
  EXPECT_EQ(Refusal(With(fields)), 0);
  EXPECT_EQ(Refusal(With(fields + "one-more: b\r\n")), 431);
}

TEST(HeadParserTest, FindsTheEndByteByByte) {
  const std::string text = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_EQ(FindHeadEnd(std::string_view(text).substr(0, length), length == 0 ? 0 : length - 1),
              std::nullopt);
  }
  EXPECT_EQ(FindHeadEnd(text + "more", 0), text.size());
  EXPECT_EQ(FindHeadEnd(text, text.size() - 1), text.size());
}

TEST(HeadParserTest, DoesNotWaitForTheEndOfGarbage) {
  EXPECT_EQ(FindHeadEnd("\x16\x03\x01", 0), 1U) << "a client that speaks TLS";
  EXPECT_EQ(FindHeadEnd("GET / HTTP/1.1\nHost", 0), 15U) << "a line feed alone";
  EXPECT_EQ(FindHeadEnd("\n", 0), 1U);
}

}  // namespace
}  // namespace todo::edge
