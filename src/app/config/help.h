#pragma once

#include <string>
#include <string_view>

#include "app/config/config.h"

namespace todo::app {

std::string_view Version();

/// The text of --help.
std::string HelpText();

/// The text of --print-config: a line for each setting with its value and source; secrets are
/// masked.
std::string PrintedConfig(const LoadedConfig& loaded);

}  // namespace todo::app
