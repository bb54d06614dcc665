#include "api/mcp/json_rpc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "api/mcp/protocol.h"

namespace todo::api::mcp {
namespace {

using testing::HasSubstr;

RpcMessage Read(const std::string& text) {
  auto parsed = ParseMessage(text);
  EXPECT_TRUE(std::holds_alternative<RpcMessage>(parsed)) << text;
  return std::get<RpcMessage>(parsed);
}

RpcError Refused(const std::string& text) {
  auto parsed = ParseMessage(text);
  EXPECT_TRUE(std::holds_alternative<RpcError>(parsed)) << text;
  return std::holds_alternative<RpcError>(parsed) ? std::get<RpcError>(parsed) : RpcError();
}

TEST(JsonRpcTest, RequestsNotificationsAndAnswersAreToldApart) {
  const RpcMessage request =
      Read(R"({"jsonrpc":"2.0","id":7,"method":"tools/list","params":{"cursor":"x"}})");
  EXPECT_TRUE(request.is_request());
  EXPECT_EQ(request.id, 7);
  EXPECT_EQ(request.method, "tools/list");
  EXPECT_EQ(request.params, Json({{"cursor", "x"}}));
  EXPECT_TRUE(Read(R"({"jsonrpc":"2.0","id":"a","method":"ping"})").is_request());
  EXPECT_FALSE(Read(R"({"jsonrpc":"2.0","method":"notifications/initialized"})").is_request());
  EXPECT_FALSE(Read(R"({"jsonrpc":"2.0","id":1,"result":{}})").is_request());
  EXPECT_FALSE(Read(R"({"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}})").is_request());
}

TEST(JsonRpcTest, TextThatIsNoJsonIsAParseError) {
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("{} {}"), std::string("\xEF\xBB\xBF{}"),
        std::string("\"\xFF\""), std::string("\"\0\"", 3), deep, std::string(200'000, '['),
        std::string(R"({"jsonrpc":"2.0","id":1,"method":"a","method":"b"})"),
        std::string(R"({"jsonrpc":"2.0","id":1,"method":"a","params":{"x":1,"x":2}})")}) {
    const RpcError error = Refused(text);
    EXPECT_EQ(error.code, RpcCode::kParseError) << text.substr(0, 60);
    EXPECT_EQ(error.http_status, 400);
  }
}

TEST(JsonRpcTest, JsonThatIsNoMessageIsAnInvalidRequest) {
  for (const char* text :
       {"[]", R"([{"jsonrpc":"2.0","id":1,"method":"ping"}])", "1", "null", "{}",
        R"({"jsonrpc":"1.0","id":1,"method":"a"})", R"({"jsonrpc":2,"id":1,"method":"a"})",
        R"({"jsonrpc":"2.0","id":null,"method":"a"})", R"({"jsonrpc":"2.0","id":1.5,"method":"a"})",
        R"({"jsonrpc":"2.0","id":{},"method":"a"})", R"({"jsonrpc":"2.0","id":1})",
        R"({"jsonrpc":"2.0","id":1,"method":""})", R"({"jsonrpc":"2.0","id":1,"method":["a"]})",
        R"({"jsonrpc":"2.0","id":1,"method":"a","params":[1]})"}) {
    const RpcError error = Refused(text);
    EXPECT_EQ(error.code, RpcCode::kInvalidRequest) << text;
    EXPECT_EQ(error.http_status, 400);
  }
  EXPECT_THAT(Refused("[]").message, HasSubstr("batches"));
}

TEST(JsonRpcTest, AnswersHaveTheIdOfTheirRequest) {
  EXPECT_EQ(ResultText("a", Json::object()), R"({"jsonrpc":"2.0","id":"a","result":{}})");
  EXPECT_EQ(ErrorText(7, {.code = RpcCode::kMethodNotFound, .message = "no"}),
            R"({"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"no"}})");
  EXPECT_EQ(ErrorText(nullptr, {.code = RpcCode::kParseError, .message = "", .data = 1}),
            R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"","data":1}})");
  EXPECT_EQ(TextOf(Json("\xFF")), "\"\xEF\xBF\xBD\"");
}

// ---- versions

/// A request of the version without a handshake.
RpcMessage Stateless(const std::string& method, Json params = Json::object()) {
  params["_meta"] = {{"io.modelcontextprotocol/protocolVersion", "2026-07-28"},
                     {"io.modelcontextprotocol/clientCapabilities", Json::object()}};
  return {.id = 1, .method = method, .params = std::move(params)};
}

RpcError RefusedVersion(const RpcMessage& message, const PostHeaders& headers) {
  const auto checked = CheckVersion(message, headers);
  EXPECT_TRUE(std::holds_alternative<RpcError>(checked)) << message.method;
  return std::holds_alternative<RpcError>(checked) ? std::get<RpcError>(checked) : RpcError();
}

TEST(ProtocolTest, AVersionIsNegotiatedInTheHandshake) {
  EXPECT_EQ(NegotiatedVersion("2025-06-18"), "2025-06-18");
  EXPECT_EQ(NegotiatedVersion("2025-11-25"), "2025-11-25");
  EXPECT_EQ(NegotiatedVersion("2024-11-05"), "2025-11-25");
  EXPECT_EQ(NegotiatedVersion("2026-07-28"), "2025-11-25");
  EXPECT_EQ(SupportedVersions().front(), "2026-07-28");
}

TEST(ProtocolTest, TheHeaderSaysWhichVersionAClientSpeaks) {
  const RpcMessage list{.id = 1, .method = "tools/list", .params = Json::object()};
  EXPECT_EQ(CheckVersion(list, {}).index(), 0u);
  for (const char* version : {"", "2025-06-18", "2025-11-25"}) {
    const auto checked = CheckVersion(list, {.version = version, .method = {}, .name = {}});
    ASSERT_TRUE(std::holds_alternative<Manner>(checked)) << version;
    EXPECT_EQ(std::get<Manner>(checked), Manner::kHandshake);
  }
  const RpcError old = RefusedVersion(list, {.version = "2024-11-05", .method = {}, .name = {}});
  EXPECT_EQ(old.code, RpcCode::kUnsupportedVersion);
  EXPECT_EQ(old.http_status, 400);
  EXPECT_EQ(old.data["requested"], "2024-11-05");
  EXPECT_EQ(old.data["supported"][0], "2026-07-28");
  // The handshake settles it anew.
  const RpcMessage initialize{.id = 1, .method = "initialize", .params = Json::object()};
  EXPECT_EQ(CheckVersion(initialize, {.version = "x", .method = {}, .name = {}}).index(), 0u);
}

TEST(ProtocolTest, WithoutAHandshakeEveryRequestSaysAllAndHeadersRepeatIt) {
  PostHeaders headers{.version = "2026-07-28", .method = "tools/call", .name = "find_tasks"};
  const RpcMessage call = Stateless("tools/call", {{"name", "find_tasks"}});
  const auto checked = CheckVersion(call, headers);
  ASSERT_TRUE(std::holds_alternative<Manner>(checked));
  EXPECT_EQ(std::get<Manner>(checked), Manner::kStateless);

  const auto mismatch = [&](const PostHeaders& wrong) {
    const RpcError error = RefusedVersion(call, wrong);
    EXPECT_EQ(error.http_status, 400);
    return error.code;
  };
  PostHeaders wrong = headers;
  wrong.version = "2025-11-25";
  EXPECT_EQ(mismatch(wrong), RpcCode::kHeaderMismatch);
  wrong.version = "";
  EXPECT_EQ(mismatch(wrong), RpcCode::kHeaderMismatch);
  wrong = headers;
  wrong.method = "tools/list";
  EXPECT_EQ(mismatch(wrong), RpcCode::kHeaderMismatch);
  wrong = headers;
  wrong.name = "delete_task";
  EXPECT_EQ(mismatch(wrong), RpcCode::kHeaderMismatch);
  wrong.name = "=?base64?***?=";
  EXPECT_EQ(mismatch(wrong), RpcCode::kHeaderMismatch);
  headers.name = "=?base64?ZmluZF90YXNrcw==?=";
  EXPECT_EQ(CheckVersion(call, headers).index(), 0u);

  RpcMessage bare = call;
  bare.params["_meta"].erase("io.modelcontextprotocol/clientCapabilities");
  EXPECT_EQ(RefusedVersion(bare, headers).code, RpcCode::kInvalidParams);
  bare.params.erase("_meta");
  EXPECT_EQ(RefusedVersion(bare, headers).code, RpcCode::kInvalidParams);
}

}  // namespace
}  // namespace todo::api::mcp
