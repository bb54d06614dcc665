#include "app/config/sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string_view>
#include <utility>

#include "app/config/setting.h"
#include "app/config/table.h"

namespace todo::app {
namespace {

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, changed}));
    }
  }
  return row[b.size()];
}

/// The candidate that the writer of `text` probably meant.
std::optional<std::string> Nearest(std::string_view text,
                                   const std::vector<std::string>& candidates) {
  constexpr std::size_t kMaxDistance = 3;
  constexpr std::size_t kMaxTextBytes = 60;
  if (text.size() > kMaxTextBytes) return std::nullopt;
  std::optional<std::string> nearest;
  std::size_t best = std::min(kMaxDistance, text.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (const std::size_t distance = EditDistance(text, candidate); distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

/// Settings of earlier versions, with the setting that has taken their place.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kRenamed = {
    {{"http-address", "ops-address"}, {"http-port", "ops-port"}}};

std::string UnknownFlag(std::string_view name) {
  for (const auto& [old_name, new_name] : kRenamed) {
    if (name == old_name)
      return fmt::format("--{} is not a flag any more: it is now --{}", old_name, new_name);
  }
  std::vector<std::string> flags = {"help", "version", "print-config"};
  for (const Setting& setting : Settings()) {
    if (setting.secret_variable.empty()) {
      flags.push_back(setting.name);
      continue;
    }
    std::string as_flag;
    for (char c : setting.secret_variable)
      as_flag += c == '_' ? '-' : static_cast<char>(std::tolower(c));
    if (name == as_flag) {
      return fmt::format(
          "--{} is not a flag, because every user of the machine can read flags: set {} in the "
          "environment",
          name, setting.secret_variable);
    }
  }
  const auto nearest = Nearest(name, flags);
  return fmt::format("--{} is not a flag{}", name.substr(0, 60),
                     nearest ? fmt::format(": did you mean --{}?", *nearest) : "; see --help");
}

class Loader {
 public:
  explicit Loader(LoadedConfig& loaded) : loaded_(loaded) {}

  void TakeEnvironment(const std::map<std::string, std::string>& environment) {
    // Dapr's own variables for the sidecar's address count too; ours win over them.
    const Setting& endpoint = *FindByFlag("dapr-grpc-endpoint");
    if (const auto port = environment.find("DAPR_GRPC_PORT");
        port != environment.end() && !port->second.empty()) {
      Set(endpoint, "127.0.0.1:" + port->second, "environment DAPR_GRPC_PORT");
    }
    if (const auto found = environment.find("DAPR_GRPC_ENDPOINT");
        found != environment.end() && !found->second.empty()) {
      Set(endpoint, found->second, "environment DAPR_GRPC_ENDPOINT");
    }
    std::vector<std::string> variables;
    for (const Setting& setting : Settings()) {
      variables.push_back(VariableOf(setting));
      const auto found = environment.find(variables.back());
      if (found != environment.end() && !found->second.empty()) {
        Set(setting, found->second, "environment " + variables.back());
      }
    }
    for (const auto& [name, value] : environment) {
      if (IsRenamed(name)) continue;
      if (!name.starts_with("TODO_") || std::ranges::find(variables, name) != variables.end())
        continue;
      if (const auto nearest = Nearest(name, variables)) {
        loaded_.warnings.push_back(fmt::format(
            "{} is in the environment but is no setting: did you mean {}?", name, *nearest));
      }
    }
  }

  void TakeFlags(const std::vector<std::string>& arguments) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const std::string_view argument = arguments[i];
      if (argument == "-h") {
        loaded_.command = Command::kHelp;
        continue;
      }
      if (!argument.starts_with("--") || argument.size() == 2) {
        loaded_.faults.push_back(fmt::format(
            "{} is not expected: settings have the form --name=value", Quoted(argument)));
        continue;
      }
      const bool value_follows = i + 1 < arguments.size() && !arguments[i + 1].starts_with("--");
      if (TakeFlag(argument.substr(2), value_follows ? &arguments[i + 1] : nullptr)) ++i;
    }
  }

 private:
  bool IsRenamed(std::string_view variable) {
    for (const auto& [old_name, new_name] : kRenamed) {
      if (variable != VariableOfFlag(old_name)) continue;
      loaded_.warnings.push_back(
          fmt::format("{} has no effect any more: set {}", variable, VariableOfFlag(new_name)));
      return true;
    }
    return false;
  }

  /// `flag` without its dashes; `next` is the argument after it if that may be its value. True: it
  /// is.
  bool TakeFlag(std::string_view flag, const std::string* next) {
    const std::size_t equals = flag.find('=');
    const std::string_view name = flag.substr(0, equals);
    std::optional<std::string_view> value;
    if (equals != std::string_view::npos) value = flag.substr(equals + 1);
    if (!value && TakeCommand(name)) return false;

    const Setting* setting = FindByFlag(name);
    if (setting == nullptr) {
      loaded_.faults.push_back(UnknownFlag(name));
      return !value && next != nullptr;  // most likely its value: not a second fault
    }
    if (!value && setting->is_boolean) value = "true";
    const bool takes_next = !value && next != nullptr;
    if (takes_next) value = *next;
    if (value) {
      Set(*setting, *value, "flag");
    } else {
      loaded_.faults.push_back(
          fmt::format("--{} needs a value: --{}={}", name, name, setting->hint));
      loaded_.sources[setting->name] = "flag";
    }
    return takes_next;
  }

  bool TakeCommand(std::string_view name) {
    for (const auto& [flag, command] : {std::pair{"help", Command::kHelp},
                                        {"version", Command::kVersion},
                                        {"print-config", Command::kPrintConfig}}) {
      if (name == flag) {
        loaded_.command = command;
        return true;
      }
    }
    return false;
  }

  void Set(const Setting& setting, std::string_view text, const std::string& source) {
    const std::string& name = NameOf(setting);
    loaded_.sources[name] = source;
    const std::string wrong = setting.set(loaded_.config, text);
    if (wrong.empty()) return;
    const std::string prefix =
        source == "flag" ? "--" + name : source.substr(std::string_view("environment ").size());
    loaded_.faults.push_back(fmt::format("{} {}", prefix, wrong));
  }

  LoadedConfig& loaded_;
};

}  // namespace

void TakeEnvironment(const std::map<std::string, std::string>& environment, LoadedConfig& loaded) {
  Loader(loaded).TakeEnvironment(environment);
}

void TakeFlags(const std::vector<std::string>& arguments, LoadedConfig& loaded) {
  Loader(loaded).TakeFlags(arguments);
}

}  // namespace todo::app
