#pragma once

#include "api/method.h"
#include "ports/change_feed.h"
#include "ports/watch_tickets.h"

namespace todo::api {

/// WatchTasks: the changes of the caller, as a stream. `feed` must outlive the table with it.
MethodDefinition WatchTasksMethod(ports::ChangeFeed& feed);

/// CreateWatchTicket. `tickets` must outlive the table with it.
MethodDefinition CreateWatchTicketMethod(const ports::WatchTickets& tickets);

}  // namespace todo::api
