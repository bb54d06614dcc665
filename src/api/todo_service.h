#pragma once

#include <memory>

#include "api/gate.h"
#include "service/tasks/task_service.h"

namespace todo::api {

/// `todo.v1.TodoService`: decode, call the use case, encode. Both arguments must outlive the
/// server.
std::unique_ptr<GatedService> MakeTodoService(service::TaskService& tasks, Gate& gate);

}  // namespace todo::api
