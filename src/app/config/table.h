#pragma once

#include <string_view>
#include <vector>

#include "app/config/setting.h"

namespace todo::app {

/// All settings, in the order of --help.
const std::vector<Setting>& Settings();

/// The setting with the flag --`name`. nullptr: there is none.
const Setting* FindByFlag(std::string_view name);

}  // namespace todo::app
