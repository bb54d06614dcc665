#pragma once

#include <string_view>

#include "absl/status/status.h"

// Named places where a test build can be made to die, wait or fail, armed from the environment:
//
//   TODO_FAULTS="before-publish=kill@3,after-commit=delay:500,apply-task-7=fail:internal"
//
// name=action[@n]: kill (SIGKILL to this very process), delay:MILLISECONDS, fail (UNAVAILABLE),
// fail:internal;
// @n: only at the nth time the place is reached, counted from 1. Without @n: every time.
// A release has neither the places nor their names: there the macro is an OK status that costs
// nothing.

#ifdef TODO_FAULT_POINTS
#define TODO_FAULT_POINT(name) ::todo::util::AtFaultPoint(name)
#else
#define TODO_FAULT_POINT(name) ::absl::OkStatus()
#endif

namespace todo::util {

/// What was armed for `name` happens. Thread safety: may be called from any thread.
absl::Status AtFaultPoint(std::string_view name);

}  // namespace todo::util
