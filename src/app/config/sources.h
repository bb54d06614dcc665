#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/config/config.h"

namespace todo::app {

// Where values come from. Both write each value to `loaded.config`, its source to `loaded.sources`
// and each mistake to `loaded.faults`; a name that resembles a setting gets a suggestion.

/// A variable that is set but empty counts as not set. DAPR_GRPC_ENDPOINT and DAPR_GRPC_PORT count
/// for the sidecar's address where TODO_DAPR_GRPC_ENDPOINT is not set.
void TakeEnvironment(const std::map<std::string, std::string>& environment, LoadedConfig& loaded);

/// Takes --name=value, --name value, and --name of a Boolean. The last flag of a name counts.
void TakeFlags(const std::vector<std::string>& arguments, LoadedConfig& loaded);

}  // namespace todo::app
