#pragma once

#include <memory>
#include <string>

#include "domain/event/event.h"

namespace todo::domain {

/// One change of a user's tasks, on its way to the user's screens. Immutable, and shared by all
/// screens.
class LiveChange {
 public:
  explicit LiveChange(Change change);

  const Change& change() const { return change_; }
  ChangeCursor cursor() const { return CursorAt(change_); }

  /// The change as screens get it, made once: the JSON object {"type":"update","seq":…,
  /// "event_id":…,"change":…,"task_id":…,"task":…,"timestamp":…,"request_id":…}, on one line. Only
  /// a change that a call made has a request id. `task` is null when the task is deleted.
  const std::shared_ptr<const std::string>& json() const { return json_; }

 private:
  const Change change_;
  const std::shared_ptr<const std::string> json_;
};

}  // namespace todo::domain
