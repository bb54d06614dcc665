#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/call_figures.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "ports/authenticator.h"
#include "service/call_context.h"

// The methods of the API as a table that knows no transport. A door looks a method up and hands the
// call to Admission.

namespace todo::api {

/// The longest request that a door takes, in bytes.
inline constexpr std::size_t kMaxRequestBytes = 1024 * 1024;

/// The caller of an admitted call, and the call's circumstances. A handler sees nothing else
/// besides the request.
struct Caller {
  ports::Identity identity;
  service::CallContext context;
};

/// Decodes a request, calls a use case, encodes the response.
using MethodHandler = std::function<absl::Status(
    const Caller&, const google::protobuf::Message& request, google::protobuf::Message& response)>;

/// The way of the messages of a server stream to its caller, whatever the door. The stream lives
/// until Finish, or until the last reference is dropped, which ends it as UNAVAILABLE
/// (SERVER_STOPPING). It ends by itself when the caller goes, when the deadline passes
/// (DEADLINE_EXCEEDED), and when the caller's token expires (UNAUTHENTICATED, TOKEN_EXPIRED).
/// Thread safety: IsCancelled from any thread at any time; the other functions from any thread, one
/// after another. Never blocks.
class ResponseStream {
 public:
  ResponseStream() = default;
  virtual ~ResponseStream() = default;
  ResponseStream(const ResponseStream&) = delete;
  ResponseStream& operator=(const ResponseStream&) = delete;

  /// Encodes `message`, of the method's response type, and queues it. False: the stream is over,
  /// because it has ended by itself, or the caller has left too much unread.
  virtual bool Send(const google::protobuf::Message& message) = 0;
  /// Whether the stream is over.
  virtual bool IsCancelled() const = 0;
  /// `callback` is called once, from any thread, when the stream ends by itself before Finish; at
  /// once when it has already. It must not block, and may drop the stream, but call nothing of it.
  virtual void OnCancel(std::function<void()> callback) = 0;
  /// `callback` is called once, from any thread, when all queued messages have left, or the stream
  /// is over; at once when that is so already. It must not block. A second callback takes the place
  /// of the first.
  virtual void OnDrained(std::function<void()> callback) { callback(); }
  /// Ends the stream; the queued messages are sent before. Further calls have no effect.
  virtual void Finish(const absl::Status& status) = 0;
};

/// Begins a stream, on a worker. An error ends the stream. After OK the stream belongs to whoever
/// holds it, and needs no worker any more.
using StreamHandler =
    std::function<absl::Status(const Caller&, const google::protobuf::Message& request,
                               const std::shared_ptr<ResponseStream>& stream)>;

/// A method as the author of a service writes it. Made by Unary() or ServerStreaming() below.
struct MethodDefinition {
  std::string name;  // without its service, e.g. "CreateTask"
  const google::protobuf::Message* request_prototype = nullptr;
  const google::protobuf::Message* response_prototype = nullptr;
  MethodHandler handler;                   // of a unary method
  StreamHandler stream_handler = nullptr;  // of a server stream; one of the two is set
};

/// A definition from `handler(const Caller&, const Request&)`, which returns
/// absl::StatusOr<Response>. The handler runs on a worker: it may block, and several run at once.
/// An exception that leaves it ends the call as INTERNAL.
template <typename Request, typename Response, typename Handler>
MethodDefinition Unary(std::string name, Handler handler) {
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
          },
          .stream_handler = nullptr};
}

/// The definition of a server stream from `handler(const Caller&, const Request&, const
/// std::shared_ptr<ResponseStream>&)`, which returns absl::Status: see StreamHandler.
template <typename Request, typename Response, typename Handler>
MethodDefinition ServerStreaming(std::string name, Handler handler) {
  return {.name = std::move(name),
          .request_prototype = &Request::default_instance(),
          .response_prototype = &Response::default_instance(),
          .handler = nullptr,
          .stream_handler = [handler = std::move(handler)](
                                const Caller& caller, const google::protobuf::Message& request,
                                const std::shared_ptr<ResponseStream>& stream) -> absl::Status {
            return handler(caller, static_cast<const Request&>(request), stream);
          }};
}

/// A definition from a function of a use case and a request. `use_case` must outlive the table.
template <typename UseCase, typename Request, typename Response>
MethodDefinition Unary(std::string name, UseCase& use_case,
                       absl::StatusOr<Response> (*handler)(UseCase&, const Caller&,
                                                           const Request&)) {
  return Unary<Request, Response>(
      std::move(name), [&use_case, handler](const Caller& caller, const Request& request) {
        return handler(use_case, caller, request);
      });
}

/// All methods of one service of proto.
struct ServiceDefinition {
  const google::protobuf::ServiceDescriptor* service = nullptr;
  std::vector<MethodDefinition> methods;
};

/// A method as doors see it.
struct Method {
  std::string service;  // "todo.v1.TodoService"
  std::string name;     // "CreateTask"
  std::string path;     // "/todo.v1.TodoService/CreateTask"
  const google::protobuf::Message* request_prototype = nullptr;
  const google::protobuf::Message* response_prototype = nullptr;
  /// The method changes nothing (proto: idempotency_level = NO_SIDE_EFFECTS), so a door may offer
  /// it as an HTTP GET, unless it streams.
  bool read_only = false;
  MethodHandler handler;         // of a unary method
  StreamHandler stream_handler;  // of a server stream; one of the two is set
  /// Of all calls of the method, through any door.
  std::shared_ptr<CallFigures> figures = std::make_shared<CallFigures>();

  bool streams() const { return stream_handler != nullptr; }
};

/// Every method of the API. Built once, at the start. Thread safety: immutable, so any thread may
/// read it. Never blocks.
class MethodTable {
 public:
  /// Each service must define exactly its declared methods, with their declared messages. A service
  /// that does not is a mistake in the program and ends it, with a line in the log.
  explicit MethodTable(std::vector<ServiceDefinition> services);
  MethodTable(const MethodTable&) = delete;  // doors keep pointers to its methods
  MethodTable& operator=(const MethodTable&) = delete;

  /// The method at "/todo.v1.TodoService/CreateTask"; nullptr when there is none.
  const Method* Find(std::string_view path) const;
  /// Whether a service of this name ("todo.v1.TodoService") is in the table.
  bool HasService(std::string_view service) const;
  /// All methods, those of a service next to each other. Their addresses stay valid as long as the
  /// table lives.
  const std::vector<Method>& methods() const { return methods_; }

 private:
  std::vector<Method> methods_;
  std::unordered_map<std::string_view, const Method*> by_path_;
};

}  // namespace todo::api
