#pragma once

#include <string>
#include <vector>

#include "util/span.h"

namespace todo::telemetry {

/// The process that the spans come from.
struct Resource {
  std::string version;
  std::string instance;
};

/// The body of an export request by OTLP/HTTP: the JSON of an ExportTraceServiceRequest, with
/// hexadecimal ids, and with 64-bit numbers as strings.
std::string OtlpJson(const std::vector<util::SpanRecord>& spans, const Resource& resource);

}  // namespace todo::telemetry
