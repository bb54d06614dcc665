#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "domain/ids.h"
#include "domain/task/task.h"
#include "ports/recurrence_writer.h"
#include "store/change_rows.h"
#include "store/session.h"

// Inside the room only.

namespace todo::store {

/// Changes of a consumer, in the transaction that a session is in: one round trip reads the users
/// and tasks, one writes everything. One call; used once. Throws as libpqxx does.
class ConsumerChanges {
 public:
  explicit ConsumerChanges(Session& session) : session_(session) {}

  /// As RecurrenceWriter::Write.
  absl::Status Write(const std::vector<ports::ConsumerChange>& changes);

  /// The shards that it wrote to.
  const std::set<int>& shards() const { return shards_; }

 private:
  void Read(const std::vector<ports::ConsumerChange>& changes);
  absl::Status Add(const ports::ConsumerChange& change);
  void Send();

  Session& session_;
  UserRows users_;
  std::map<std::pair<std::string, std::int64_t>, domain::Task> tasks_;
  std::vector<std::int64_t> free_ids_;
  std::unique_ptr<ChangeRows> rows_ = std::make_unique<ChangeRows>();
  std::set<std::pair<std::string, domain::Uuid>> series_;  // by user; of the changes in rows_
  std::set<int> shards_;
};

}  // namespace todo::store
