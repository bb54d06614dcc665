#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config/config.h"

namespace todo::app {

/// One setting: its names, what it means, and how its value is read and shown.
struct Setting {
  std::string name;  // "app-port": the flag is --app-port, the environment variable TODO_APP_PORT
  std::string hint;  // stands for the value in --help
  std::string meaning;
  /// Reads a value from its text. Returns what is wrong with the text; empty: nothing.
  std::function<std::string(Config&, std::string_view)> set;
  /// The value as text, in the form that `set` reads.
  std::function<std::string(const Config&)> show;
  std::string default_text = {};     // for a default that depends on other settings
  bool is_boolean = false;           // the flag may stand without a value
  std::string secret_variable = {};  // not a flag: read from this environment variable only
};

/// The environment variable of the setting with this flag (without dashes).
std::string VariableOfFlag(std::string_view name);
/// The environment variable of a setting.
std::string VariableOf(const Setting& setting);
/// The name of a setting in LoadedConfig::sources and --print-config.
const std::string& NameOf(const Setting& setting);

/// A duration as a setting shows it, in its largest whole unit: "10s".
std::string FormatDuration(std::chrono::milliseconds duration);
/// A number with its unit: "8h". nullopt: `text` has another form, or is negative.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);
/// `text` in quotation marks, for a message; a long text is cut.
std::string Quoted(std::string_view text);

/// The parts of a list that are separated by commas, without the spaces around them. Empty parts
/// are left out.
std::vector<std::string> SplitList(std::string_view list);

// The kinds of settings. `field` is where the value goes.

/// Any text but an empty one.
Setting Text(std::string name, std::string hint, std::string Config::*field, std::string meaning);
/// An IP address, or "localhost".
Setting Address(std::string name, std::string Config::*field, std::string meaning);
/// A whole number from `min` to `max`.
Setting Number(std::string name, int Config::*field, int min, int max, std::string meaning);
/// "true" or "false"; the flag alone means true.
Setting Boolean(std::string name, bool Config::*field, std::string meaning);
/// A number with a unit, from `min` to `max`.
Setting Duration(std::string name, std::chrono::milliseconds Config::*field,
                 std::chrono::milliseconds min, std::chrono::milliseconds max, std::string meaning);
/// "host:port" of the sidecar; also the forms that Dapr's own SDKs take: "http://host:port",
/// "dns:host:port".
Setting Endpoint(std::string name, std::string Config::*field, std::string meaning);
/// A token that is sent as gRPC metadata; never shown.
Setting Secret(std::string variable, std::string Config::*field, std::string meaning);

/// One of `choices`, by its name.
template <typename Enum>
Setting Choice(std::string name, Enum Config::*field,
               std::vector<std::pair<std::string, Enum>> choices, std::string meaning) {
  using Named = std::pair<std::string, Enum>;
  std::string names;
  for (const Named& choice : choices) names += (names.empty() ? "" : "|") + choice.first;
  return {.name = std::move(name),
          .hint = names,
          .meaning = std::move(meaning),
          .set = [=](Config& config, std::string_view text) -> std::string {
            const auto found = std::ranges::find(choices, text, &Named::first);
            if (found == choices.end())
              return fmt::format("is {}; it must be one of {}", Quoted(text), names);
            config.*field = found->second;
            return "";
          },
          .show =
              [=](const Config& config) {
                return std::ranges::find(choices, config.*field, &Named::second)->first;
              }};
}

}  // namespace todo::app
