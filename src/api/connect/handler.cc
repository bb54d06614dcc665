#include "api/connect/handler.h"

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <utility>

#include "api/connect/envelope.h"
#include "api/connect/error.h"
#include "util/http_problem.h"
#include "util/status.h"

namespace todo::api::connect {
namespace {

using util::HttpDecision;
using util::HttpExchange;
using util::HttpRequestHead;
using util::HttpResponse;

HttpResponse NothingHere() {
  return util::HttpProblem(404,
                           "there is no service at this path; a call has a path such as "
                           "/todo.v1.TodoService/CreateTask");
}

HttpResponse ErrorFor(const CallHead& call, const google::rpc::Status& error) {
  return call.streams ? StreamError(error, call.content_type()) : UnaryError(error);
}

HttpResponse UnknownMethod(const HttpRequestHead& head, const google::rpc::Status& error) {
  const std::string_view stream_type = StreamContentTypeOf(head);
  return stream_type.empty() ? UnaryError(error) : StreamError(error, stream_type);
}

absl::Status TooLong(std::size_t max_bytes) {
  return util::WithReason(
      util::MakeStatus(absl::StatusCode::kResourceExhausted,
                       fmt::format("the message is longer than {} bytes", max_bytes)),
      kMessageTooLong);
}

absl::Status TooMany() {
  return util::WithReason(
      absl::ResourceExhaustedError("too many of your calls are on the way: send their bodies, read "
                                   "their answers, then try again"),
      "USER_BUSY");
}

/// OK, when the body of a stream's request is one envelope that can be unpacked.
absl::Status CheckEnvelope(const Call::Request& request) {
  TODO_ASSIGN_OR_RETURN(const Envelope envelope, UnwrapOnly(request.body));
  if ((envelope.flags & kCompressed) != 0 && !request.head.gzipped) {
    // The protocol asks for this code.
    return absl::InternalError("the message is compressed, and no header says how");
  }
  return absl::OkStatus();
}

void StartStream(const Route& route, const StatusEncoder& encode, Call::Request request,
                 std::unique_ptr<HttpExchange> exchange) {
  if (const absl::Status status = CheckEnvelope(request); !status.ok()) {
    google::rpc::Status error = encode(status);
    if (absl::IsInternal(status)) error.set_message(std::string(util::FromAbsl(status.message())));
    return exchange->Respond(StreamError(error, request.head.content_type()));
  }
  route.stream(std::make_unique<StreamCall>(std::move(request), std::move(exchange)));
}

std::chrono::system_clock::time_point DeadlineOf(const CallHead& call) {
  return call.timeout.has_value() ? std::chrono::system_clock::now() + *call.timeout
                                  : std::chrono::system_clock::time_point::max();
}

}  // namespace

HttpDecision Handler::Decide(const HttpRequestHead& head) {
  const absl::StatusOr<MethodShape> shape = methods_.Find(head.path);
  if (absl::IsNotFound(shape.status())) return NothingHere();
  if (!shape.ok()) return UnknownMethod(head, options_.encode(shape.status()));

  std::variant<CallHead, HttpResponse> read = ReadCallHead(head, *shape, options_.encode);
  if (auto* const refusal = std::get_if<HttpResponse>(&read)) return std::move(*refusal);
  auto& call = std::get<CallHead>(read);

  std::variant<Route, google::rpc::Status> accepted = methods_.Accept(head);
  if (const auto* const error = std::get_if<google::rpc::Status>(&accepted))
    return ErrorFor(call, *error);

  auto& route = std::get<Route>(accepted);
  std::size_t max_bytes = options_.max_message_bytes + (call.streams ? kEnvelopePrefixBytes : 0);
  HttpResponse too_long = ErrorFor(call, options_.encode(TooLong(options_.max_message_bytes)));
  if (call.message.has_value()) {
    if (call.message->size() > max_bytes) return too_long;
    max_bytes = 0;
  }
  if (head.content_length.value_or(0) > max_bytes) return too_long;

  auto too_many = [this, stream_type = std::string(call.streams ? call.content_type() : "")] {
    const google::rpc::Status error = options_.encode(TooMany());
    return stream_type.empty() ? UnaryError(error) : StreamError(error, stream_type);
  };
  const std::chrono::system_clock::time_point deadline = DeadlineOf(call);
  Call::Request request{.head = std::move(call),
                        .deadline = deadline,
                        .body = {},
                        .max_message_bytes = options_.max_message_bytes};
  return util::HttpAcceptance{
      .max_body_bytes = max_bytes,
      .too_long = std::move(too_long),
      .holder = route.user,
      .too_many = std::move(too_many),
      .handle = [this, route = std::move(route), request = std::move(request)](
                    std::string body, std::unique_ptr<HttpExchange> exchange) mutable {
        request.body = std::move(body);
        if (request.head.streams)
          return StartStream(route, options_.encode, std::move(request), std::move(exchange));
        route.unary(std::make_unique<UnaryCall>(std::move(request), std::move(exchange)));
      }};
}

}  // namespace todo::api::connect
