#include "app/library_logs.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include <string>

#include "util/log.h"

namespace todo::app {
namespace {

// What they call an error is mostly a peer's doing, and nobody has to act: the calls themselves say
// how they ended.

void LogOfGrpc(gpr_log_func_args* args) {
  const auto severity =
      args->severity == GPR_LOG_SEVERITY_ERROR ? util::Severity::kInfo : util::Severity::kDebug;
  util::Log(severity, "grpc", {{"message", args->message}});
}

void LogOfProtobuf(google::protobuf::LogLevel level, const char*, int, const std::string& message) {
  // Errors are about messages that cannot be parsed, which is answered to whoever sent them.
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
