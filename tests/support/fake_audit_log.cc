#include "support/fake_audit_log.h"

#include <algorithm>

#include "util/status.h"

namespace todo::support {
namespace {

using ports::MissingEvent;
using Audit = FakeDatabase::Audit;
using Tables = FakeDatabase::Tables;

constexpr int kNextChanges = 20;

MissingEvent EventOf(std::int64_t id, const FakeDatabase::Missing& missing) {
  return {.change_id = id, .change = missing.change, .repeats = missing.repeats};
}

/// The first `limit` missing events of the consumer that `wanted` takes.
template <typename Wanted>
std::vector<MissingEvent> Select(const Tables& tables, std::string_view consumer, int limit,
                                 Wanted&& wanted) {
  std::vector<MissingEvent> events;
  for (const auto& [id, missing] : tables.audits.find(consumer)->second.missing) {
    if (events.size() == static_cast<std::size_t>(limit)) break;
    if (!missing.lost && wanted(missing) &&
        !FakeDatabase::IsTaken(tables, consumer, missing.change)) {
      events.push_back(EventOf(id, missing));
    }
  }
  return events;
}

}  // namespace

absl::Status FakeAuditLog::Enroll(const std::vector<std::string>& consumers) {
  return database_.Write([&](Tables& tables) {
    for (const std::string& consumer : consumers) {
      const auto [audit, is_new] = tables.audits.try_emplace(consumer);
      if (!is_new) continue;
      for (int shard = 0; shard < FakeDatabase::kShards; ++shard)
        audit->second.positions[shard] = tables.next_change_id - 1;
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<bool> FakeAuditLog::TakeTurn(const std::string& owner,
                                            std::chrono::milliseconds lease) {
  bool ours = false;
  TODO_RETURN_IF_ERROR(database_.Write([&](Tables& tables) {
    ours = tables.audit_owner == owner || tables.audit_until < database_.Now();
    if (ours) {
      tables.audit_owner = owner;
      tables.audit_until = database_.Now() + lease;
    }
    return absl::OkStatus();
  }));
  return ours;
}

absl::StatusOr<bool> FakeAuditLog::OutboxFlows(domain::Instant before) {
  TODO_RETURN_IF_ERROR(database_.failure());
  auto tables = database_.Read();
  const auto cursor = [&](const std::string& user) -> const ports::OutboxCursor& {
    return tables->shards.at(FakeDatabase::ShardOf(domain::UserId{user})).cursor;
  };
  return std::ranges::none_of(tables->changes,
                              [&](const auto& row) {
                                return row.id > cursor(row.change.user.value).position &&
                                       row.change.at < before;
                              }) &&
         std::ranges::none_of(tables->messages, [&](const auto& row) {
           return row.id > cursor(row.message.key).message_position && row.message.at < before;
         });
}

absl::StatusOr<ports::AuditFindings> FakeAuditLog::Look(std::string_view consumer,
                                                        const ports::AuditScope& scope) {
  ports::AuditFindings findings;
  TODO_RETURN_IF_ERROR(database_.Write([&](Tables& tables) {
    Audit& audit = tables.audits.find(consumer)->second;
    std::erase_if(audit.missing, [&](const auto& entry) {
      const FakeDatabase::Missing& missing = entry.second;
      const bool taken = FakeDatabase::IsTaken(tables, consumer, missing.change);
      if (taken && missing.repeats == 0) audit.late_take = scope.now;
      return taken || missing.change.at < scope.oldest;
    });
    findings.missing = static_cast<int>(
        std::ranges::count_if(audit.missing, [](const auto& entry) { return !entry.second.lost; }));
    for (auto& [shard, position] : audit.positions) {
      if (findings.missing >= max_missing_) break;
      int looked_at = 0;
      for (const FakeDatabase::ChangeRow& row : tables.changes) {
        const domain::Change& change = row.change;
        if (row.id <= position || FakeDatabase::ShardOf(change.user) != shard) continue;
        if (row.id > tables.shards.at(shard).cursor.position || change.at > scope.overdue_before)
          break;
        if (looked_at++ == max_changes_) {
          findings.more = true;
          break;
        }
        position = row.id;
        if (change.at < scope.oldest || FakeDatabase::IsTaken(tables, consumer, change)) continue;
        audit.missing[row.id] = {.change = change, .due_at = scope.due_at};
        ++findings.missing;
      }
    }
    findings.late_take = audit.late_take;
    return absl::OkStatus();
  }));
  return findings;
}

absl::StatusOr<std::vector<MissingEvent>> FakeAuditLog::Due(std::string_view consumer,
                                                            domain::Instant now, int limit) {
  TODO_RETURN_IF_ERROR(database_.failure());
  return Select(*database_.Read(), consumer, limit,
                [&](const auto& missing) { return missing.due_at <= now; });
}

absl::StatusOr<std::vector<MissingEvent>> FakeAuditLog::PassedOver(std::string_view consumer,
                                                                   int limit) {
  TODO_RETURN_IF_ERROR(database_.failure());
  auto tables = database_.Read();
  return Select(*tables, consumer, limit, [&](const FakeDatabase::Missing& missing) {
    return missing.repeats == 0 && std::ranges::any_of(tables->changes, [&](const auto& row) {
             const domain::Change& later = row.change;
             return later.user == missing.change.user && later.seq > missing.change.seq &&
                    later.seq <= missing.change.seq + kNextChanges &&
                    FakeDatabase::IsTaken(*tables, consumer, later);
           });
  });
}

absl::Status FakeAuditLog::Repeat(std::string_view consumer, const std::string& topic,
                                  const std::vector<ports::Repetition>& repetitions) {
  return database_.Write([&](Tables& tables) {
    for (const ports::Repetition& repetition : repetitions) {
      auto& own = tables.audits.find(consumer)->second.missing;
      const auto found = own.find(repetition.change_id);
      if (found == own.end() || found->second.lost || found->second.repeats != repetition.repeats)
        continue;
      const domain::Change& change = found->second.change;
      FakeDatabase::Post(tables, {.topic = topic,
                                  .key = change.user.value,
                                  .id = change.event_id.uuid,
                                  .payload = repetition.record,
                                  .at = change.at});
      for (auto& [name, audit] : tables.audits) {
        const auto missing = audit.missing.find(repetition.change_id);
        if (missing == audit.missing.end() || missing->second.lost) continue;
        ++missing->second.repeats;
        missing->second.due_at = std::max(missing->second.due_at, repetition.due_at);
      }
    }
    return absl::OkStatus();
  });
}

absl::Status FakeAuditLog::GiveUp(std::string_view consumer,
                                  const std::vector<std::int64_t>& change_ids,
                                  domain::Instant /*now*/) {
  return database_.Write([&](Tables& tables) {
    auto& missing = tables.audits.find(consumer)->second.missing;
    for (const std::int64_t id : change_ids) {
      if (const auto found = missing.find(id); found != missing.end()) found->second.lost = true;
    }
    return absl::OkStatus();
  });
}

}  // namespace todo::support
