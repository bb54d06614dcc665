#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/admission.h"
#include "api/grpc_door.h"
#include "api/method.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "named_caller.h"
#include "todo/v1/todo_service.grpc.pb.h"
#include "util/worker_pool.h"

namespace todo::api {

/// A service behind the gRPC door and an in-process channel.
class Served {
 public:
  explicit Served(ServiceDefinition service, std::size_t workers = 2, std::size_t queue = 100,
                  Admission::Options options = {}, std::string app_token = {})
      : pool_(workers, queue),
        methods_({std::move(service)}),
        admission_(authenticator_, pool_, std::move(options)),
        door_(methods_, admission_, std::move(app_token)) {
    grpc::ServerBuilder builder;
    for (grpc::Service* offered : door_.services()) builder.RegisterService(offered);
    server_ = builder.BuildAndStart();
    channel_ = server_->InProcessChannel({});
    stub_ = v1::TodoService::NewStub(channel_);
  }
  ~Served() { server_->Shutdown(); }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  v1::TodoService::Stub& stub() { return *stub_; }
  const std::shared_ptr<grpc::Channel>& channel() { return channel_; }
  util::WorkerPool& pool() { return pool_; }
  GrpcDoor& door() { return door_; }
  NamedCaller& authenticator() { return authenticator_; }

 private:
  NamedCaller authenticator_;
  util::WorkerPool pool_;
  MethodTable methods_;
  Admission admission_;
  GrpcDoor door_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::TodoService::Stub> stub_;
};

/// The context of one call, with a deadline that only a hanging test meets.
inline std::unique_ptr<grpc::ClientContext> CallAs(const std::string& user) {
  auto context = std::make_unique<grpc::ClientContext>();
  if (!user.empty()) context->AddMetadata("x-user-id", user);
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  return context;
}

inline std::string ReasonOf(const grpc::Status& status) {
  google::rpc::Status rich;
  rich.ParseFromString(status.error_details());
  google::rpc::ErrorInfo info;
  for (const auto& detail : rich.details()) {
    if (detail.UnpackTo(&info)) return info.reason();
  }
  return "";
}

/// The fields that the call was refused for.
inline std::vector<std::string> FieldsOf(const grpc::Status& status) {
  google::rpc::Status rich;
  rich.ParseFromString(status.error_details());
  google::rpc::BadRequest bad;
  std::vector<std::string> fields;
  for (const auto& detail : rich.details()) {
    if (!detail.UnpackTo(&bad)) continue;
    for (const auto& violation : bad.field_violations()) fields.push_back(violation.field());
  }
  return fields;
}

}  // namespace todo::api
