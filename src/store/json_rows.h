#pragma once

#include <nlohmann/json.hpp>
#include <string>

// Inside the room only.

namespace todo::store {

/// `rows` as the text of a jsonb parameter. Bytes that are not UTF-8 are replaced.
inline std::string JsonText(const nlohmann::json& rows) {
  return rows.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace todo::store
