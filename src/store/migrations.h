#pragma once

#include <chrono>
#include <string>

#include "absl/status/status.h"

namespace todo::store {

struct MigrationOptions {
  std::chrono::milliseconds lock_wait{60'000};           // for another replica that migrates
  std::chrono::milliseconds statement_timeout{600'000};  // of each migration
};

/// Brings the database to the schema of this binary: applies what is missing, in order, each
/// migration in a transaction of its own together with its row in `schema_migrations`. Several
/// replicas may do so at once: they take turns under a lock. Calling it again is harmless. Blocks;
/// makes a connection of its own.
///
/// kFailedPrecondition: the database was made by a newer binary, an applied migration's text was
/// changed since, or it has no ICU collations. kAborted: another replica held the lock for longer
/// than `lock_wait`; repeat. kUnavailable: no database. kInternal: a migration failed; nothing of
/// it stays. Thread safety: may be called from many threads at once.
absl::Status Migrate(const std::string& conninfo, const MigrationOptions& options = {});

}  // namespace todo::store
