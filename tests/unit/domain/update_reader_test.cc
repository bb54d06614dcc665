#include "domain/event/update_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "domain/event/event_reader.h"
#include "domain/event/event_writer.h"
#include "domain/notification/messages.h"

namespace todo::domain {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using testing::HasSubstr;
using testing::Not;

constexpr char kTrace[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

Task SomeTask() {
  Task task;
  task.id = {7};
  task.user = {"ada \"the\" first"};
  task.fields.title = R"(a "task": {"data": [1, "} \\)";
  task.fields.description = "two\nlines \u00e9\u2028";
  task.fields.tags = {"a", "\"task\":null"};
  task.version = 3;
  task.seq = 11;
  task.created_at = *ParseInstant("2026-10-01T00:00:00Z");
  task.updated_at = *ParseInstant("2026-10-24T10:00:00Z");
  return task;
}

Change SomeChange(ChangeKind kind = ChangeKind::kUpdated) {
  const Task task = SomeTask();
  return {.user = task.user,
          .seq = task.seq,
          .event_id = EventId{*Uuid::Parse("01890a5d-ac96-774b-bcce-b302099a8057")},
          .kind = kind,
          .task_id = task.id,
          .version = task.version,
          .task_json = FormatTaskJson(task),
          .at = task.updated_at,
          .traceparent = kTrace,
          .request_id = RequestId{*Uuid::Parse("660e8400-e29b-41d4-a716-446655440000")}};
}

/// Of SomeChange, as JSON to be changed.
ordered_json Record() { return ordered_json::parse(TaskUpdateRecord(SomeChange())); }

TaskUpdate ReadUpdate(const std::string& record) {
  const absl::StatusOr<TaskUpdate> update = ParseTaskUpdateRecord(record);
  EXPECT_TRUE(update.ok()) << update.status() << record;
  return update.ok() ? *update : TaskUpdate();
}
Change ReadChange(const std::string& record) {
  const TaskUpdate update = ReadUpdate(record);
  EXPECT_TRUE(std::holds_alternative<Change>(update)) << record;
  return std::holds_alternative<Change>(update) ? std::get<Change>(update) : Change();
}

std::string Refusal(const std::string& record) {
  const absl::StatusOr<TaskUpdate> update = ParseTaskUpdateRecord(record);
  EXPECT_EQ(update.status().code(), absl::StatusCode::kInvalidArgument) << record.substr(0, 500);
  return std::string(update.status().message());
}

TEST(ParseTaskUpdateRecord, ReadsAChangeAsItWasWritten) {
  const Change written = SomeChange();
  const Change read = ReadChange(TaskUpdateRecord(written));
  EXPECT_EQ(read.user, written.user);
  EXPECT_EQ(read.seq, written.seq);
  EXPECT_EQ(read.event_id, written.event_id);
  EXPECT_EQ(read.kind, written.kind);
  EXPECT_EQ(read.task_id, written.task_id);
  EXPECT_EQ(read.version, written.version);
  EXPECT_EQ(read.task_json, written.task_json) << "byte for byte";
  EXPECT_EQ(read.at, written.at);
  EXPECT_EQ(read.traceparent, written.traceparent);
  EXPECT_EQ(read.request_id, written.request_id);
  EXPECT_EQ(ParseTaskJson(read.task_json).value(), SomeTask());
}

TEST(ParseTaskUpdateRecord, ADeletedTaskHasNoText) {
  const Change read = ReadChange(TaskUpdateRecord(SomeChange(ChangeKind::kDeleted)));
  EXPECT_EQ(read.kind, ChangeKind::kDeleted);
  EXPECT_EQ(read.task_id.value, 7);
  EXPECT_EQ(read.seq, 11);
  EXPECT_EQ(read.task_json, "");
}

TEST(ParseTaskUpdateRecord, OnlyTheChangeOfACallHasARequestId) {
  Change consumers = SomeChange();
  consumers.request_id.reset();
  EXPECT_EQ(ReadChange(TaskUpdateRecord(consumers)).request_id, std::nullopt);
  ordered_json record = Record();
  record["data"]["request_id"] = nullptr;
  EXPECT_EQ(ReadChange(record.dump()).request_id, std::nullopt);
}

TEST(ParseTaskUpdateRecord, ReadsANotification) {
  EventHeader event;
  event.id = EventId{*Uuid::Parse("660e8400-e29b-41d4-a716-446655440000")};
  event.task_id = {7};
  event.user = {"ada"};
  const Instant now = *ParseInstant("2026-10-24T10:00:00Z");
  const auto update =
      std::get<NotificationUpdate>(ReadUpdate(NotificationUpdateRecord(event, now)));
  EXPECT_EQ(update.user, event.user);
  EXPECT_EQ(update.notification_id, event.id.uuid);
  EXPECT_EQ(update.task_id, TaskId{7});
  EXPECT_EQ(update.at, now);
  json record = json::parse(NotificationUpdateRecord(event, now));
  record["data"].erase("task_id");
  EXPECT_EQ(std::get<NotificationUpdate>(ReadUpdate(record.dump())).task_id, std::nullopt);
  record["data"].erase("notification_id");
  EXPECT_THAT(Refusal(record.dump()), HasSubstr("notification_id"));
}

TEST(ParseTaskUpdateRecord, AnUpdateThatSaysTooLittleStillNamesItsUser) {
  ordered_json without_id = Record();
  without_id["data"].erase("event_id");
  EXPECT_EQ(std::get<OtherUpdate>(ReadUpdate(without_id.dump())).user, SomeTask().user);
  ordered_json unknown = Record();
  unknown["data"]["change"] = "shared";
  EXPECT_EQ(std::get<OtherUpdate>(ReadUpdate(unknown.dump())).user, SomeTask().user);
  unknown["data"].erase("user_id");
  EXPECT_THAT(Refusal(unknown.dump()), HasSubstr("user_id"));
}

TEST(ParseTaskUpdateRecord, WhateverTheFormOfTheJsonTheTaskIsOnOneLine) {
  const json task = json::parse(SomeChange().task_json);
  std::string escaped_key = Record().dump();
  escaped_key.replace(escaped_key.find("\"task\":"), 7, "\"t\\u0061sk\":");
  std::string twice = Record().dump();
  twice.replace(twice.find("\"task\":"), 7, "\"task\":null,\"task\":");
  for (const std::string& record :
       {Record().dump(2), Record().dump(1, '\t'), escaped_key, twice,
        "\xef\xbb\xbf" + Record().dump(), " \n" + Record().dump() + " \n", json(Record()).dump()}) {
    const Change change = ReadChange(record);
    EXPECT_EQ(json::parse(change.task_json), task) << record;
    EXPECT_THAT(change.task_json, Not(HasSubstr("\n"))) << record;
  }
}

TEST(ParseTaskUpdateRecord, NamesTheWrongValue) {
  const auto refusal = [](const char* key, const json& value) {
    ordered_json record = Record();
    record["data"][key] = value;
    return Refusal(record.dump());
  };
  EXPECT_THAT(refusal("change", 7), HasSubstr("change must be a string"));
  EXPECT_THAT(refusal("event_id", "4711"), HasSubstr("event_id must be a UUID"));
  EXPECT_THAT(refusal("request_id", "4711"), HasSubstr("request_id must be a UUID"));
  EXPECT_THAT(refusal("user_id", ""), HasSubstr("user_id"));
  EXPECT_THAT(refusal("seq", 0), HasSubstr("seq must be 1"));
  EXPECT_THAT(refusal("seq", "11"), HasSubstr("seq must be an integer"));
  EXPECT_THAT(refusal("seq", 9007199254740993), HasSubstr("2^53"));
  EXPECT_THAT(refusal("timestamp", "yesterday"), HasSubstr("timestamp"));
  EXPECT_THAT(refusal("task", nullptr), HasSubstr("task must be an object"));
  EXPECT_THAT(refusal("task", {{"id", 8}}), HasSubstr("task.id must be equal"));
  EXPECT_THAT(refusal("task", {{"id", 7}, {"user_id", "bob"}}), HasSubstr("task.user_id must be"));
  EXPECT_THAT(refusal("task_id", 8), HasSubstr("task.id must be equal"));
  ordered_json record = Record();
  record["data"]["change"] = "deleted";
  EXPECT_THAT(Refusal(record.dump()), HasSubstr("task must be null"));
  for (const char* key : {"change", "user_id", "seq", "task_id", "task", "timestamp"}) {
    record = Record();
    record["data"].erase(key);
    EXPECT_THAT(Refusal(record.dump()), HasSubstr(key));
  }
}

TEST(ParseTaskUpdateRecord, IsBoundedAndRefusesWhatIsNoCloudEvent) {
  for (const char* record : {"", "null"}) EXPECT_THAT(Refusal(record), HasSubstr("tombstone"));
  EXPECT_THAT(Refusal("[]"), HasSubstr("not an object"));
  EXPECT_THAT(Refusal("{}"), HasSubstr("specversion"));
  EXPECT_THAT(Refusal(std::string(1000, '[')), HasSubstr("deeper than 64"));
  EXPECT_THAT(Refusal(std::string(std::size_t{1} << 20, ' ') + "{}"), HasSubstr("limit"));
}

// Records that somebody broke: each is refused without a word of it, or read as JSON reads it.
TEST(ParseTaskUpdateRecord, NoByteThatIsChangedLeadsItAstray) {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same records in each run
  const std::string good = Record().dump();
  const std::string bytes = "\"\\{}[]:,0 \n\ttask\xc3\xa9";
  const auto below = [&random](std::size_t bound) { return random() % bound; };
  int read_count = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string record = good;
    for (std::size_t edits = 1 + below(3); edits > 0; --edits) {
      const std::size_t at = below(record.size());
      const char byte = bytes[below(bytes.size())];
      switch (below(4)) {
        case 0: record[at] = byte; break;
        case 1: record.insert(at, 1, byte); break;
        case 2: record.erase(at, 1 + below(3)); break;
        default: record.insert(at, good.substr(below(good.size()), below(20))); break;
      }
    }
    const absl::StatusOr<TaskUpdate> update = ParseTaskUpdateRecord(record);
    if (!update.ok()) {
      ASSERT_EQ(update.status().code(), absl::StatusCode::kInvalidArgument) << record;
      continue;
    }
    const auto* change = std::get_if<Change>(&*update);
    if (change == nullptr || change->kind == ChangeKind::kDeleted) continue;
    ++read_count;
    ASSERT_EQ(json::parse(change->task_json), json::parse(record)["data"]["task"]) << record;
    ASSERT_EQ(change->task_json.find('\n'), std::string::npos) << record;
  }
  EXPECT_GT(read_count, 1'000);
}

}  // namespace
}  // namespace todo::domain
