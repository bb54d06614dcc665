#include "store/pg_usage_writer.h"

#include "domain/time.h"
#include "store/json_rows.h"
#include "store/session.h"

namespace todo::store {
namespace {

constexpr Statement kCount{"inbox_count_usage", "select count_usage($1::jsonb, $2::timestamptz)"};

nlohmann::json RowOf(const ports::UsageEvent& event) {
  nlohmann::json row = {{"user_id", event.user.value},
                        {"event_id", event.event_id.value()},
                        {"is_ours", event.is_ours},
                        {"seq", event.seq},
                        {"task_id", event.task_id.value},
                        {"kind", ToString(event.kind)},
                        {"at", domain::FormatInstant(event.at)},
                        {"tags", event.tags}};
  if (event.created_at) row["created_at"] = domain::FormatInstant(*event.created_at);
  if (event.priority) row["priority"] = static_cast<int>(*event.priority);
  return row;
}

}  // namespace

absl::Status PgUsageWriter::Count(const std::vector<ports::UsageEvent>& events,
                                  domain::Instant oldest) {
  nlohmann::json rows = nlohmann::json::array();
  for (const ports::UsageEvent& event : events) rows.push_back(RowOf(event));
  return unit_.Do("count usage", [&] {
    Exec(unit_.work(), kCount, JsonText(rows), domain::FormatInstant(oldest));
  });
}

}  // namespace todo::store
