#pragma once

#include <grpcpp/impl/service_type.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "api/identity.h"
#include "google/protobuf/message.h"
#include "util/worker_pool.h"

namespace todo::api {

/// What a handler learns about a call besides its request.
struct Caller {
  Identity identity;
  std::string traceparent;  // W3C, or empty
};

/// One method of a service: decodes, calls a use case, encodes. Made by Unary() below.
struct UnaryMethod {
  std::string name;  // without its service, e.g. "CreateTask"
  const google::protobuf::Message* request_prototype = nullptr;
  const google::protobuf::Message* response_prototype = nullptr;
  /// Runs on a worker, so it may block. What it throws ends as INTERNAL.
  std::function<absl::Status(const Caller&, const google::protobuf::Message& request,
                             google::protobuf::Message& response)>
      handler;
};

/// `handler(const Caller&, const Request&)` answers absl::StatusOr<Response>.
template <typename Request, typename Response, typename Handler>
UnaryMethod Unary(std::string name, Handler handler) {
  return {.name = std::move(name),
          .request_prototype = &Request::default_instance(),
          .response_prototype = &Response::default_instance(),
          .handler = [handler = std::move(handler)](
                         const Caller& caller, const google::protobuf::Message& request,
                         google::protobuf::Message& response) -> absl::Status {
            absl::StatusOr<Response> answer = handler(caller, static_cast<const Request&>(request));
            if (!answer.ok()) return answer.status();
            static_cast<Response&>(response) = *std::move(answer);
            return absl::OkStatus();
          }};
}

/// The only way from the network to a handler. For each call, in this order: who calls, is the
/// server ready, is there time left, is there room in the queue; then a worker parses the request
/// and runs the handler, unless the caller has gone. A call is answered exactly once, whatever
/// happens to it. Thread safety: may be used from many threads at once. Never blocks: the work is
/// the pool's.
class Gate {
 public:
  struct Options {
    bool dev_identity = false;  // see Identify()
    /// Not OK: calls are refused with this. Asked on threads that must not block. Empty: always
    /// ready.
    std::function<absl::Status()> ready;
  };

  /// `workers` must outlive the gate and every call that went through it.
  Gate(Options options, util::WorkerPool& workers)
      : options_(std::move(options)), workers_(workers) {}

  /// Takes one call of `method`, which must outlive the server.
  grpc::ServerUnaryReactor* Serve(const UnaryMethod& method, grpc::CallbackServerContext* context,
                                  const grpc::ByteBuffer* request, grpc::ByteBuffer* response);

 private:
  absl::StatusOr<Caller> Admit(const grpc::CallbackServerContext& context) const;

  const Options options_;
  util::WorkerPool& workers_;
};

/// A gRPC service all of whose methods go through a gate: no other handler can be registered with
/// it, and none of the service's methods can be left out.
class GatedService final : public grpc::Service {
 public:
  /// `service` is declared in proto; `methods` must be exactly its methods (anything else stops the
  /// program). `gate` must outlive the server.
  GatedService(const google::protobuf::ServiceDescriptor& service, std::vector<UnaryMethod> methods,
               Gate& gate);

 private:
  struct Entry {
    std::string path;  // "/todo.v1.TodoService/CreateTask"
    UnaryMethod method;
  };
  std::vector<std::unique_ptr<Entry>> entries_;  // gRPC keeps pointers into these
};

}  // namespace todo::api
