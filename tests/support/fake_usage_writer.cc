#include "support/fake_usage_writer.h"

#include <algorithm>
#include <utility>

#include "domain/event/event_reader.h"

namespace todo::support {

FakeDatabase::UsageRow UsageOf(const domain::Change& change) {
  const domain::Task task = domain::ParseTaskJson(change.task_json).value();
  FakeDatabase::UsageRow row;
  row.own = true;
  row.event = {.user = change.user,
               .event_id = change.event_id,
               .is_ours = true,
               .seq = change.seq,
               .task_id = change.task_id,
               .kind = change.kind,
               .at = change.at,
               .created_at = std::min(task.created_at, change.at),
               .priority = task.fields.priority,
               .tags = task.fields.tags};
  row.born = change.kind == domain::ChangeKind::kCreated && change.version == 1;
  if (task.series) row.series_id = task.series->series_id;
  return row;
}

absl::Status FakeUsageWriter::Count(const std::vector<ports::UsageEvent>& events,
                                    domain::Instant oldest) {
  if (!unit_.status.ok()) return unit_.status;
  FakeDatabase::UsageTables& usage = unit_.tables.usage;
  for (const ports::UsageEvent& event : events) {
    const auto change =
        std::ranges::find_if(unit_.tables.changes, [&](const FakeDatabase::ChangeRow& row) {
          return row.change.user == event.user && row.change.seq == event.seq &&
                 row.change.event_id == event.event_id;
        });
    const bool own = change != unit_.tables.changes.end();
    const bool held = std::ranges::any_of(
        unit_.tables.tasks, [&](const auto& entry) { return entry.first.second == event.task_id; });
    if (own ? usage.counted.contains({event.user, event.seq}) : event.is_ours || held) continue;
    if (event.at < oldest) {
      ++usage.uncounted[{event.user, own}];
      if (own) usage.passed_over.insert({event.user, event.seq});
    } else if (own) {
      usage.counted.insert({event.user, event.seq});
      usage.rows.push_back(UsageOf(change->change));
    } else {
      FakeDatabase::UsageRow row{.event = event,
                                 .born = event.kind == domain::ChangeKind::kCreated};
      if (event.created_at) row.event.created_at = std::min(*event.created_at, event.at);
      usage.rows.push_back(std::move(row));
    }
  }
  return absl::OkStatus();
}

}  // namespace todo::support
