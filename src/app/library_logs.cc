#include "app/library_logs.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include <string>
#include <string_view>

#include "util/log.h"

namespace todo::app {
namespace {

// An error in the sense of these libraries is mostly caused by a peer and needs no action: the call
// concerned reports it itself.

void LogOfGrpc(gpr_log_func_args* args) {
  // Every stranger can fail a TLS handshake, and the watch of the own ports does so all the time.
  const bool is_handshake =
      std::string_view(args->message).find("Handshake failed") != std::string_view::npos;
  const auto severity = args->severity == GPR_LOG_SEVERITY_ERROR && !is_handshake
                            ? util::Severity::kInfo
                            : util::Severity::kDebug;
  util::Log(severity, "grpc", {{"message", args->message}});
}

void LogOfProtobuf(google::protobuf::LogLevel level, const char*, int, const std::string& message) {
  // An error is a message that cannot be parsed; its sender is told.
  const auto severity =
      level == google::protobuf::LOGLEVEL_FATAL ? util::Severity::kError : util::Severity::kDebug;
  util::Log(severity, "protobuf", {{"message", message}});
}

}  // namespace

void RouteLibraryLogs() {
  gpr_set_log_function(LogOfGrpc);
  google::protobuf::SetLogHandler(LogOfProtobuf);
}

}  // namespace todo::app
