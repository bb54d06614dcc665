#pragma once

#include <memory>
#include <string>

#include "app/config/config.h"
#include "telemetry/span_exporter.h"

namespace todo::app {

/// Sends the spans of the process to the collector of the settings, if there is one. To be made
/// before all parts that make spans, and destroyed after them.
class Tracing {
 public:
  Tracing(const Config& config, std::string version);
  /// Exports what is left. Blocks, a few seconds at most.
  ~Tracing();
  Tracing(const Tracing&) = delete;
  Tracing& operator=(const Tracing&) = delete;

  telemetry::ExportStats stats() const;

 private:
  std::unique_ptr<telemetry::SpanExporter> exporter_;  // nullptr: no collector
};

}  // namespace todo::app
