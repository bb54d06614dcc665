#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/config/config.h"
#include "page/door.h"

namespace todo::app {

/// What is wrong with the settings of the page's sign-in, one sentence each. The issuers of tokens
/// must be known already (TakeIssuers).
std::vector<std::string> SignInFaults(const Config& config);

/// The page as the settings ask for it. `vapid_key` is called for each request of the page's
/// settings; it must not block. Precondition: the settings have no faults.
page::DoorOptions PageOptions(const Config& config, std::function<std::string()> vapid_key);

}  // namespace todo::app
