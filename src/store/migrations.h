#pragma once

#include <chrono>
#include <string>

#include "absl/status/status.h"

namespace todo::db {
struct Schema;
}

namespace todo::store {

struct MigrationOptions {
  std::chrono::milliseconds lock_wait{60'000};           // for another replica that migrates
  std::chrono::milliseconds statement_timeout{600'000};  // of each statement
};

/// Brings the database to the schema of this binary. Missing migrations are applied in order, each
/// in a transaction of its own together with its row in `schema_migrations`. Then all function
/// files whose text differs from the applied one are applied in one transaction, together with
/// their rows in `schema_functions`.
///
/// Binaries of two releases may run side by side: a database one release ahead of this binary is
/// accepted, and the functions of the newer release stay. Of two texts of one release, as they
/// occur during development, the one of the program that started last stands.
///
/// Several replicas may call this at once: they take turns under a lock. Calling it again is
/// harmless. Blocks; makes a connection of its own. Thread safety: any thread, at any time.
///
/// kFailedPrecondition, needs a person, the message says what to do: the database is two releases
/// or more ahead, was made before release 1, has an applied migration whose text was changed since,
/// or has no ICU collations. kAborted: another replica held the lock for longer than `lock_wait`;
/// repeat. kUnavailable: no database; repeat. kInvalidArgument: `conninfo` is none. kInternal: a
/// migration or a function file failed; nothing of its transaction stays.
absl::Status Migrate(const std::string& conninfo, const MigrationOptions& options = {});

/// Migrate, to `schema` instead of the binary's own.
absl::Status Migrate(const std::string& conninfo, const db::Schema& schema,
                     const MigrationOptions& options = {});

}  // namespace todo::store
