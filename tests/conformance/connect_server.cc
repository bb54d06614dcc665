// A server for the conformance tests of the Connect protocol: the protocol of src/api/connect and
// the HTTP server of the service, with the methods that the tests call. The runner starts one for
// each configuration, writes a ServerCompatRequest to its standard input and reads a
// ServerCompatResponse from its standard output, both with four bytes of length before.

#include <signal.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "api/connect/handler.h"
#include "connectrpc/conformance/v1/server_compat.pb.h"
#include "connectrpc/conformance/v1/service.pb.h"
#include "edge/http_server.h"
#include "util/status.h"
#include "util/worker_pool.h"

namespace todo {
namespace {

namespace connect = api::connect;
namespace v1 = connectrpc::conformance::v1;
using google::protobuf::Message;
using RequestInfo = v1::ConformancePayload::RequestInfo;

// The tests wait inside the methods, so many calls run at once.
constexpr std::size_t kThreads = 32;
constexpr std::size_t kQueue = 1000;

RequestInfo InfoOf(const util::HttpRequestHead& head, const connect::Call& call,
                   const Message& request) {
  RequestInfo info;
  std::map<std::string, v1::Header*> headers;
  for (const auto& [name, value] : head.headers) {
    v1::Header*& header = headers[name];
    if (header == nullptr) {
      header = info.add_request_headers();
      header->set_name(name);
    }
    header->add_value(value);
  }
  if (call.head().timeout.has_value()) info.set_timeout_ms(call.head().timeout->count());
  info.add_requests()->PackFrom(request);
  if (head.method == "GET") {
    const auto parameters = connect::DecodeQuery(head.query);
    for (const auto& [name, value] : *parameters) {
      v1::Header* parameter = info.mutable_connect_get_info()->add_query_params();
      parameter->set_name(name);
      parameter->add_value(value);
    }
  }
  return info;
}

google::rpc::Status StatusOf(const v1::Error& error) {
  google::rpc::Status status;
  status.set_code(error.code());
  status.set_message(error.message());
  *status.mutable_details() = error.details();
  return status;
}

/// The tests expect errors without details of ours.
google::rpc::Status Plain(const absl::Status& status) {
  google::rpc::Status plain;
  plain.set_code(static_cast<int>(status.code()));
  plain.set_message(std::string(util::FromAbsl(status.message())));
  return plain;
}

void Sleep(std::uint32_t milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

template <typename Definition>
void AddMetadata(const Definition& definition, connect::Call& call) {
  for (const v1::Header& header : definition.response_headers())
    for (const std::string& value : header.value()) call.AddHeader(header.name(), value);
  for (const v1::Header& trailer : definition.response_trailers())
    for (const std::string& value : trailer.value()) call.AddTrailer(trailer.name(), value);
}

template <typename Request, typename Response>
void AnswerUnary(const util::HttpRequestHead& head, connect::UnaryCall& call) {
  Request request;
  if (const absl::Status status = call.ParseRequest(request); !status.ok())
    return call.Finish(Plain(status));
  const v1::UnaryResponseDefinition& definition = request.response_definition();
  AddMetadata(definition, call);
  Sleep(definition.response_delay_ms());
  const RequestInfo info = InfoOf(head, call, request);
  if (definition.has_error()) {
    google::rpc::Status error = StatusOf(definition.error());
    error.add_details()->PackFrom(info);
    return call.Finish(error);
  }
  Response response;
  response.mutable_payload()->set_data(definition.response_data());
  *response.mutable_payload()->mutable_request_info() = info;
  call.Finish(Plain(call.EncodeResponse(response)));
}

void AnswerStream(const util::HttpRequestHead& head, connect::StreamCall& call) {
  v1::ServerStreamRequest request;
  if (const absl::Status status = call.ParseRequest(request); !status.ok())
    return call.Finish(Plain(status));
  const v1::StreamResponseDefinition& definition = request.response_definition();
  AddMetadata(definition, call);
  const RequestInfo info = InfoOf(head, call, request);
  bool first = true;
  for (const std::string& data : definition.response_data()) {
    v1::ServerStreamResponse response;
    response.mutable_payload()->set_data(data);
    if (std::exchange(first, false)) *response.mutable_payload()->mutable_request_info() = info;
    Sleep(definition.response_delay_ms());
    if (const absl::Status status = call.Send(response); !status.ok())
      return call.Finish(Plain(status));
  }
  if (!definition.has_error()) return call.Finish({});
  google::rpc::Status error = StatusOf(definition.error());
  if (first) error.add_details()->PackFrom(info);
  call.Finish(error);
}

class ConformanceMethods final : public connect::Methods {
 public:
  absl::StatusOr<connect::MethodShape> Find(std::string_view path) const override {
    if (!path.starts_with(kService)) return absl::NotFoundError("no such service");
    const std::string_view name = path.substr(kService.size());
    if (name == "Unary") return connect::MethodShape{};
    if (name == "IdempotentUnary") return connect::MethodShape{.read_only = true};
    if (name == "ServerStream") return connect::MethodShape{.streams = true};
    return absl::UnimplementedError("not implemented");
  }

  std::variant<connect::Route, google::rpc::Status> Accept(
      const util::HttpRequestHead& head) override {
    return connect::Route{
        .unary =
            [this, head](std::unique_ptr<connect::UnaryCall> call) {
              Run([head, call = std::shared_ptr(std::move(call))] {
                if (head.path.ends_with("/IdempotentUnary")) {
                  AnswerUnary<v1::IdempotentUnaryRequest, v1::IdempotentUnaryResponse>(head, *call);
                } else {
                  AnswerUnary<v1::UnaryRequest, v1::UnaryResponse>(head, *call);
                }
              });
            },
        .stream =
            [this, head](std::unique_ptr<connect::StreamCall> call) {
              Run([head, call = std::shared_ptr(std::move(call))] { AnswerStream(head, *call); });
            }};
  }

 private:
  static constexpr std::string_view kService = "/connectrpc.conformance.v1.ConformanceService/";

  void Run(util::WorkerPool::Task task) {
    if (!pool_.TrySubmit(std::move(task))) std::cerr << "the queue is full\n";
  }

  util::WorkerPool pool_{kThreads, kQueue};
};

/// A message with its length before; nullopt at the end of the input.
std::optional<v1::ServerCompatRequest> ReadRequest() {
  std::array<unsigned char, 4> prefix{};
  if (!std::cin.read(reinterpret_cast<char*>(prefix.data()), prefix.size())) return std::nullopt;
  std::uint32_t length = 0;
  for (const unsigned char byte : prefix) length = length << 8 | byte;
  std::string bytes(length, '\0');
  v1::ServerCompatRequest request;
  if (!std::cin.read(bytes.data(), length) || !request.ParseFromString(bytes)) return std::nullopt;
  return request;
}

void WriteResponse(const v1::ServerCompatResponse& response) {
  const std::string bytes = response.SerializeAsString();
  for (const int shift : {24, 16, 8, 0}) std::cout.put(static_cast<char>(bytes.size() >> shift));
  std::cout << bytes << std::flush;
}

int Main() {
  const std::optional<v1::ServerCompatRequest> request = ReadRequest();
  if (!request.has_value()) return 1;
  // The runner ends the server with a signal.
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);  // in the threads to come too
  ConformanceMethods methods;
  connect::Handler handler(methods,
                           {.max_message_bytes = request->message_receive_limit() != 0
                                                     ? request->message_receive_limit()
                                                     : std::numeric_limits<std::int32_t>::max() / 2,
                            .encode = Plain});
  edge::HttpServerOptions options;
  options.port = 0;
  edge::HttpServer server(options, handler);
  if (const absl::Status status = server.Start(); !status.ok()) {
    std::cerr << status << "\n";
    return 1;
  }
  v1::ServerCompatResponse response;
  response.set_host("127.0.0.1");
  response.set_port(static_cast<std::uint32_t>(server.port()));
  WriteResponse(response);
  int signal = 0;
  sigwait(&ending, &signal);
  server.Stop();
  return 0;
}

}  // namespace
}  // namespace todo

int main() { return todo::Main(); }
