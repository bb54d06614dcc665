// The parts of the Connect protocol that are pure functions.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "api/connect/call_head.h"
#include "api/connect/codec.h"
#include "api/connect/envelope.h"
#include "api/connect/error.h"
#include "api/connect/gzip.h"
#include "api/status_encoding.h"
#include "fake_exchange.h"
#include "google/protobuf/struct.pb.h"
#include "support/status_matchers.h"
#include "todo/v1/todo_service.pb.h"
#include "util/status.h"

namespace todo::api::connect {
namespace {

using nlohmann::json;
using support::HasReason;
using support::IsOk;
using support::StatusIs;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

// ---- codec

absl::Status ParseJson(std::string_view text) {
  v1::CreateTaskRequest request;
  return Parse(Codec::kJson, text, request);
}

TEST(CodecTest, ReadsAndWritesProtoJson) {
  v1::UpdateTaskRequest request;
  ASSERT_THAT(Parse(Codec::kJson,
                    R"({"task": {"id": "9007199254740993", "title": "Zähne"},
                        "updateMask": "title,dueDate"})",
                    request),
              IsOk());
  EXPECT_EQ(request.task().id(), 9007199254740993) << "which a JavaScript number cannot hold";
  EXPECT_THAT(request.update_mask().paths(), ElementsAre("title", "due_date"));
  v1::Task task;
  task.set_id(9007199254740993);
  task.set_user_id("ada");
  EXPECT_EQ(*Serialize(Codec::kJson, task), R"({"id":"9007199254740993","userId":"ada"})");
  EXPECT_EQ(*Serialize(Codec::kJson, v1::Task()), "{}");
}

TEST(CodecTest, RefusesAFieldThatDoesNotExistByItsName) {
  EXPECT_THAT(ParseJson(R"({"task": {"titel": "Teeth"}})"),
              AllOf(StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("titel")),
                    HasReason("MALFORMED_REQUEST")));
}

TEST(CodecTest, RefusesWhatIsNotJsonOfTheType) {
  for (const std::string_view text :
       {"", "{", "nonsense", "[]", "null", "{\"task\": 7}", "{} {}", "{\"task\": {\"title\": 7}}",
        "{\"task\": {\"title\": \"a\xff\"}}", "{\"task\": {\"id\": \"1.5\"}}", "\xff\xfe{}"}) {
    const absl::Status status = ParseJson(text);
    EXPECT_THAT(status, AllOf(StatusIs(absl::StatusCode::kInvalidArgument,
                                       HasSubstr("not JSON of type todo.v1.CreateTaskRequest")),
                              HasReason("MALFORMED_REQUEST")))
        << text;
    EXPECT_LT(status.message().size(), 500U);
  }
}

TEST(CodecTest, RefusesJsonThatIsNestedTooDeeply) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "{\"a\":";
  google::protobuf::Struct message;
  EXPECT_THAT(Parse(Codec::kJson, deep, message), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Parse(Codec::kJson, std::string(100'000, '['), message),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(CodecTest, EscapedTextIsUtf8WhateverTheEscapes) {
  v1::CreateTaskRequest request;
  // Half of a surrogate pair stands for no character.
  const absl::Status status = Parse(Codec::kJson, R"({"task": {"title": "a\ud800b"}})", request);
  if (status.ok()) {
    EXPECT_THAT(Parse(Codec::kProto, request.SerializeAsString(), request), IsOk());
  }
}

TEST(CodecTest, ExplainsMalformedBinaryMessages) {
  v1::CreateTaskRequest request;
  EXPECT_THAT(Parse(Codec::kProto, "\xff\xff\xff", request),
              AllOf(StatusIs(absl::StatusCode::kInvalidArgument), HasReason("MALFORMED_REQUEST")));
  EXPECT_THAT(Parse(Codec::kProto, "", request), IsOk());
}

// ---- gzip

TEST(GzipTest, UnpacksWhatItPacks) {
  std::mt19937 random(7);  // NOLINT(*-msc51-cpp): repeatable
  for (const std::size_t size : {0U, 1U, 1000U, 300'000U}) {
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>(random() % (size % 2 == 0 ? 256 : 2));
    const auto unpacked = Gunzip(Gzip(text), size);
    ASSERT_THAT(unpacked, IsOk());
    EXPECT_EQ(*unpacked, text);
  }
  EXPECT_EQ(*Gunzip(Gzip("one, ") + Gzip("two"), 100), "one, two") << "members follow each other";
}

TEST(GzipTest, BoundsTheUnpackedSize) {
  const std::string bomb = Gzip(std::string(100'000'000, '\0'));
  EXPECT_LT(bomb.size(), 1'000'000U);
  EXPECT_THAT(Gunzip(bomb, 1'000'000),
              AllOf(StatusIs(absl::StatusCode::kResourceExhausted), HasReason("MESSAGE_TOO_LONG")));
  const std::string exact = Gzip(std::string(1000, 'x'));
  EXPECT_THAT(Gunzip(exact, 1000), IsOk());
  EXPECT_THAT(Gunzip(exact, 999), StatusIs(absl::StatusCode::kResourceExhausted));
  std::string members;
  for (int i = 0; i < 1000; ++i) members += Gzip("xx");
  EXPECT_THAT(Gunzip(members, 1999), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(GzipTest, RefusesEveryPrefixAndWhatIsNotGzip) {
  const std::string packed = Gzip("a text that is long enough for some blocks of the format");
  for (std::size_t size = 0; size < packed.size(); ++size) {
    EXPECT_THAT(Gunzip(packed.substr(0, size), 1000), StatusIs(absl::StatusCode::kInvalidArgument))
        << size;
  }
  EXPECT_THAT(Gunzip(packed + "x", 1000), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Gunzip("plain text", 1000), StatusIs(absl::StatusCode::kInvalidArgument));
}

// ---- envelopes

TEST(EnvelopeTest, UnwrapsTheOneThatWasWrapped) {
  const std::string payload(70'000, 'x');
  const std::string body = Wrap({.flags = kCompressed, .payload = payload});
  const auto envelope = UnwrapOnly(body);
  ASSERT_THAT(envelope, IsOk());
  EXPECT_EQ(envelope->flags, kCompressed);
  EXPECT_EQ(envelope->payload, payload);
  EXPECT_EQ(UnwrapOnly(Wrap({}))->payload, "");
}

TEST(EnvelopeTest, RefusesOtherThanOneWholeMessage) {
  const std::string one = Wrap({.flags = 0, .payload = "text"});
  EXPECT_THAT(UnwrapOnly(""), StatusIs(absl::StatusCode::kUnimplemented));
  EXPECT_THAT(UnwrapOnly(one + one), StatusIs(absl::StatusCode::kUnimplemented));
  for (std::size_t size = 1; size < one.size(); ++size) {
    EXPECT_THAT(UnwrapOnly(one.substr(0, size)), StatusIs(absl::StatusCode::kInvalidArgument))
        << size;
  }
  EXPECT_THAT(UnwrapOnly("\xff\xff\xff\xff\xff"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(UnwrapOnly(Wrap({.flags = kEndOfStream, .payload = "{}"})),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

// ---- errors

TEST(ErrorTest, NamesEveryCode) {
  EXPECT_EQ(NameOfCode(1), "canceled");
  EXPECT_EQ(NameOfCode(5), "not_found");
  EXPECT_EQ(NameOfCode(16), "unauthenticated");
  for (const int code : {-1, 17, 1000}) {
    EXPECT_EQ(NameOfCode(code), "unknown");
    EXPECT_EQ(HttpStatusOf(code), 500);
  }
  EXPECT_EQ(HttpStatusOf(1), 499);
  EXPECT_EQ(HttpStatusOf(5), 404);
  EXPECT_EQ(HttpStatusOf(8), 429);
}

TEST(ErrorTest, ShowsTheDetailsInBothForms) {
  const auto response = UnaryError(EncodeStatus(
      util::InvalidFields({{.field = "task.title", .description = "must not be empty"}})));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(HeaderOf(response, "content-type"), "application/json");
  const json error = json::parse(response.body);
  EXPECT_EQ(error["code"], "invalid_argument");
  EXPECT_EQ(error["message"], "task.title: must not be empty");
  ASSERT_EQ(error["details"].size(), 2U);
  EXPECT_EQ(error["details"][0]["type"], "google.rpc.ErrorInfo");
  EXPECT_EQ(error["details"][0]["debug"]["reason"], "INVALID_FIELDS");
  EXPECT_THAT(error["details"][0]["value"].get<std::string>(), Not(HasSubstr("=")));
  EXPECT_EQ(error["details"][1]["debug"]["fieldViolations"][0]["field"], "task.title");
}

TEST(ErrorTest, TellsWhenToTryAgain) {
  const auto response = UnaryError(EncodeStatus(
      util::WithReason(absl::ResourceExhaustedError("too many calls"), "RATE_LIMITED")));
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(HeaderOf(response, "retry-after"), "1");
}

TEST(ErrorTest, SaysWhatKindOfCredentialsIsMissing) {
  const auto unknown = UnaryError(EncodeStatus(absl::UnauthenticatedError("no token")));
  EXPECT_EQ(unknown.status, 401);
  EXPECT_EQ(HeaderOf(unknown, "www-authenticate"), "Bearer");
  const auto forbidden = UnaryError(EncodeStatus(absl::PermissionDeniedError("not yours")));
  EXPECT_EQ(HeaderOf(forbidden, "www-authenticate"), "");
}

TEST(ErrorTest, UnknownAndBrokenDetailsHaveNoDebug) {
  google::rpc::Status status;
  status.set_code(9);
  status.set_message("bad \xff text");
  auto* detail = status.add_details();
  detail->set_type_url("type.googleapis.com/no.such.Type");
  detail->set_value("abc");
  detail = status.add_details();
  detail->set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
  detail->set_value("\xff\xff");
  const json error = json::parse(ErrorJson(status));
  EXPECT_EQ(error["details"][0], json({{"type", "no.such.Type"}, {"value", "YWJj"}}));
  EXPECT_EQ(error["details"][1], json({{"type", "google.rpc.ErrorInfo"}, {"value", "//8"}}));
}

TEST(ErrorTest, EndsAStream) {
  EXPECT_EQ(EndOfStreamJson({}, {}), "{}");
  google::rpc::Status status;
  status.set_code(5);
  EXPECT_EQ(
      json::parse(EndOfStreamJson(status, {{"a", "1"}, {"b", "2"}, {"a", "3"}})),
      json({{"error", {{"code", "not_found"}}}, {"metadata", {{"a", {"1", "3"}}, {"b", {"2"}}}}}));
}

// ---- heads

TEST(QueryTest, UndoesTheEncodings) {
  EXPECT_THAT(*DecodeQuery("a=1&b=x+y%20z%C3%A4&c&=&d=p=q"),
              ElementsAre(Pair("a", "1"), Pair("b", "x y zä"), Pair("c", ""), Pair("", ""),
                          Pair("d", "p=q")));
  for (const char* query : {"a=%", "a=%4", "a=%zz", "a=%+1", "%4"})
    EXPECT_THAT(DecodeQuery(query), StatusIs(absl::StatusCode::kInvalidArgument)) << query;
}

util::HttpRequestHead Post(util::HttpHeaders headers) {
  return {.method = "POST",
          .path = "/a.B/C",
          .query = "",
          .headers = std::move(headers),
          .peer = "",
          .encrypted = false,
          .content_length = std::nullopt};
}
util::HttpRequestHead Get(std::string query) {
  return {.method = "GET",
          .path = "/a.B/C",
          .query = std::move(query),
          .headers = {},
          .peer = "",
          .encrypted = false,
          .content_length = std::nullopt};
}

CallHead Accepted(const util::HttpRequestHead& head, const MethodShape& shape = {}) {
  auto read = ReadCallHead(head, shape, EncodeStatus);
  if (auto* refusal = std::get_if<util::HttpResponse>(&read)) ADD_FAILURE() << refusal->body;
  return std::holds_alternative<CallHead>(read) ? std::get<CallHead>(read) : CallHead();
}
int StatusOf(const util::HttpRequestHead& head, const MethodShape& shape = {}) {
  auto read = ReadCallHead(head, shape, EncodeStatus);
  const auto* refusal = std::get_if<util::HttpResponse>(&read);
  return refusal == nullptr ? 0 : refusal->status;
}

TEST(CallHeadTest, TakesTheCodecFromTheMediaType) {
  EXPECT_EQ(Accepted(Post({{"content-type", "application/json"}})).codec, Codec::kJson);
  EXPECT_EQ(Accepted(Post({{"content-type", "Application/JSON; charset=UTF-8"}})).codec,
            Codec::kJson);
  EXPECT_EQ(Accepted(Post({{"content-type", "application/proto"}})).codec, Codec::kProto);
  EXPECT_EQ(Accepted(Post({{"content-type", "application/connect+json"}}), {.streams = true})
                .content_type(),
            "application/connect+json");
  for (const char* type : {"", "text/plain", "application/", "application/grpc", "application/xml",
                           "application/connect+proto", "application/json; charset=latin1"}) {
    EXPECT_EQ(StatusOf(Post({{"content-type", type}})), 415) << type;
  }
  EXPECT_EQ(StatusOf(Post({{"content-type", "application/json"}}), {.streams = true}), 415);
}

TEST(CallHeadTest, OnlyReadsAreOfferedByGet) {
  EXPECT_EQ(StatusOf(Get("encoding=json&message=%7B%7D")), 405);
  EXPECT_EQ(StatusOf(Get("encoding=json&message=%7B%7D"), {.read_only = true, .streams = true}),
            405);
  EXPECT_EQ(*Accepted(Get("encoding=json&message=%7B%7D"), {.read_only = true}).message, "{}");
  util::HttpRequestHead head = Post({});
  for (const char* method : {"DELETE", "PUT", "HEAD", "post"}) {
    head.method = method;
    EXPECT_EQ(StatusOf(head, {.read_only = true}), 405) << method;
  }
}

TEST(CallHeadTest, ReadsTheMessageOfAGet) {
  const MethodShape shape{.read_only = true};
  const CallHead call =
      Accepted(Get("connect=v1&encoding=proto&base64=1&compression=gzip&message=_-8"), shape);
  EXPECT_EQ(call.codec, Codec::kProto);
  EXPECT_EQ(*call.message, "\xff\xef");
  EXPECT_TRUE(call.gzipped);
  EXPECT_EQ(*Accepted(Get("encoding=proto&base64=1&message=_-8%3D"), shape).message, "\xff\xef");
  for (const char* query :
       {"", "encoding=json", "message=%7B%7D", "encoding=json&message=%7",
        "connect=v2&encoding=json&"
        "message=%7B%7D",
        "encoding=json&base64=1&message=%%", "encoding=json&base64=1&message=a"}) {
    EXPECT_EQ(StatusOf(Get(query), shape), 400) << query;
  }
  EXPECT_EQ(StatusOf(Get("encoding=xml&message=a"), shape), 415);
  EXPECT_EQ(StatusOf(Get("encoding=json&message=a&compression=br"), shape), 501);
}

TEST(CallHeadTest, ReadsTheTimeout) {
  const auto with = [](std::string timeout) {
    return Post({{"content-type", "application/json"}, {"connect-timeout-ms", std::move(timeout)}});
  };
  EXPECT_EQ(Accepted(with("1500")).timeout, std::chrono::milliseconds(1500));
  EXPECT_EQ(Accepted(with("9999999999")).timeout, std::chrono::milliseconds(9'999'999'999));
  EXPECT_EQ(Accepted(Post({{"content-type", "application/json"}})).timeout, std::nullopt);
  for (const char* timeout : {"-1", "1.5", "1s", "12345678901", "abc"})
    EXPECT_EQ(StatusOf(with(timeout)), 400) << timeout;
}

TEST(CallHeadTest, ReadsTheEncodings) {
  const auto with = [](std::string name, std::string value) {
    return Post({{"content-type", "application/json"}, {std::move(name), std::move(value)}});
  };
  EXPECT_TRUE(Accepted(with("content-encoding", "gzip")).gzipped);
  EXPECT_FALSE(Accepted(with("content-encoding", "identity")).gzipped);
  EXPECT_EQ(StatusOf(with("content-encoding", "br")), 501);
  EXPECT_TRUE(Accepted(with("accept-encoding", "br, GZIP;q=0.5, *")).accepts_gzip);
  EXPECT_FALSE(Accepted(with("accept-encoding", "br, deflate")).accepts_gzip);
  EXPECT_FALSE(Accepted(with("accept-encoding", "gzip;q=0")).accepts_gzip);
  EXPECT_FALSE(Accepted(with("accept-encoding", "gzip; q=0.000")).accepts_gzip);
  EXPECT_EQ(StatusOf(with("connect-protocol-version", "2")), 400);
  const CallHead stream = Accepted(Post({{"content-type", "application/connect+proto"},
                                         {"connect-content-encoding", "gzip"},
                                         {"connect-accept-encoding", "gzip"}}),
                                   {.streams = true});
  EXPECT_TRUE(stream.gzipped);
  EXPECT_TRUE(stream.accepts_gzip);
}

}  // namespace
}  // namespace todo::api::connect
