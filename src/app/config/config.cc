#include "app/config/config.h"

#include "app/config/checks.h"
#include "app/config/sources.h"

namespace todo::app {

LoadedConfig LoadConfig(const std::vector<std::string>& arguments,
                        const std::map<std::string, std::string>& environment) {
  LoadedConfig loaded;
  TakeEnvironment(environment, loaded);
  TakeFlags(arguments, loaded);
  FillDependentDefaults(loaded);
  CheckTogether(loaded);
  return loaded;
}

}  // namespace todo::app
