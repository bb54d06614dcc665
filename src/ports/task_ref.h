#pragma once

#include <compare>

#include "domain/ids.h"

namespace todo::ports {

/// Names a task of a user.
struct TaskRef {
  domain::UserId user;
  domain::TaskId task_id;
  auto operator<=>(const TaskRef&) const = default;
};

}  // namespace todo::ports
