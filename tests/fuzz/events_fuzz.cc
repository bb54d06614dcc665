// Feeds the readers of the bus whatever comes: task events, reminder events, task updates, and the
// task data that the service has stored. Stops at anything that their headers rule out, and at a
// text made of an event that its reader could not read.
//
// An input is the bytes of a record.

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>

#include "domain/event/dead_letter.h"
#include "domain/event/event_reader.h"
#include "domain/event/event_writer.h"
#include "domain/event/live_change.h"
#include "domain/event/update_reader.h"
#include "domain/notification/messages.h"
#include "domain/recurrence/recurring_task.h"
#include "domain/time.h"
#include "require.h"
#include "util/utf8.h"

namespace {

using todo::domain::Change;
using todo::domain::TaskEvent;
using todo::fuzz::Require;

constexpr std::size_t kMaxReasonBytes = 1'000;

todo::domain::Instant Now() { return *todo::domain::ParseInstant("2026-11-27T12:00:00Z"); }

void RequireRefused(const absl::Status& status) {
  Require(status.code() == absl::StatusCode::kInvalidArgument, "a refusal has its documented code");
  Require(!status.message().empty() && status.message().size() <= kMaxReasonBytes,
          "a refusal has a short reason");
}

void RequireJson(std::string_view text, const char* what) {
  Require(nlohmann::json::accept(text), what);
}

void CheckHeader(const todo::domain::EventHeader& event) {
  Require(!event.user.value.empty(), "an event has a user");
  Require(todo::util::CountCharacters(event.user.value).has_value(), "a user is text");
  Require(event.at >= todo::domain::kMinInstant && event.at <= todo::domain::kMaxInstant,
          "the time of an event can be stored");
  Require(event.identity != 0, "an event has an identity");
}

void CheckTaskEvent(const TaskEvent& event) {
  CheckHeader(event);
  const std::string body = todo::domain::TaskWebhookBody(event);
  Require(body.size() <= todo::domain::kMaxWebhookBodyBytes, "a webhook's body keeps to its bound");
  RequireJson(body, "a webhook's body is JSON");
  Require(todo::domain::WebhookKind(event).starts_with("task."), "a webhook has a kind");
  if (!event.task || !event.task->fields.recurrence_rule || !event.task->series) return;
  const auto passed_at = todo::domain::PassedAt(*event.task);
  if (!passed_at) return;
  const auto next = todo::domain::NextOccurrenceOf(*event.task, *passed_at);
  if (!next.ok()) {
    Require(next.status().code() == absl::StatusCode::kInvalidArgument,
            "a rule that is not understood has its documented code");
  }
}

void CheckReminder(const todo::domain::ReminderEvent& event) {
  CheckHeader(event);
  for (const bool late : {false, true}) {
    const std::string body = todo::domain::ReminderWebhookBody(event, late);
    Require(body.size() <= todo::domain::kMaxWebhookBodyBytes,
            "a webhook's body keeps to its bound");
    RequireJson(body, "a webhook's body is JSON");
  }
  RequireJson(todo::domain::NotificationUpdateRecord(event, Now()), "an update is JSON");
  todo::domain::DueReminder due{.id = event.id,
                                .task_id = event.task_id,
                                .title = todo::domain::NotificationTitle(event.title),
                                .remind_at = event.at,
                                .due = event.due,
                                .time_zone = "Europe/Berlin"};
  Require(todo::util::CountCharacters(due.title).has_value(), "a title is text");
  const std::string push = todo::domain::ComposePush({due, due});
  Require(push.size() <= todo::domain::kMaxPushPayloadBytes, "a push message keeps to its bound");
  RequireJson(push, "a push message is JSON");
  const todo::domain::MailText mail = todo::domain::ComposeMail({due});
  Require(mail.subject.find_first_of("\r\n") == std::string::npos, "a subject is one line");
}

void CheckUpdate(const Change& change) {
  Require(!change.user.value.empty(), "an update has a user");
  Require(change.task_json.find('\n') == std::string::npos, "the task of an update is on one line");
  const todo::domain::LiveChange live(change);
  Require(live.json()->find('\n') == std::string::npos, "a screen's update is on one line");
  RequireJson(*live.json(), "a screen's update is JSON");
}

void CheckTaskJson(std::string_view text) {
  const auto task = todo::domain::ParseTaskJson(text);
  if (!task.ok()) return RequireRefused(task.status());
  if (task->user.value.empty()) return;  // no user id is like it, so it cannot be read again
  const std::string written = todo::domain::FormatTaskJson(*task);
  const auto again = todo::domain::ParseTaskJson(written);
  Require(again.ok(), "a task that was written can be read");
  Require(todo::domain::FormatTaskJson(*again) == written, "a task has one form");
}

void CheckDeadLetter(std::string_view bytes) {
  const todo::domain::BusRecord record{.topic = "task-events",
                                       .partition = 1,
                                       .offset = 7,
                                       .key = std::string(bytes),
                                       .content_type = "application/cloudevents+json",
                                       .bytes = std::string(bytes)};
  const auto letter =
      todo::domain::UnreadableDeadLetter("recurring-tasks", record, "is no event", Now());
  Require(letter.record.bytes == bytes, "a dead letter keeps the record");
  const std::string text = todo::domain::DeadLetterRecord(letter);
  Require(text.size() + letter.record.key.size() < todo::domain::kMaxDeadLetterBytes,
          "a dead letter keeps to its bound");
  RequireJson(text, "a dead letter is JSON");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view record = todo::fuzz::TextOf(data, size);
  if (const auto event = todo::domain::ParseTaskEventRecord(record); event.ok()) {
    CheckTaskEvent(*event);
  } else {
    RequireRefused(event.status());
  }
  if (const auto event = todo::domain::ParseReminderEventRecord(record); event.ok()) {
    CheckReminder(*event);
  } else {
    RequireRefused(event.status());
  }
  if (const auto update = todo::domain::ParseTaskUpdateRecord(record); update.ok()) {
    if (const auto* const change = std::get_if<Change>(&*update)) CheckUpdate(*change);
  } else {
    RequireRefused(update.status());
  }
  CheckTaskJson(record);
  CheckDeadLetter(record);
  return 0;
}
