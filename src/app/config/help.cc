#include "app/config/help.h"

#include <fmt/format.h>

#include "app/config/masking.h"
#include "app/config/setting.h"
#include "app/config/table.h"

namespace todo::app {

std::string_view Version() { return TODO_VERSION; }

std::string HelpText() {
  std::string text =
      "todo-service: tasks over gRPC, their changes as events through Dapr\n\n"
      "Usage: todo-service [--name=value | --name value | --name]...\n\n"
      "A flag wins over its environment variable, and the variable over the default. An "
      "environment\n"
      "variable that is set but empty counts as not set. Durations have a unit: 500ms, 10s, "
      "2m.\n\n";
  const Config defaults;
  std::string secrets;
  for (const Setting& setting : Settings()) {
    if (!setting.secret_variable.empty()) {
      secrets += fmt::format("  {}\n      {}\n", setting.secret_variable, setting.meaning);
      continue;
    }
    text +=
        fmt::format("  --{}={}\n      {}\n      {}, default {}\n", setting.name, setting.hint,
                    setting.meaning, VariableOf(setting),
                    setting.default_text.empty() ? setting.show(defaults) : setting.default_text);
  }
  text += "\nFrom the environment only:\n" + secrets;
  text +=
      "\nCommands:\n"
      "  make-token      makes keys and tokens for trying out and for scripts: see make-token "
      "--help\n"
      "  --help          prints this text\n"
      "  --version       prints the version\n"
      "  --print-config  prints every setting with its value and source; secrets are masked\n\n"
      "Exit codes:\n"
      "  0  stopped by SIGTERM or SIGINT; all work in progress was finished\n"
      "  1  could not start or continue: a port is in use, or the database does not fit this "
      "program\n"
      "  2  bad configuration; the log lists every mistake\n"
      "  3  stopped, but some work in progress was not finished within --drain-timeout\n"
      "A second SIGTERM or SIGINT ends the process at once.\n";
  return text;
}

std::string PrintedConfig(const LoadedConfig& loaded) {
  std::string text;
  for (const Setting& setting : Settings()) {
    const std::string& name = NameOf(setting);
    const auto source = loaded.sources.find(name);
    std::string value = setting.show(loaded.config);
    if (name == "database-url") value = MaskedDatabaseUrl(value);
    // They must not contain a password; if they do, that is a fault, and still not shown.
    if (name == "smtp-url" || name == "auth-jwks-url") value = MaskedUrl(value);
    text += fmt::format("{:<20} {}  ({})\n", name, value.empty() ? "not set" : value,
                        source == loaded.sources.end() ? "default" : source->second);
  }
  return text;
}

}  // namespace todo::app
