#include <unistd.h>

#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "app/application.h"
#include "app/config/config.h"
#include "app/config/help.h"
#include "app/library_logs.h"
#include "app/make_token.h"
#include "app/process_limits.h"
#include "app/system_clock.h"
#include "app/termination.h"
#include "app/tracing.h"
#include "util/log.h"

namespace {

using todo::util::Log;
using todo::util::Severity;

// --help describes them.
enum ExitCode { kClean = 0, kFailed = 1, kBadConfiguration = 2, kNotDrained = 3 };

std::map<std::string, std::string> Environment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) variables[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return variables;
}

int Serve(const todo::app::Config& config) {
  todo::app::LimitMallocArenas();
  todo::app::Termination termination;
  todo::util::SetLogThreshold(config.log_level);
  todo::app::RouteLibraryLogs();

  const todo::app::Tracing tracing(config, std::string(todo::app::Version()));
  todo::app::Application application(config, todo::app::Termination::Request,
                                     [&tracing] { return tracing.stats(); });
  if (const absl::Status status = application.Start(); !status.ok()) {
    Log(Severity::kError, "cannot_start", {{"status", std::string(status.message())}});
    return kFailed;
  }
  const int signal = termination.Wait();
  if (!application.failed()) Log(Severity::kInfo, "signal", {{"number", signal}});
  termination.EnforceWithin(config.drain_timeout * 2, application.failed() ? kFailed : kNotDrained);
  const bool drained = application.Stop();
  if (application.failed()) return kFailed;
  return drained ? kClean : kNotDrained;
}

int MakeToken(const std::vector<std::string>& arguments) {
  const todo::app::CommandResult result = todo::app::MakeToken(arguments, todo::app::SystemClock());
  std::fputs(result.output.c_str(), stdout);
  std::fputs(result.errors.c_str(), stderr);
  return result.exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty() && arguments.front() == "make-token") {
    arguments.erase(arguments.begin());
    return MakeToken(arguments);
  }
  const todo::app::LoadedConfig loaded = todo::app::LoadConfig(arguments, Environment());
  if (loaded.command == todo::app::Command::kHelp) {
    std::fputs(todo::app::HelpText().c_str(), stdout);
    return kClean;
  }
  if (loaded.command == todo::app::Command::kVersion) {
    std::printf("todo-service %s\n", std::string(todo::app::Version()).c_str());
    return kClean;
  }
  if (loaded.command == todo::app::Command::kPrintConfig) {
    std::fputs(todo::app::PrintedConfig(loaded).c_str(), stdout);
  }
  for (const std::string& warning : loaded.warnings)
    Log(Severity::kWarning, "configuration", {{"warning", warning}});
  for (const std::string& fault : loaded.faults)
    Log(Severity::kError, "configuration", {{"fault", fault}});
  if (!loaded.faults.empty()) return kBadConfiguration;
  if (loaded.command != todo::app::Command::kServe) return kClean;
  return Serve(loaded.config);
}
