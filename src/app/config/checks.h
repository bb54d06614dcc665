#pragma once

#include "app/config/config.h"

namespace todo::app {

/// Whether an address of a port can be reached from this machine only.
bool IsLoopback(const std::string& address);

/// Sets the defaults that depend on other settings, where neither a flag nor the environment sets a
/// value.
void FillDependentDefaults(LoadedConfig& loaded);

/// Adds a fault for each combination of settings that cannot work together. Reads the issuers of
/// tokens, whose settings are many.
void CheckTogether(LoadedConfig& loaded);

}  // namespace todo::app
