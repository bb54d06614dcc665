#pragma once

#include <atomic>
#include <functional>
#include <latch>

#include "absl/status/statusor.h"
#include "api/method.h"
#include "google/protobuf/message.h"
#include "todo/v1/todo_service.pb.h"

namespace todo::api {

using GetTaskHandler =
    std::function<absl::StatusOr<v1::Task>(const Caller&, const v1::GetTaskRequest&)>;

/// Answers with the id of the request, the caller and the traceparent.
inline absl::StatusOr<v1::Task> Echo(const Caller& caller, const v1::GetTaskRequest& request) {
  v1::Task task;
  task.set_id(request.id());
  task.set_user_id(caller.context.user.value);
  task.set_title(caller.context.traceparent);
  return task;
}

/// A handler that holds the task with id 1 until the test releases it.
struct HeldHandler {
  std::latch begun{1};
  std::latch release{1};
  std::atomic<int> runs = 0;

  absl::StatusOr<v1::Task> operator()(const Caller& caller, const v1::GetTaskRequest& request) {
    ++runs;
    if (request.id() == 1) {
      begun.count_down();
      release.wait();
    }
    return Echo(caller, request);
  }
};

inline const google::protobuf::ServiceDescriptor& TodoDescriptor() {
  return *v1::GetTaskRequest::descriptor()->file()->FindServiceByName("TodoService");
}

/// The whole TodoService: `get_task` handles GetTask; every other method answers UNIMPLEMENTED,
/// which shows that a call has reached it.
inline ServiceDefinition DefinitionWith(GetTaskHandler get_task) {
  ServiceDefinition definition{.service = &TodoDescriptor(), .methods = {}};
  auto* factory = google::protobuf::MessageFactory::generated_factory();
  for (int i = 0; i < TodoDescriptor().method_count(); ++i) {
    const auto* declared = TodoDescriptor().method(i);
    if (declared->name() == "GetTask") {
      definition.methods.push_back(Unary<v1::GetTaskRequest, v1::Task>("GetTask", get_task));
      continue;
    }
    MethodDefinition method{.name = declared->name(),
                            .request_prototype = factory->GetPrototype(declared->input_type()),
                            .response_prototype = factory->GetPrototype(declared->output_type()),
                            .handler = nullptr,
                            .stream_handler = nullptr};
    const auto reached = [](const auto&...) { return absl::UnimplementedError("reached"); };
    if (declared->server_streaming()) {
      method.stream_handler = reached;
    } else {
      method.handler = reached;
    }
    definition.methods.push_back(std::move(method));
  }
  return definition;
}

}  // namespace todo::api
