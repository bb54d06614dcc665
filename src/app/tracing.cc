#include "app/tracing.h"

#include <utility>

#include "telemetry/collector.h"
#include "util/require.h"
#include "util/span.h"

namespace todo::app {

Tracing::Tracing(const Config& config, std::string version) {
  if (config.trace_endpoint.empty()) return;
  absl::StatusOr<telemetry::Sender> sender = telemetry::HttpSender(config.trace_endpoint);
  TODO_REQUIRE(sender.ok());  // the settings were checked
  telemetry::SpanExporter::Options options;
  options.resource = {.version = std::move(version), .instance = config.instance};
  exporter_ = std::make_unique<telemetry::SpanExporter>(std::move(options), *std::move(sender));
  constexpr double kHundred = 100;
  util::SetSpanSink(exporter_.get(), config.trace_percent / kHundred);
}

Tracing::~Tracing() {
  if (exporter_ != nullptr) util::SetSpanSink(nullptr);
}

telemetry::ExportStats Tracing::stats() const {
  return exporter_ == nullptr ? telemetry::ExportStats() : exporter_->stats();
}

}  // namespace todo::app
