#include "support/fake_usage_store.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "domain/task/task.h"
#include "support/fake_usage_writer.h"

namespace todo::support {
namespace {

using domain::ChangeKind;
using domain::Instant;
using ports::Usage;
using ports::UsageBreakdown;
using ports::UsageCounts;
using ports::UsageQuery;
using ports::UsageTimes;
using Row = FakeDatabase::UsageRow;
using Tables = FakeDatabase::Tables;

Instant QuarterOf(Instant at) {
  return Instant(std::chrono::floor<std::chrono::duration<std::int64_t, std::ratio<900>>>(
      at.time_since_epoch()));
}

/// Adds what `row` counts from `from` up to `to`.
void Count(const Row& row, Instant from, Instant to, UsageCounts& counts) {
  const auto within = [&](Instant at) { return QuarterOf(at) >= from && QuarterOf(at) < to; };
  const ChangeKind kind = row.event.kind;
  if (within(row.event.at)) {
    counts.created += kind == ChangeKind::kCreated;
    counts.updated += kind == ChangeKind::kUpdated;
    counts.completed += kind == ChangeKind::kCompleted;
    counts.uncompleted += kind == ChangeKind::kUncompleted;
    counts.deleted += kind == ChangeKind::kDeleted;
    counts.born += row.born;
  }
  if (row.event.created_at && within(*row.event.created_at)) {
    counts.done += kind == ChangeKind::kCompleted;
    counts.done -= kind == ChangeKind::kUncompleted;
  }
}

UsageTimes TimesOf(std::vector<double> seconds) {
  if (seconds.empty()) return {};
  std::ranges::sort(seconds);
  const auto at = [&](double share) {
    const auto rank = std::ceil(share * static_cast<double>(seconds.size()));
    return seconds[static_cast<std::size_t>(rank) - 1];
  };
  return {static_cast<std::int64_t>(seconds.size()), at(0.5), at(0.9)};
}

ports::UsageTotals TotalsOf(const std::vector<Row>& rows, Instant from, Instant to) {
  ports::UsageTotals totals;
  std::vector<double> seconds;
  for (const Row& row : rows) {
    Count(row, from, to, totals.counts);
    if (row.event.kind != ChangeKind::kCompleted || !row.event.created_at) continue;
    if (QuarterOf(row.event.at) < from || QuarterOf(row.event.at) >= to) continue;
    seconds.push_back(
        std::max(0.0, std::chrono::duration<double>(row.event.at - *row.event.created_at).count()));
  }
  totals.times = TimesOf(std::move(seconds));
  return totals;
}

std::set<std::string> KeysOf(const Row& row, UsageBreakdown breakdown) {
  switch (breakdown) {
    case UsageBreakdown::kNone: break;
    case UsageBreakdown::kPriority:
      if (row.event.priority) return {std::string(domain::ToString(*row.event.priority))};
      break;
    case UsageBreakdown::kTag: return {row.event.tags.begin(), row.event.tags.end()};
    case UsageBreakdown::kSeries:
      if (row.series_id) return {row.series_id->value()};
      break;
  }
  return {};
}

std::string TitleOfSeries(const Tables& tables, const UsageQuery& query, const std::string& id) {
  std::int64_t newest = 0;
  std::string title;
  for (const auto& [key, row] : tables.tasks) {
    if (key.first != query.user || !row.task.series) continue;
    if (row.task.series->series_id.value() != id || row.task.series->occurrence < newest) continue;
    newest = row.task.series->occurrence;
    title = row.task.fields.title;
  }
  return title;
}

std::vector<ports::UsagePart> PartsOf(const Tables& tables, const std::vector<Row>& rows,
                                      const UsageQuery& query) {
  std::map<std::string, std::vector<Row>> by_key;
  for (const Row& row : rows) {
    for (const std::string& key : KeysOf(row, query.breakdown)) by_key[key].push_back(row);
  }
  std::vector<ports::UsagePart> parts;
  for (const auto& [key, of_key] : by_key) {
    ports::UsagePart part{.key = key, .title = {}, .totals = {}};
    part.totals = TotalsOf(of_key, query.borders.front(), query.borders.back());
    if (part.totals == ports::UsageTotals{}) continue;
    if (query.breakdown == UsageBreakdown::kSeries) part.title = TitleOfSeries(tables, query, key);
    parts.push_back(std::move(part));
  }
  std::ranges::stable_sort(parts, [](const ports::UsagePart& a, const ports::UsagePart& b) {
    const auto rank = [](const ports::UsagePart& part) {
      return std::pair(-part.totals.counts.completed, -part.totals.counts.created);
    };
    return rank(a) < rank(b);
  });
  if (parts.size() > static_cast<std::size_t>(query.max_parts))
    parts.resize(static_cast<std::size_t>(query.max_parts));
  return parts;
}

void CountTasks(const Tables& tables, const UsageQuery& query, Usage& usage) {
  for (const auto& [key, row] : tables.tasks) {
    const domain::Task& task = row.task;
    if ((query.user && task.user != *query.user) || task.completed || task.deleted) continue;
    ++usage.open;
    const domain::Due& due = task.fields.due;
    if (due.kind == domain::DueKind::kNone) continue;
    usage.overdue += due.kind == domain::DueKind::kDate ? absl::CivilDay(due.local) < query.today
                                                        : due.at < query.now;
  }
}

}  // namespace

absl::StatusOr<Usage> FakeUsageStore::Read(const UsageQuery& query) {
  if (const absl::Status failure = database_.failure(); !failure.ok()) return failure;
  auto handle = database_.Read();
  const Tables& tables = *handle;
  std::vector<Row> rows;
  for (const Row& row : tables.usage.rows) {
    if (!query.user || row.event.user == *query.user) rows.push_back(row);
  }
  Usage usage;
  for (std::size_t i = 0; i + 1 < query.borders.size(); ++i) {
    usage.buckets.emplace_back();
    for (const Row& row : rows)
      Count(row, query.borders[i], query.borders[i + 1], usage.buckets.back());
  }
  usage.totals = TotalsOf(rows, query.borders.front(), query.borders.back());
  if (query.previous_start)
    usage.previous = TotalsOf(rows, *query.previous_start, query.borders.front());
  usage.parts = PartsOf(tables, rows, query);
  CountTasks(tables, query, usage);
  for (const auto& [key, count] : tables.usage.uncounted) {
    if (!query.user || key.first == *query.user) usage.uncounted_events += count;
  }
  if (query.user) {
    std::set<Instant> quarters;
    for (const Row& row : rows) {
      if (row.event.kind == ChangeKind::kCompleted) quarters.insert(QuarterOf(row.event.at));
    }
    usage.completed_quarters.assign(quarters.begin(), quarters.end());
    const auto is_decided = [&](std::int64_t seq) {
      return tables.usage.counted.contains({*query.user, seq}) ||
             tables.usage.passed_over.contains({*query.user, seq});
    };
    while (is_decided(usage.as_of_seq + 1)) ++usage.as_of_seq;
  }
  for (const Instant since : query.active_since) {
    std::set<domain::UserId> active;
    for (const Row& row : rows) {
      if (QuarterOf(row.event.at) >= since && QuarterOf(row.event.at) < query.borders.back())
        active.insert(row.event.user);
    }
    usage.active_users.push_back(static_cast<std::int64_t>(active.size()));
  }
  return usage;
}

absl::StatusOr<ports::UsageRebuild> FakeUsageStore::StartRebuild(Instant now) {
  const absl::Status status = database_.Write([&](Tables& tables) {
    ports::UsageRebuild& rebuild = tables.usage.rebuild;
    if (rebuild.running) return absl::OkStatus();
    rebuild.running = true;
    rebuild.started_at = now;
    rebuild.counted_changes = 0;
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return ReadRebuild();
}

absl::StatusOr<ports::UsageRebuild> FakeUsageStore::ReadRebuild() {
  if (const absl::Status failure = database_.failure(); !failure.ok()) return failure;
  return database_.Read()->usage.rebuild;
}

absl::StatusOr<bool> FakeUsageStore::ContinueRebuild(Instant now) {
  bool worked = false;
  const absl::Status status = database_.Write([&](Tables& tables) {
    FakeDatabase::UsageTables& usage = tables.usage;
    worked = usage.rebuild.running;
    if (!worked) return absl::OkStatus();
    std::erase_if(usage.rows, [](const Row& row) { return row.own; });
    std::erase_if(usage.uncounted, [](const auto& entry) { return entry.first.second; });
    const auto counted_before = static_cast<std::int64_t>(usage.counted.size());
    for (const FakeDatabase::ChangeRow& row : tables.changes) {
      usage.rows.push_back(UsageOf(row.change));
      usage.counted.insert({row.change.user, row.change.seq});
    }
    usage.passed_over.clear();
    usage.rebuild.running = false;
    usage.rebuild.finished_at = now;
    usage.rebuild.counted_changes = static_cast<std::int64_t>(tables.changes.size());
    usage.rebuild.added_events = usage.rebuild.counted_changes - counted_before;
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return worked;
}

}  // namespace todo::support
