#include "page/settings.h"

#include <nlohmann/json.hpp>

namespace todo::page {

std::string SettingsJson(const Settings& settings) {
  using nlohmann::json;
  json parameters = json::object();
  for (const auto& [name, value] : settings.parameters) parameters[name] = value;
  const json document = {{"identity", settings.identity},
                         {"issuer", settings.issuer},
                         {"clientId", settings.client_id},
                         {"scopes", settings.scopes},
                         {"parameters", parameters},
                         {"operatorClaim", settings.operator_claim},
                         {"operatorValues", settings.operator_values},
                         {"vapidKey", settings.vapid_key},
                         {"version", settings.version}};
  // Text of the command line that is not UTF-8 must not end the server's thread.
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace todo::page
