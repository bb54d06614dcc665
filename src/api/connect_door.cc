#include "api/connect_door.h"

#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "util/status.h"

namespace todo::api {
namespace {

using google::protobuf::Message;

class ConnectUnary final : public PendingUnary {
 public:
  explicit ConnectUnary(std::unique_ptr<connect::UnaryCall> call) : call_(std::move(call)) {}

  bool IsCancelled() const override { return call_->IsCancelled(); }
  std::chrono::system_clock::time_point Deadline() const override { return call_->deadline(); }
  absl::Status ParseRequest(Message& request) override { return call_->ParseRequest(request); }
  absl::Status EncodeResponse(const Message& response) override {
    return call_->EncodeResponse(response);
  }
  void Finish(const absl::Status& status) override { call_->Finish(EncodeStatus(status)); }

 private:
  const std::unique_ptr<connect::UnaryCall> call_;
};

class ConnectStream final : public PendingStream {
 public:
  explicit ConnectStream(std::unique_ptr<connect::StreamCall> call) : call_(std::move(call)) {}

  bool IsCancelled() const override { return call_->IsCancelled(); }
  std::chrono::system_clock::time_point Deadline() const override { return call_->deadline(); }
  absl::Status ParseRequest(Message& request) override { return call_->ParseRequest(request); }
  absl::Status Send(const Message& response) override { return call_->Send(response); }
  void OnCancel(std::function<void()> callback) override { call_->OnCancel(std::move(callback)); }
  void OnDrained(std::function<void()> callback) override { call_->OnDrained(std::move(callback)); }
  void KeepPlace(UserLimits::Place place) override { place_ = std::move(place); }
  void Finish(const absl::Status& status) override {
    call_->Finish(EncodeStatus(status));
    place_.Return();  // the server bounds the answers that are not read
  }

 private:
  const std::unique_ptr<connect::StreamCall> call_;
  UserLimits::Place place_;
};

/// "todo.v1.TodoService" of "/todo.v1.TodoService/CreateTask"; empty when the path has another
/// form.
std::string_view ServiceIn(std::string_view path) {
  if (!path.starts_with('/')) return {};
  path.remove_prefix(1);
  return path.substr(0, path.rfind('/'));
}

}  // namespace

absl::StatusOr<connect::MethodShape> ConnectDoor::Find(std::string_view path) const {
  if (const Method* method = methods_.Find(path))
    return connect::MethodShape{.read_only = method->read_only, .streams = method->streams()};
  const std::string_view service = ServiceIn(path);
  if (!methods_.HasService(service)) return absl::NotFoundError("no such service");
  return util::WithReason(
      util::MakeStatus(absl::StatusCode::kUnimplemented,
                       fmt::format("the service {} has no such method", service)),
      "METHOD_UNKNOWN");
}

std::variant<connect::Route, google::rpc::Status> ConnectDoor::Accept(
    const util::HttpRequestHead& head) {
  const Method& method = *methods_.Find(head.path);
  absl::StatusOr<KnownCaller> caller = admission_.Identify(
      method, ReadHeaders([&](std::string_view name) { return head.All(name); }));
  if (!caller.ok()) return EncodeStatus(caller.status());
  std::string user = caller->identity.user.value;
  if (method.streams()) {
    return connect::Route{.user = std::move(user),
                          .unary = nullptr,
                          .stream = [&admission = admission_, &method, caller = *std::move(caller)](
                                        std::unique_ptr<connect::StreamCall> call) {
                            std::unique_ptr<PendingStream> pending =
                                std::make_unique<ConnectStream>(std::move(call));
                            admission.Submit(method, caller, std::move(pending));
                          }};
  }
  return connect::Route{.user = std::move(user),
                        .unary =
                            [&admission = admission_, &method, caller = *std::move(caller)](
                                std::unique_ptr<connect::UnaryCall> call) {
                              std::unique_ptr<PendingUnary> pending =
                                  std::make_unique<ConnectUnary>(std::move(call));
                              admission.Submit(method, caller, std::move(pending));
                            },
                        .stream = nullptr};
}

}  // namespace todo::api
