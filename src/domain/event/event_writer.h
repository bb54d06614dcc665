#pragma once

#include <string>
#include <string_view>

#include "domain/event/event.h"
#include "domain/task/task.h"

// From values to the JSON of the event contract (docs/events).

namespace todo::domain {

/// The `source` of the CloudEvents that todo-service writes.
inline constexpr std::string_view kEventSource = "todo-service";

/// The CloudEvent (structured mode, JSON) that carries `change` on `task-events`.
std::string TaskEventRecord(const Change& change);
/// The CloudEvent that carries `change` on `task-updates`.
std::string TaskUpdateRecord(const Change& change);

/// The id of an event's copy on `task-updates`: derived from the event's id, so that every repeat
/// has the same one.
EventId UpdateIdOf(const EventId& event_id);

/// `record`, a CloudEvent that todo-service wrote without a `traceparent`, with this one; empty: as
/// it is.
std::string WithTraceparent(std::string record, std::string_view traceparent);
/// The `traceparent` of a CloudEvent that todo-service wrote; empty: it has none. A part of
/// `record`.
std::string_view TraceparentIn(std::string_view record);

/// The contract's `task_data` of `task`: compact, keys in the contract's order. Byte for byte that
/// of the database's function task_json, but for a `following` that is not null.
std::string FormatTaskJson(const Task& task);
/// The value of its key `following`: an object of the fields that are set, or null without any.
std::string FormatFollowing(const FollowingFields& following);

}  // namespace todo::domain
