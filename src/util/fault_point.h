#pragma once

#include <string_view>

#include "absl/status/status.h"

// Named places where a test build can be made to die, wait or fail, armed from the environment:
//
//   TODO_FAULTS="before-publish=kill@3,after-commit=delay:500,apply-usage-7=fail:internal"
//
// name=action[@n]: kill (SIGKILL to this very process), delay:MILLISECONDS (logged when it begins),
// fail (UNAVAILABLE), fail:internal;
// @n: only at the nth time the place is reached, counted from 1. Without @n: every time.
//
// name=plant: the code makes a mistake on purpose where it asks TODO_PLANTED(name), so that the
// tests can show that they notice such a mistake: skip-inbox, swap-order, ack-before-commit,
// double-count, api-deaf, live-late-register.
//
// A release holds neither the places nor their names: the macros are constants there and cost
// nothing.

#ifdef TODO_FAULT_POINTS
#define TODO_FAULT_POINT(name) ::todo::util::AtFaultPoint(name)
#define TODO_PLANTED(name) ::todo::util::IsPlanted(name)
#else
#define TODO_FAULT_POINT(name) ::absl::OkStatus()
#define TODO_PLANTED(name) false
#endif

namespace todo::util {

/// Does what the environment has armed for `name`, if anything. Thread safety: may be called from
/// any thread.
absl::Status AtFaultPoint(std::string_view name);

/// Whether the mistake `name` is to be made. Thread safety: may be called from any thread.
bool IsPlanted(std::string_view name);

}  // namespace todo::util
