#include "api/mcp_door.h"

#include <chrono>
#include <string_view>

#include "api/http_refusal.h"
#include "api/mcp/json_rpc.h"
#include "api/status_encoding.h"
#include "google/protobuf/struct.pb.h"
#include "util/http_problem.h"
#include "util/status.h"

namespace todo::api {
namespace {

using google::protobuf::Message;
using google::protobuf::Struct;

/// The longest task as JSON with every character escaped is shorter.
constexpr std::size_t kMaxBodyBytes = 256 * 1024;

// Admission takes requests and responses that are messages: here these hold a POST and its reply.

Struct MessageOf(mcp::Server::Post post) {
  Struct message;
  auto& fields = *message.mutable_fields();
  fields["version"].set_string_value(std::move(post.headers.version));
  fields["method"].set_string_value(std::move(post.headers.method));
  fields["name"].set_string_value(std::move(post.headers.name));
  fields["body"].set_string_value(std::move(post.body));
  return message;
}

mcp::Server::Post PostIn(const Struct& message) {
  const auto& fields = message.fields();
  return {.headers = {.version = fields.at("version").string_value(),
                      .method = fields.at("method").string_value(),
                      .name = fields.at("name").string_value()},
          .body = fields.at("body").string_value()};
}

Struct MessageOf(mcp::Server::Reply reply) {
  Struct message;
  auto& fields = *message.mutable_fields();
  fields["status"].set_number_value(reply.http_status);
  fields["body"].set_string_value(std::move(reply.body));
  return message;
}

mcp::Server::Reply ReplyIn(const Struct& message) {
  const auto& fields = message.fields();
  return {.http_status = static_cast<int>(fields.at("status").number_value()),
          .body = fields.at("body").string_value()};
}

/// The answer to a message that was refused before it was read: the id of its error is null.
util::HttpResponse Refusal(const absl::Status& status) {
  util::HttpResponse response = RefusalOf(status);
  std::erase_if(response.headers,
                [](const auto& header) { return header.first == "content-type"; });
  response.headers.emplace_back("content-type", "application/json");
  response.body = mcp::ErrorText(nullptr, {.code = mcp::RpcCode::kInternalError,
                                           .message = EncodeStatus(status).message(),
                                           .data = nullptr,
                                           .http_status = response.status}) +
                  "\n";
  return response;
}

class McpCall final : public PendingUnary {
 public:
  McpCall(mcp::Server::Post post, std::unique_ptr<util::HttpExchange> exchange)
      : post_(std::move(post)), exchange_(std::move(exchange)) {}

  bool IsCancelled() const override { return exchange_->IsCancelled(); }
  std::chrono::system_clock::time_point Deadline() const override {
    return std::chrono::system_clock::time_point::max();
  }
  absl::Status ParseRequest(Message& request) override {
    static_cast<Struct&>(request) = MessageOf(std::move(post_));
    return absl::OkStatus();
  }
  absl::Status EncodeResponse(const Message& response) override {
    reply_ = ReplyIn(static_cast<const Struct&>(response));
    return absl::OkStatus();
  }
  void Finish(const absl::Status& status) override {
    if (!status.ok()) return exchange_->Respond(Refusal(status));
    util::HttpResponse response{.status = reply_.http_status, .headers = {}, .body = {}};
    if (!reply_.body.empty()) {
      response.headers.emplace_back("content-type", "application/json");
      response.body = std::move(reply_.body);
      response.body.push_back('\n');  // for terminals
    }
    exchange_->Respond(std::move(response));
  }

 private:
  mcp::Server::Post post_;
  mcp::Server::Reply reply_;
  const std::unique_ptr<util::HttpExchange> exchange_;
};

bool IsJson(std::string_view content_type) {
  constexpr std::string_view kJson = "application/json";
  return content_type.starts_with(kJson) &&
         (content_type.size() == kJson.size() || content_type[kJson.size()] == ';' ||
          content_type[kJson.size()] == ' ');
}

util::HttpResponse OnlyPost() {
  util::HttpResponse response =
      util::HttpProblem(405, "messages of the Model Context Protocol are sent with POST");
  response.headers.emplace_back("allow", "POST");
  return response;
}

}  // namespace

McpDoor::McpDoor(const Admission& admission, mcp::Server::Parts parts,
                 std::vector<std::string> allowed_origins)
    : origins_(std::move(allowed_origins)),
      admission_(admission),
      server_(std::move(parts)),
      post_{.service = "mcp",
            .name = "mcp",
            .path = "/mcp",
            .request_prototype = &Struct::default_instance(),
            .response_prototype = &Struct::default_instance(),
            .read_only = false,
            .handler =
                [this](const Caller& caller, const Message& request, Message& response) {
                  static_cast<Struct&>(response) = MessageOf(
                      server_.Answer(caller, PostIn(static_cast<const Struct&>(request))));
                  return absl::OkStatus();
                },
            .stream_handler = nullptr} {}

util::HttpDecision McpDoor::Decide(const util::HttpRequestHead& head) {
  if (const absl::Status origin = origins_.Check(head); !origin.ok()) return Refusal(origin);
  if (head.method != "POST") return OnlyPost();
  if (!IsJson(head.Find("content-type")))
    return util::HttpProblem(415, "the content-type must be application/json");
  absl::StatusOr<KnownCaller> caller = admission_.Identify(
      post_, ReadHeaders([&](std::string_view name) { return head.All(name); }));
  if (!caller.ok()) return Refusal(caller.status());
  mcp::PostHeaders headers{.version = std::string(head.Find("mcp-protocol-version")),
                           .method = std::string(head.Find("mcp-method")),
                           .name = std::string(head.Find("mcp-name"))};
  std::string user = caller->identity.user.value;
  return util::HttpAcceptance{
      .max_body_bytes = kMaxBodyBytes,
      .holder = std::move(user),
      .handle = [this, caller = *std::move(caller), headers = std::move(headers)](
                    std::string body, std::unique_ptr<util::HttpExchange> exchange) mutable {
        std::unique_ptr<PendingUnary> call = std::make_unique<McpCall>(
            mcp::Server::Post{.headers = std::move(headers), .body = std::move(body)},
            std::move(exchange));
        admission_.Submit(post_, std::move(caller), std::move(call));
      }};
}

}  // namespace todo::api
