#include "domain/event/event_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "domain/event/event_writer.h"

namespace todo::domain {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using namespace std::string_literals;

json Event() {
  return json::parse(
      R"({"specversion":"1.0","id":"550e8400-e29b-41d4-a716-446655440000","source":"elsewhere",
    "type":"todo.task.completed.v1","datacontenttype":"application/json",
    "data":{"id":"550e8400-e29b-41d4-a716-446655440000","event_type":"completed","task_id":1,
     "task_data":{"id":1,"title":"Buy groceries","description":null,"completed":true,"priority":"medium","tags":["a"],
                  "due_date":"2025-01-02T10:00:00+02:00","recurrence_rule":"FREQ=DAILY","user_id":"user-uuid",
                  "created_at":"2025-01-01T00:00:00Z","updated_at":"2025-01-01T00:00:00Z"},
     "user_id":"user-uuid","timestamp":"2025-01-01T00:00:00Z"}})");
}

std::string Refusal(const std::string& record) {
  const absl::StatusOr<TaskEvent> event = ParseTaskEventRecord(record);
  EXPECT_EQ(event.status().code(), absl::StatusCode::kInvalidArgument) << record.substr(0, 200);
  return std::string(event.status().message());
}

TEST(ParseTaskEventRecord, ReadsTheContractsExampleForm) {
  const absl::StatusOr<TaskEvent> event = ParseTaskEventRecord(Event().dump());
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(event->id.value(), "550e8400-e29b-41d4-a716-446655440000");
  EXPECT_EQ(event->kind, ChangeKind::kCompleted);
  EXPECT_EQ(event->task_id.value, 1);
  EXPECT_EQ(event->user.value, "user-uuid");
  EXPECT_EQ(event->source, "elsewhere");
  EXPECT_EQ(FormatInstant(event->at), "2025-01-01T00:00:00Z");
  ASSERT_TRUE(event->task.has_value());
  EXPECT_EQ(event->task->fields.title, "Buy groceries");
  EXPECT_EQ(event->task->fields.description, std::nullopt);
  EXPECT_EQ(event->task->fields.due.kind, DueKind::kInstant);
  EXPECT_EQ(FormatInstant(event->task->fields.due.at), "2025-01-02T08:00:00Z");
  EXPECT_EQ(event->task->fields.recurrence_rule, "FREQ=DAILY");
}

TEST(ParseTaskEventRecord, AcceptsAllThatTheSchemaAccepts) {
  json event = Event();
  event["data"].erase("task_data");
  EXPECT_TRUE(ParseTaskEventRecord(event.dump()).ok());
  event = Event();
  event["data"]["task_data"] = json::object();
  EXPECT_TRUE(ParseTaskEventRecord(event.dump()).ok());
  event = Event();
  event["data"]["task_id"] = 1.0;
  event["data"]["something_else"] = {{"a", {1, 2}}};
  event["unknownattribute"] = "x";
  EXPECT_TRUE(ParseTaskEventRecord(event.dump()).ok());
  event = Event();
  event["data"]["timestamp"] = "2025-01-01T02:00:00+02:00";
  EXPECT_EQ(FormatInstant(ParseTaskEventRecord(event.dump())->at), "2025-01-01T00:00:00Z");
}

// Other programs count and name things in their own way: only what the schema names is checked.
TEST(ParseTaskEventRecord, IgnoresKeysThatTheSchemaDoesNotNameWhateverTheyHold) {
  const json written = json::parse(FormatTaskJson(Task()));
  const json named = Event()["data"]["task_data"];
  for (const auto& [key, unused] : written.items()) {
    if (named.contains(key)) continue;
    for (const json& value :
         {json("9"), json("my-series"), json(""), json(-7), json(1.5), json(1e300), json(true),
          json(std::string("a\0b", 3)), json::array({1}), json::object({{"title", 7}}),
          json("0001-01-01T00:00:00Z"), json()}) {
      json event = Event();
      event["data"]["task_data"][key] = value;
      const absl::StatusOr<TaskEvent> read = ParseTaskEventRecord(event.dump());
      ASSERT_TRUE(read.ok()) << key << " = " << value << ": " << read.status();
      EXPECT_EQ(read->task->fields.title, "Buy groceries");
      EXPECT_EQ(FormatInstant(read->task->fields.due.at), "2025-01-02T08:00:00Z");
    }
  }
}

TEST(ParseTaskEventRecord, ReadsOurOwnKeysWhereTheyAreAsWeWriteThem) {
  json event = Event();
  json& task = event["data"]["task_data"];
  task["time_zone"] = "Europe/Berlin";
  task["due_kind"] = "local";
  task["due_local"] = "2025-01-02T09:00:00";
  task["version"] = 9;
  absl::StatusOr<TaskEvent> read = ParseTaskEventRecord(event.dump());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->task->fields.due.kind, DueKind::kLocal);
  EXPECT_EQ(read->task->fields.time_zone, "Europe/Berlin");
  EXPECT_EQ(read->task->version, 9);

  task["time_zone"] = "W. Europe Standard Time";  // not of the IANA database
  read = ParseTaskEventRecord(event.dump());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->task->fields.due.kind, DueKind::kInstant) << "due_date alone can be read";
  EXPECT_EQ(read->task->fields.time_zone, "UTC");
}

TEST(ParseTaskEventRecord, TakesAnyValidTimeOutsideTheTimestamp) {
  for (const char* key : {"created_at", "updated_at", "due_date"}) {
    for (const char* time : {"0001-01-01T00:00:00Z", "0000-01-01T00:00:00+14:00",
                             "9999-12-31T23:59:59-12:00", "1969-12-31T23:59:59.999Z"}) {
      json event = Event();
      event["data"]["task_data"][key] = time;
      const absl::StatusOr<TaskEvent> read = ParseTaskEventRecord(event.dump());
      EXPECT_TRUE(read.ok()) << key << " = " << time << ": " << read.status();
    }
    json event = Event();
    event["data"]["task_data"][key] = "yesterday";
    EXPECT_THAT(Refusal(event.dump()), HasSubstr(key));
  }
  json event = Event();
  event["data"]["task_data"]["created_at"] = "0001-01-01T00:00:00Z";
  EXPECT_EQ(FormatInstant(ParseTaskEventRecord(event.dump())->task->created_at),
            "0001-01-01T00:00:00Z");
  event["data"]["timestamp"] = "0001-01-01T00:00:00Z";
  EXPECT_THAT(Refusal(event.dump()), HasSubstr("timestamp: "));
}

TEST(ParseTaskEventRecord, TakesFractionsOfAnyLength) {
  json event = Event();
  event["data"]["timestamp"] = "2025-01-01T00:00:00.25" + std::string(500, '0') + "Z";
  const absl::StatusOr<TaskEvent> read = ParseTaskEventRecord(event.dump());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(FormatInstant(read->at), "2025-01-01T00:00:00.250Z");
}

TEST(ParseTaskEventRecord, TheTaskBelongsToTheUserThatItsDataNames) {
  json event = Event();
  event["data"]["user_id"] = "bob";
  const absl::StatusOr<TaskEvent> read = ParseTaskEventRecord(event.dump());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->user.value, "user-uuid");
  EXPECT_EQ(read->actor.value, "bob");
  event["data"]["task_data"].erase("user_id");
  EXPECT_EQ(ParseTaskEventRecord(event.dump())->user.value, "bob");
  event["data"].erase("task_data");
  EXPECT_EQ(ParseTaskEventRecord(event.dump())->user.value, "bob");
}

TEST(ParseTaskEventRecord, MediaTypesHaveNoCase) {
  for (const char* type :
       {"application/json", "application/JSON", "Application/Json; Charset=UTF-8",
        " application/json\t; charset=\"utf-8\"", "application/vnd.todo+JSON", "text/json"}) {
    json event = Event();
    event["datacontenttype"] = type;
    EXPECT_TRUE(ParseTaskEventRecord(event.dump()).ok()) << type;
  }
  for (const char* type : {"text/plain", "text/plain; was=application/json", "json", "", "+json"}) {
    json event = Event();
    event["datacontenttype"] = type;
    EXPECT_THAT(Refusal(event.dump()), HasSubstr("datacontenttype")) << type;
  }
}

TEST(ParseTaskEventRecord, TellsATombstoneFromBrokenJson) {
  for (const char* record : {"", "null"}) {  // the latter is how the sidecar passes one on
    EXPECT_THAT(Refusal(record), HasSubstr("tombstone"));
    EXPECT_THAT(std::string(ParseReminderEventRecord(record).status().message()),
                HasSubstr("tombstone"));
  }
}

// It goes into the events that follow from this one, so it must not be longer than one is.
TEST(ParseTaskEventRecord, IgnoresAnInvalidTraceparent) {
  const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  json event = Event();
  for (const json& none : {json(good + std::string(900'000, 'x')), json("nonsense"), json(""),
                           json(7), json::array(), json()}) {
    event["traceparent"] = none;
    const absl::StatusOr<TaskEvent> read = ParseTaskEventRecord(event.dump());
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->traceparent, "");
  }
  event["traceparent"] = good;
  EXPECT_EQ(ParseTaskEventRecord(event.dump())->traceparent, good);
}

TEST(ParseTaskEventRecord, NamesTheMissingKey) {
  for (const char* key : {"id", "event_type", "task_id", "user_id", "timestamp"}) {
    json event = Event();
    event["data"].erase(key);
    EXPECT_THAT(Refusal(event.dump()), HasSubstr(key));
  }
}

TEST(ParseTaskEventRecord, NamesTheWrongValue) {
  const auto refusal = [](const char* key, const json& value) {
    json event = Event();
    event["data"][key] = value;
    return Refusal(event.dump());
  };
  EXPECT_THAT(refusal("id", "not-a-uuid"), HasSubstr("id must be a UUID"));
  EXPECT_THAT(refusal("event_type", "exploded"), HasSubstr("event_type must be created"));
  EXPECT_THAT(refusal("task_id", "1"), HasSubstr("task_id must be an integer"));
  EXPECT_THAT(refusal("task_id", 1.5), HasSubstr("task_id must be an integer"));
  EXPECT_THAT(refusal("task_id", 9007199254740993), HasSubstr("2^53"));
  EXPECT_THAT(refusal("task_id", 1e300), HasSubstr("2^53"));
  EXPECT_THAT(refusal("user_id", ""), HasSubstr("user id"));
  EXPECT_THAT(refusal("user_id", std::string("a\0b", 3)), HasSubstr("NUL"));
  EXPECT_THAT(refusal("timestamp", "yesterday"), HasSubstr("timestamp"));
  EXPECT_THAT(refusal("task_data", json::array()), HasSubstr("task_data must be an object"));
  EXPECT_THAT(refusal("task_data", {{"priority", "urgent"}}), HasSubstr("priority"));
  EXPECT_THAT(refusal("task_data", {{"tags", "a"}}), HasSubstr("tags must be an array"));
  EXPECT_THAT(refusal("task_data", {{"completed", 1}}), HasSubstr("completed must be a boolean"));
}

// A refusal ends as the reason of a dead letter, in the log and on a topic of its own.
TEST(ParseTaskEventRecord, QuotesNothingOfTheRecord) {
  const std::string secret = "pin-4711";
  std::vector<std::string> records = {secret, "{\"specversion\":\"1.0\"," + secret,
                                      "{\"specversion\": \"1.0\", \"x\": \"\x80\"" + secret,
                                      "{\"x\": 4711e4711}"};
  for (const char* key : {"specversion", "datacontenttype", "data"}) {
    json event = Event();
    event[key] = secret;
    records.push_back(event.dump());
  }
  for (const char* key : {"id", "event_type", "task_id", "timestamp", "task_data"}) {
    json event = Event();
    event["data"][key] = secret;
    records.push_back(event.dump());
  }
  for (const char* key : {"id", "completed", "priority", "tags", "due_kind", "due_date",
                          "recurrence_basis", "created_at", "version", "series_id", "user_id"}) {
    json event = Event();
    event["data"]["task_data"][key] =
        key == std::string("user_id") ? json(secret + "\0"s) : json(secret);
    records.push_back(event.dump());
  }
  for (const char* key : {"occurrence", "series_anchor", "scheduled_for", "following"}) {
    json event = Event();
    event["data"]["task_data"]["series_id"] = "01a20878-ab15-77d8-bb51-91b163b43065";
    event["data"]["task_data"][key] = secret;
    records.push_back(event.dump());
  }
  for (const char* key : {"due_local", "time_zone"}) {
    json event = Event();
    event["data"]["task_data"].update(
        {{"due_kind", "date"}, {"due_local", "2026-12-01"}, {"time_zone", "UTC"}});
    event["data"]["task_data"][key] = secret;
    records.push_back(event.dump());
  }
  for (const std::string& record : records) {
    const absl::StatusOr<TaskEvent> read = ParseTaskEventRecord(record);
    // Which keys are read at all is another question.
    EXPECT_THAT(std::string(read.status().message()), Not(HasSubstr("4711"))) << record;
  }
}

TEST(ParseTaskEventRecord, RefusesARecordThatIsNoCloudEvent) {
  EXPECT_THAT(Refusal("{\"a\":"), HasSubstr("not JSON"));
  EXPECT_THAT(Refusal(std::string("\x00\x01\xff", 3)), HasSubstr("not JSON"));
  EXPECT_THAT(Refusal("{\"specversion\":\"\xff\"}"), HasSubstr("not JSON"));
  EXPECT_THAT(Refusal("[]"), HasSubstr("not an object"));
  EXPECT_THAT(Refusal("{}"), HasSubstr("specversion"));
  json event = Event();
  event["datacontenttype"] = "text/plain";
  EXPECT_THAT(Refusal(event.dump()), HasSubstr("datacontenttype must be application/json"));
  event = Event();
  event.erase("data");
  EXPECT_THAT(Refusal(event.dump()), HasSubstr("no data"));
  event["data_base64"] = "AAAA";
  EXPECT_THAT(Refusal(event.dump()), HasSubstr("data_base64"));
}

TEST(ParseTaskEventRecord, IsBounded) {
  EXPECT_THAT(Refusal(std::string(std::size_t{1} << 20, ' ') + "{}"), HasSubstr("limit"));
  EXPECT_THAT(Refusal(std::string(1000, '[')), HasSubstr("deeper than 64"));
  // Brackets inside strings do not nest.
  json event = Event();
  event["data"]["task_data"]["title"] = std::string(200, '[') + "\\\"" + std::string(200, '{');
  EXPECT_TRUE(ParseTaskEventRecord(event.dump()).ok());
}

json Reminder() {
  return json::parse(
      R"({"specversion":"1.0","id":"550e8400-e29b-41d4-a716-446655440000","source":"elsewhere",
    "type":"todo.reminder.due.v1","traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "data":{"task_id":1,"title":"Buy groceries","due_date":"2025-01-02T10:00:00Z",
            "remind_at":"2025-01-02T09:00:00Z","user_id":"user-uuid"}})");
}

ReminderEvent ReadReminder(const json& record) {
  const absl::StatusOr<ReminderEvent> event = ParseReminderEventRecord(record.dump());
  EXPECT_TRUE(event.ok()) << event.status();
  return event.value_or(ReminderEvent());
}

TEST(ParseReminderEventRecord, ReadsTheContractsExampleForm) {
  const ReminderEvent event = ReadReminder(Reminder());
  EXPECT_EQ(event.id.value(), "550e8400-e29b-41d4-a716-446655440000");
  EXPECT_EQ(event.task_id.value, 1);
  EXPECT_EQ(event.user.value, "user-uuid");
  EXPECT_EQ(event.title, "Buy groceries");
  EXPECT_EQ(FormatInstant(event.at), "2025-01-02T09:00:00Z");
  EXPECT_EQ(event.due.kind, DueKind::kInstant);
  EXPECT_EQ(FormatInstant(event.due.at), "2025-01-02T10:00:00Z");
  EXPECT_EQ(event.source, "elsewhere");
  EXPECT_EQ(event.traceparent.size(), 55u);
  json without_due = Reminder();
  without_due["data"].erase("due_date");
  EXPECT_EQ(ReadReminder(without_due).due, Due());
}

TEST(ParseReminderEventRecord, ReadsTheKindOfTheDueDate) {
  json event = Reminder();
  event["data"]["due_kind"] = "date";
  event["data"]["due_local"] = "2025-01-03";
  const Instant at = *ParseInstant("2025-01-02T10:00:00Z");
  EXPECT_EQ(ReadReminder(event).due,
            (Due{.kind = DueKind::kDate, .local = absl::CivilSecond(2025, 1, 3), .at = at}));
  event["data"].erase("due_date");
  EXPECT_EQ(ReadReminder(event).due, *ResolveLocalDue("2025-01-03", "UTC"));
  event = Reminder();
  event["data"]["due_kind"] = "local";
  event["data"]["due_local"] = "2025-01-02T11:00:00";
  EXPECT_EQ(
      ReadReminder(event).due,
      (Due{.kind = DueKind::kLocal, .local = absl::CivilSecond(2025, 1, 2, 11, 0, 0), .at = at}));
}

TEST(ParseReminderEventRecord, IgnoresDueKeysThatItCannotRead) {
  const Due as_instant = ReadReminder(Reminder()).due;
  const json keys[] = {
      {{"due_kind", "date"}},
      {{"due_local", "2025-01-03"}},
      {{"due_kind", "someday"}, {"due_local", "2025-01-03"}},
      {{"due_kind", 7}, {"due_local", json::array()}},
      {{"due_kind", nullptr}, {"due_local", nullptr}},
      {{"due_kind", "date"}, {"due_local", "tomorrow"}},
      {{"due_kind", "date"}, {"due_local", "2025-02-30"}},
      {{"due_kind", "date"}, {"due_local", "2025-01-03T09:00:00"}},
      {{"due_kind", "instant"}, {"due_local", "2025-01-03"}},
      {{"due_kind", "none"}, {"due_local", ""}},
  };
  for (const json& further : keys) {
    json event = Reminder();
    event["data"].update(further);
    EXPECT_EQ(ReadReminder(event).due, as_instant) << further;
  }
}

TEST(ParseReminderEventRecord, TakesTheEventsIdElseTheCloudEventsElseADerivedOne) {
  json event = Reminder();
  event["data"]["id"] = "660e8400-e29b-41d4-a716-446655440000";
  EXPECT_EQ(ReadReminder(event).id.value(), "660e8400-e29b-41d4-a716-446655440000");
  event = Reminder();
  event["id"] = "order-17";
  const EventId derived = ReadReminder(event).id;
  EXPECT_EQ(ReadReminder(event).id, derived) << "the same on every delivery";
  event["id"] = "order-18";
  EXPECT_NE(ReadReminder(event).id, derived);
  event["id"] = "order-17";
  event["source"] = "somebody-else";
  EXPECT_NE(ReadReminder(event).id, derived) << "ids are unique within their source only";
}

TEST(ParseReminderEventRecord, NamesWhatBreaksTheContract) {
  const auto refusal = [](const json& record) {
    const auto event = ParseReminderEventRecord(record.dump());
    EXPECT_EQ(event.status().code(), absl::StatusCode::kInvalidArgument) << record;
    return std::string(event.status().message());
  };
  for (const char* key : {"task_id", "title", "remind_at", "user_id"}) {
    json event = Reminder();
    event["data"].erase(key);
    EXPECT_THAT(refusal(event), HasSubstr(key));
  }
  json event = Reminder();
  event.erase("id");
  EXPECT_THAT(refusal(event), HasSubstr("the CloudEvent lacks the required key \"id\""));
  event = Reminder();
  event["data"]["id"] = 7;
  EXPECT_THAT(refusal(event), HasSubstr("id must be a string"));
  event = Reminder();
  event["data"]["remind_at"] = "2025-01-02T09:00:00";
  EXPECT_THAT(refusal(event), HasSubstr("remind_at"));
  event = Reminder();
  event["data"]["due_date"] = 12;
  EXPECT_THAT(refusal(event), HasSubstr("due_date"));
}

}  // namespace
}  // namespace todo::domain
