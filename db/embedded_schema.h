#pragma once

#include <string_view>
#include <vector>

namespace todo::db {

/// A file of db/migrations: makes tables, indexes, types, data. Applied once, never changed.
struct Migration {
  int version;            // from the file's name
  int release;            // the first line: the release that brought it
  std::string_view name;  // of the file
  std::string_view sql;
};

/// A file of db/functions: functions and their triggers. Applied whenever its text changes.
struct FunctionFile {
  std::string_view name;  // of the file, without .sql
  int release;            // the first line: the release whose text this is
  std::string_view sql;
};

struct Schema {
  int release;                          // the highest one in its files
  std::vector<Migration> migrations;    // by version, ascending
  std::vector<FunctionFile> functions;  // by name
};

/// The schema that the binary carries: the files of db/ as they were at build time.
const Schema& EmbeddedSchema();

}  // namespace todo::db
