#pragma once

#include "api/method.h"
#include "service/tasks/task_service.h"

namespace todo::api {

/// The methods of `todo.v1.TodoService`. `tasks` must outlive the table that is built from them.
ServiceDefinition MakeTodoMethods(service::TaskService& tasks);

}  // namespace todo::api
