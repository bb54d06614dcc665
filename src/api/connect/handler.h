#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "api/connect/call.h"
#include "api/connect/call_head.h"
#include "api/connect/error.h"
#include "google/rpc/status.pb.h"
#include "util/http_exchange.h"

// The Connect protocol over HTTP/1.1 (https://connectrpc.com/docs/protocol) for the methods of any
// protobuf service: unary calls and server streams, JSON and binary messages, gzip, GET.

namespace todo::api::connect {

/// The way of an accepted call to its method: the one that fits the method's shape is set. Called
/// on the server's thread, so it must not block.
struct Route {
  std::string user = {};  // whose call it is; the server may bound the calls of each
  std::function<void(std::unique_ptr<UnaryCall>)> unary;
  std::function<void(std::unique_ptr<StreamCall>)> stream;
};

/// The methods behind the protocol. Thread safety: the functions are called from the server's
/// threads. Must not block.
class Methods {
 public:
  Methods() = default;
  virtual ~Methods() = default;
  Methods(const Methods&) = delete;
  Methods& operator=(const Methods&) = delete;

  /// The shape of the method at a path such as "/todo.v1.TodoService/CreateTask". kNotFound: no
  /// service is there. kUnimplemented: the service has no such method.
  virtual absl::StatusOr<MethodShape> Find(std::string_view path) const = 0;

  /// Decides about a call of a method that Find has found, from the head alone. A status is the
  /// answer to the call.
  virtual std::variant<Route, google::rpc::Status> Accept(const util::HttpRequestHead& head) = 0;
};

/// Takes every request of a server, or of the paths of the services.
class Handler final : public util::HttpHandler {
 public:
  struct Options {
    /// Of a request, before and after unpacking.
    std::size_t max_message_bytes = 1024 * 1024;
    StatusEncoder encode;
  };

  /// `methods` must outlive the handler and every call.
  Handler(Methods& methods, Options options) : methods_(methods), options_(std::move(options)) {}

  util::HttpDecision Decide(const util::HttpRequestHead& head) override;

 private:
  Methods& methods_;
  const Options options_;
};

}  // namespace todo::api::connect
