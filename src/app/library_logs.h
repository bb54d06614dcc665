#pragma once

namespace todo::app {

/// Sends the log lines of the gRPC and protobuf libraries to our log. To be called once, before the
/// first gRPC object is made.
void RouteLibraryLogs();

}  // namespace todo::app
