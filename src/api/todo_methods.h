#pragma once

#include "api/method.h"
#include "ports/change_feed.h"
#include "ports/clock.h"
#include "ports/watch_tickets.h"
#include "service/notifications/notification_settings.h"
#include "service/tasks/task_service.h"

namespace todo::api {

struct TodoParts {  // all must outlive the table that is built from the methods
  service::TaskService& tasks;
  ports::ChangeFeed& feed;
  const ports::WatchTickets& tickets;
  service::NotificationSettings& settings;
  const ports::Clock& clock;
};

/// The methods of `todo.v1.TodoService`.
ServiceDefinition MakeTodoMethods(const TodoParts& parts);

}  // namespace todo::api
