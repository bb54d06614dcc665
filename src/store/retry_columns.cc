#include "store/retry_columns.h"

#include "util/utf8.h"

namespace todo::store {

using nlohmann::json;

std::string Storable(std::string_view text) {
  std::string clean;
  for (const char c : text) clean += c == '\0' ? std::string("\\0") : std::string(1, c);
  if (util::CountCharacters(clean)) return clean;
  return json::parse(json(clean).dump(-1, ' ', false, json::error_handler_t::replace))
      .get<std::string>();
}

nlohmann::json RetryRow(std::string_view consumer, const domain::EventId& event_id,
                        domain::Instant event_at, const domain::UserId& user,
                        domain::TaskId task_id, const domain::BusRecord& record) {
  return {{"consumer", consumer},
          {"event_id", event_id.value()},
          {"day", InboxDay(event_at)},
          {"user_id", user.value},
          {"task_id", task_id.value},
          {"attempts", 0},
          {"due_at", "infinity"},
          {"reason", ""},
          {"topic", record.topic},
          {"partition", record.partition},
          {"offset", record.offset},
          {"record_key", Storable(record.key)},
          {"content_type", Storable(record.content_type)}};
}

domain::BusRecord RecordOf(const pqxx::row& row, pqxx::row::size_type first) {
  domain::BusRecord record;
  record.topic = row[first].as<std::string>();
  record.partition = row[first + 1].as<int>();
  record.offset = row[first + 2].as<std::int64_t>();
  record.key = row[first + 3].as<std::string>();
  record.content_type = row[first + 4].as<std::string>();
  return record;
}

}  // namespace todo::store
