#pragma once

#include <string>
#include <string_view>

namespace todo::app {

/// A database's connection string (URI or key=value) as it may be shown: only parts that are known
/// to be harmless are left.
std::string MaskedDatabaseUrl(std::string_view url);

/// A URL of another kind without its password, if it has one.
std::string MaskedUrl(std::string_view url);

}  // namespace todo::app
