#pragma once

#include <set>

#include "absl/status/status.h"
#include "support/fake_database.h"

namespace todo::support {

/// A transaction of FakeEventInbox, shared by its claims and its writers.
struct FakeUnitOfWork {
  FakeDatabase::Tables& tables;
  absl::Status status = {};   // the first failure; after it nothing can be committed
  std::set<int> shards = {};  // whose outbox was written to
  bool delivers = false;      // there may be new deliveries
};

}  // namespace todo::support
