#pragma once

#include <string>
#include <utility>

#include "api/method.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "todo/v1/todo_service.pb.h"

namespace todo::api {

/// A service that only tests have: `rpc Watch(GetTaskRequest) returns (stream Task)`, and the unary
/// `rpc Get(GetTaskRequest) returns (Task)`, which is not marked as free of side effects.
inline const google::protobuf::ServiceDescriptor& WatchDescriptor() {
  using google::protobuf::DescriptorPool;
  static DescriptorPool& pool = *new DescriptorPool(DescriptorPool::generated_pool());
  static const google::protobuf::FileDescriptor& file = []() -> const auto& {
    google::protobuf::FileDescriptorProto proto;
    proto.set_name("watch.proto");
    proto.set_package("test");
    proto.set_syntax("proto3");
    proto.add_dependency(v1::Task::descriptor()->file()->name());
    auto* service = proto.add_service();
    service->set_name("WatchService");
    for (const char* name : {"Watch", "Get"}) {
      auto* method = service->add_method();
      method->set_name(name);
      method->set_input_type(".todo.v1.GetTaskRequest");
      method->set_output_type(".todo.v1.Task");
      method->set_server_streaming(std::string(name) == "Watch");
    }
    return *pool.BuildFile(proto);
  }
  ();
  return *file.service(0);
}

/// The service with `watch` as the handler of the stream; Get answers an empty task.
template <typename Watch>
ServiceDefinition WatchDefinition(Watch watch) {
  return {.service = &WatchDescriptor(),
          .methods = {ServerStreaming<v1::GetTaskRequest, v1::Task>("Watch", std::move(watch)),
                      Unary<v1::GetTaskRequest, v1::Task>(
                          "Get", [](const Caller&, const v1::GetTaskRequest&) {
                            return absl::StatusOr<v1::Task>(v1::Task());
                          })}};
}

}  // namespace todo::api
