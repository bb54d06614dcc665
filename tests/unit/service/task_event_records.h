#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/event/event.h"
#include "domain/event/event_reader.h"
#include "domain/event/received_event.h"

namespace todo::service {

/// How the streams of tests read a record.
inline absl::StatusOr<domain::Event> ParseTaskEvent(std::string_view record) {
  auto event = domain::ParseTaskEventRecord(record);
  if (!event.ok()) return event.status();
  return *std::move(event);
}

/// Another system's event number `number`, of task `number`, at that offset of `topic`.
inline domain::BusRecord TaskEventRecordOf(std::string topic, int number) {
  domain::BusRecord record;
  record.topic = std::move(topic);
  record.offset = number;
  record.bytes =
      fmt::format(R"({{"specversion":"1.0","id":"x","source":"other","type":"t","data":{{)"
                  R"("id":"00000000-0000-7000-8000-{:012}","event_type":"completed","task_id":{},)"
                  R"("user_id":"ada","timestamp":"2026-01-01T00:00:00Z"}}}})",
                  number, number);
  return record;
}

/// `count` of them, from number `first` on.
inline std::vector<domain::BusRecord> TaskEventRecords(const std::string& topic, int first,
                                                       int count) {
  std::vector<domain::BusRecord> records;
  for (int i = 0; i < count; ++i) records.push_back(TaskEventRecordOf(topic, first + i));
  return records;
}

}  // namespace todo::service
