#pragma once

#include <string_view>
#include <vector>

namespace todo::db {

struct Migration {
  int version;
  std::string_view name;  // file name, recorded in the database
  std::string_view sql;
};

/// All migrations in ascending order of version.
const std::vector<Migration>& EmbeddedMigrations();

}  // namespace todo::db
