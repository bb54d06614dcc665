#pragma once

#include "api/method.h"
#include "ports/change_feed.h"
#include "ports/watch_tickets.h"
#include "service/tasks/task_service.h"

namespace todo::api {

/// The methods of `todo.v1.TodoService`. The arguments must outlive the table that is built from
/// them.
ServiceDefinition MakeTodoMethods(service::TaskService& tasks, ports::ChangeFeed& feed,
                                  const ports::WatchTickets& tickets);

}  // namespace todo::api
