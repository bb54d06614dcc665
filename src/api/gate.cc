#include "api/gate.h"

#include <fmt/format.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/rpc_service_method.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <utility>

#include "api/malformed_request.h"
#include "api/status_encoding.h"
#include "util/log.h"
#include "util/status.h"

namespace todo::api {
namespace {

using google::protobuf::Message;
using MessageTraits = grpc::SerializationTraits<Message>;

absl::Status DeadlinePassed() {
  return util::WithReason(
      absl::DeadlineExceededError("the deadline passed before the call's turn came"),
      "DEADLINE_PASSED");
}

/// A call between its admission and its answer. Destroying it unanswered answers it: the pool drops
/// what is queued when it runs out of time to stop.
class PendingCall {
 public:
  PendingCall(const UnaryMethod& method, Caller caller, grpc::CallbackServerContext* context,
              const grpc::ByteBuffer* request, grpc::ByteBuffer* response)
      : method_(method),
        caller_(std::move(caller)),
        context_(context),
        reactor_(context->DefaultReactor()),
        request_(request),
        response_(response) {}
  ~PendingCall() {
    Finish(util::WithReason(absl::UnavailableError("the server is stopping: try again"),
                            "SERVER_STOPPING"));
  }
  PendingCall(const PendingCall&) = delete;
  PendingCall& operator=(const PendingCall&) = delete;

  grpc::ServerUnaryReactor* reactor() const { return reactor_; }

  /// On a worker.
  void Run() {
    absl::Status status;
    try {
      status = Answer();
    } catch (const std::exception& error) {
      status = absl::InternalError(fmt::format("exception: {}", error.what()));
    } catch (...) {
      status = absl::InternalError("exception of an unknown type");
    }
    if (absl::IsInternal(status) || absl::IsDataLoss(status)) {
      util::Log(util::Severity::kError, "call_failed",
                {{"method", method_.name},
                 {"status", status.ToString()},
                 {"traceparent", caller_.traceparent}});
    }
    Finish(status);
  }

  /// The first call answers; gRPC may then destroy context, request and response at any moment.
  void Finish(const absl::Status& status) {
    if (!finished_.exchange(true)) reactor_->Finish(ToGrpcStatus(status));
  }

 private:
  absl::Status Answer() {
    // Nobody waits for the answer any more: what was not begun is not begun.
    if (context_->IsCancelled())
      return absl::CancelledError("the call was cancelled before its turn came");
    if (context_->deadline() <= std::chrono::system_clock::now()) {
      return DeadlinePassed();
    }
    const std::unique_ptr<Message> request(method_.request_prototype->New());
    grpc::ByteBuffer bytes(*request_);
    if (!MessageTraits::Deserialize(&bytes, request.get()).ok()) {
      return ExplainMalformed(*request_, *request->GetDescriptor());
    }
    const std::unique_ptr<Message> response(method_.response_prototype->New());
    TODO_RETURN_IF_ERROR(method_.handler(caller_, *request, *response));
    bool own_buffer = false;
    if (!MessageTraits::Serialize(*response, response_, &own_buffer).ok()) {
      return absl::InternalError("the answer could not be serialised");
    }
    return absl::OkStatus();
  }

  const UnaryMethod& method_;
  const Caller caller_;
  grpc::CallbackServerContext* const context_;
  grpc::ServerUnaryReactor* const reactor_;
  const grpc::ByteBuffer* const request_;
  grpc::ByteBuffer* const response_;
  std::atomic<bool> finished_ = false;
};

grpc::ServerUnaryReactor* Refuse(grpc::CallbackServerContext* context, const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

}  // namespace

absl::StatusOr<Caller> Gate::Admit(const grpc::CallbackServerContext& context) const {
  TODO_ASSIGN_OR_RETURN(Identity identity,
                        Identify(context.client_metadata(), options_.dev_identity));
  if (options_.ready) TODO_RETURN_IF_ERROR(options_.ready());
  if (context.deadline() <= std::chrono::system_clock::now()) {
    return DeadlinePassed();
  }
  return Caller{.identity = std::move(identity),
                .traceparent = TraceparentOf(context.client_metadata())};
}

grpc::ServerUnaryReactor* Gate::Serve(const UnaryMethod& method,
                                      grpc::CallbackServerContext* context,
                                      const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  absl::StatusOr<Caller> caller = Admit(*context);
  if (!caller.ok()) return Refuse(context, caller.status());
  const auto call =
      std::make_shared<PendingCall>(method, *std::move(caller), context, request, response);
  grpc::ServerUnaryReactor* const reactor = call->reactor();
  if (!workers_.TrySubmit([call] { call->Run(); })) {
    call->Finish(util::WithReason(
        absl::ResourceExhaustedError(
            "the server has as many calls waiting as it takes: try again in a second"),
        "SERVER_BUSY"));
  }
  return reactor;
}

GatedService::GatedService(const google::protobuf::ServiceDescriptor& service,
                           std::vector<UnaryMethod> methods, Gate& gate) {
  if (methods.size() != static_cast<std::size_t>(service.method_count())) {
    util::Log(util::Severity::kError, "service_incomplete",
              {{"service", service.full_name()},
               {"methods", methods.size()},
               {"declared", service.method_count()}});
    std::abort();
  }
  for (UnaryMethod& method : methods) {
    const google::protobuf::MethodDescriptor* declared = service.FindMethodByName(method.name);
    if (declared == nullptr || declared->client_streaming() || declared->server_streaming() ||
        declared->input_type() != method.request_prototype->GetDescriptor() ||
        declared->output_type() != method.response_prototype->GetDescriptor()) {
      util::Log(util::Severity::kError, "method_not_as_declared",
                {{"service", service.full_name()}, {"method", method.name}});
      std::abort();
    }
    std::string path = fmt::format("/{}/{}", service.full_name(), method.name);
    entries_.push_back(
        std::make_unique<Entry>(Entry{.path = std::move(path), .method = std::move(method)}));
    const Entry& entry = *entries_.back();
    // Raw bytes, not messages: a request that gRPC itself cannot parse would be answered with an
    // empty UNIMPLEMENTED, and its parsing would happen on gRPC's thread.
    AddMethod(new grpc::internal::RpcServiceMethod(entry.path.c_str(),
                                                   grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
    MarkMethodRawCallback(
        static_cast<int>(entries_.size()) - 1,
        new grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
            [&gate, &entry](grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                            grpc::ByteBuffer* response) {
              return gate.Serve(entry.method, context, request, response);
            }));
  }
}

}  // namespace todo::api
