#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace todo::telemetry {

/// Sends the body of one export request. Blocks, at most for `timeout`. Answers how many of its
/// spans the collector has refused. kUnavailable: try again later. Another status: another try of
/// this body would not help.
using Sender = std::function<absl::StatusOr<std::uint64_t>(const std::string& body,
                                                           std::chrono::milliseconds timeout)>;

/// A sender to the collector at `url` by OTLP/HTTP with JSON. kInvalidArgument: `url` is no URL of
/// http or https.
absl::StatusOr<Sender> HttpSender(const std::string& url);

}  // namespace todo::telemetry
