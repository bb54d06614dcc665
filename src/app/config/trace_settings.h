#pragma once

#include <string>

namespace todo::app {

/// The settings of traces. The table of settings (config/table.cc) says what each one means.
struct TraceSettings {
  std::string trace_endpoint;  // empty: no traces are exported
  int trace_percent = 100;
};

}  // namespace todo::app
