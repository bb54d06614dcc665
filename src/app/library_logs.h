#pragma once

namespace todo::app {

/// Makes the lines of gRPC and protobuf lines of our log. Call once, before the first of their
/// threads starts.
void RouteLibraryLogs();

}  // namespace todo::app
