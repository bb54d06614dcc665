#include "support/fake_outbox_log.h"

#include <algorithm>

#include "util/status.h"

namespace todo::support {

using ports::OutboxBatch;
using ports::OutboxShard;

namespace {

bool HoldsCursorOf(const FakeDatabase::ShardRow& row, const OutboxShard& shard) {
  return row.cursor == shard.stored || row.cursor == shard.cursor;
}

}  // namespace

absl::StatusOr<ports::OutboxShards> FakeOutboxLog::Renew(const std::string& owner,
                                                         std::chrono::milliseconds lease) {
  owner_ = owner;
  ports::OutboxShards shards;
  const auto now = database_.Now();
  TODO_RETURN_IF_ERROR(database_.Write([&](FakeDatabase::Tables& tables) {
    tables.replicas[owner] = now + lease;
    const auto live = std::count_if(tables.replicas.begin(), tables.replicas.end(),
                                    [now](const auto& replica) { return replica.second >= now; });
    shards.fair_share = static_cast<int>((FakeDatabase::kShards + live - 1) / live);
    int held = 0;
    for (auto& [number, shard] : tables.shards) {
      if (shard.owner != owner) continue;
      shard.lease_until = now + lease;
      ++held;
    }
    for (auto& [number, shard] : tables.shards) {
      if (held >= shards.fair_share) break;
      if (shard.owner == owner || shard.lease_until >= now) continue;
      shard.owner = owner;
      ++shard.epoch;
      shard.lease_until = now + lease;
      ++held;
    }
    for (const auto& [number, shard] : tables.shards) {
      if (shard.owner == owner)
        shards.owned.push_back({number, shard.epoch, shard.cursor, shard.cursor});
    }
    return absl::OkStatus();
  }));
  return shards;
}

absl::StatusOr<std::vector<OutboxBatch>> FakeOutboxLog::Read(const std::vector<OutboxShard>& shards,
                                                             int limit) {
  TODO_RETURN_IF_ERROR(database_.failure());
  std::vector<OutboxBatch> batches;
  auto tables = database_.Read();
  for (const OutboxShard& shard : shards) {
    OutboxBatch& batch = batches.emplace_back();
    batch.shard = shard.number;
    batch.next = shard.cursor;
    batch.next.snapshot = std::to_string(tables->next_change_id);
    std::int64_t bytes = 0;
    for (const FakeDatabase::ChangeRow& row : tables->changes) {
      if (batch.changes.size() == static_cast<std::size_t>(limit) || bytes >= max_batch_bytes_)
        break;
      if (row.id <= shard.cursor.position || FakeDatabase::ShardOf(row.change.user) != shard.number)
        continue;
      bytes += static_cast<std::int64_t>(row.change.task_json.size());
      batch.changes.push_back(row.change);
      batch.next.position = row.id;
    }
    for (const FakeDatabase::MessageRow& row : tables->messages) {
      if (batch.messages.size() == static_cast<std::size_t>(limit)) break;
      if (row.id <= shard.cursor.message_position ||
          FakeDatabase::ShardOf(domain::UserId{row.message.key}) != shard.number)
        continue;
      batch.messages.push_back(row.message);
      batch.next.message_position = row.id;
    }
  }
  return batches;
}

absl::StatusOr<std::vector<int>> FakeOutboxLog::Advance(const std::vector<OutboxShard>& shards) {
  std::vector<int> lost;
  TODO_RETURN_IF_ERROR(database_.Write([&](FakeDatabase::Tables& tables) {
    for (const OutboxShard& shard : shards) {
      FakeDatabase::ShardRow& row = tables.shards.at(shard.number);
      if (row.epoch == shard.epoch && HoldsCursorOf(row, shard)) {
        row.cursor = shard.cursor;
      } else {
        lost.push_back(shard.number);
      }
    }
    return absl::OkStatus();
  }));
  return lost;
}

absl::Status FakeOutboxLog::Release(const std::vector<OutboxShard>& shards) {
  return database_.Write([&](FakeDatabase::Tables& tables) {
    for (const OutboxShard& shard : shards) {
      FakeDatabase::ShardRow& row = tables.shards.at(shard.number);
      if (row.epoch != shard.epoch) continue;
      if (HoldsCursorOf(row, shard)) row.cursor = shard.cursor;
      row.owner.clear();
      row.lease_until = std::chrono::steady_clock::time_point::min();
    }
    const bool holds_one =
        std::any_of(tables.shards.begin(), tables.shards.end(),
                    [&](const auto& entry) { return entry.second.owner == owner_; });
    if (!holds_one) tables.replicas.erase(owner_);
    return absl::OkStatus();
  });
}

}  // namespace todo::support
