#include "domain/notification/messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "domain/event/event_writer.h"
#include "domain/task/task.h"
#include "domain/time_zone.h"
#include "util/require.h"
#include "util/utf8.h"

namespace todo::domain {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxListed = 20;         // reminders in one message
constexpr std::size_t kMaxSubjectBytes = 200;  // of a title in a subject
constexpr std::size_t kMaxPushTextBytes =
    800;  // stays below kMaxPushPayloadBytes even when escaped

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// `text` on one line, cut for a message.
std::string Line(std::string_view text, std::size_t max_bytes) {
  std::string line = util::CutText(text, max_bytes);
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return line.empty() ? "(no title)" : line;
}

std::string EscapeHtml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

/// "2026-10-24 09:00 (Europe/Berlin)".
std::string ShowTime(Instant at, const std::string& zone_name) {
  const absl::StatusOr<TimeZone> zone = TimeZone::Load(zone_name);
  const TimeZone shown = zone.ok() ? *zone : TimeZone();
  const absl::CivilSecond local = shown.ToLocal(at);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02} ({})", local.year(), local.month(), local.day(),
                     local.hour(), local.minute(), shown.name());
}

/// "2026-10-24" for a day, which no zone changes; a time as ShowTime shows it.
std::string ShowDue(const Due& due, const std::string& zone_name) {
  return due.kind == DueKind::kDate ? FormatDueLocal(due) : ShowTime(due.at, zone_name);
}

/// The line about a reminder below its title.
std::string Facts(const DueReminder& reminder) {
  std::string facts =
      reminder.due.kind == DueKind::kNone
          ? fmt::format("reminder of {}", ShowTime(reminder.remind_at, reminder.time_zone))
          : fmt::format("due {}", ShowDue(reminder.due, reminder.time_zone));
  if (reminder.late) facts += ", late";
  return facts;
}

}  // namespace

std::string NotificationTitle(std::string_view title) {
  return util::CutText(title, kMaxTitleCharacters * 4);
}

std::string ReminderWebhookBody(const ReminderEvent& event, bool late) {
  const bool is_due = event.due.kind != DueKind::kNone;
  const std::string due_local = FormatDueLocal(event.due);
  Json data = {{"id", event.id.value()},
               {"task_id", event.task_id.value},
               {"title", NotificationTitle(event.title)},
               {"remind_at", FormatInstant(event.at)},
               {"due_date", is_due ? Json(FormatInstant(event.due.at)) : Json()},
               {"due_kind", is_due ? Json(ToString(event.due.kind)) : Json()},
               {"due_local", due_local.empty() ? Json() : Json(due_local)},
               {"user_id", event.user.value},
               {"late", late}};
  return Dump({{"type", kReminderWebhookKind},
               {"timestamp", FormatInstant(event.at)},
               {"data", std::move(data)}});
}

std::string WebhookKind(const TaskEvent& event) {
  return fmt::format("task.{}", ToString(event.kind));
}

std::string TaskWebhookBody(const TaskEvent& event) {
  Json data = {{"id", event.id.value()},
               {"event_type", ToString(event.kind)},
               {"task_id", event.task_id.value},
               {"user_id", event.actor.value},
               {"timestamp", FormatInstant(event.at)}};
  if (event.task) data["task_data"] = Json::parse(FormatTaskJson(*event.task));
  Json body = {{"type", WebhookKind(event)},
               {"timestamp", FormatInstant(event.at)},
               {"data", std::move(data)}};
  std::string text = Dump(body);
  if (text.size() > kMaxWebhookBodyBytes) {
    body["data"]["task_data"]["description"] = nullptr;
    body["data"]["description_omitted"] = true;
    text = Dump(body);
  }
  if (text.size() > kMaxWebhookBodyBytes) {
    body["data"].erase("task_data");
    body["data"].erase("description_omitted");
    body["data"]["task_data_omitted"] = true;
    text = Dump(body);
  }
  return text;
}

std::string TestWebhookBody(const Uuid& endpoint, Instant now) {
  return Dump({{"type", "webhook.test"},
               {"timestamp", FormatInstant(now)},
               {"data", {{"endpoint_id", endpoint.value()}}}});
}

std::string NotificationUpdateRecord(const EventHeader& event, Instant now) {
  const std::string id = UpdateIdOf(event.id).value();
  Json record = {{"specversion", "1.0"},
                 {"id", id},
                 {"source", kEventSource},
                 {"type", "todo.task.changed.v1"},
                 {"subject", fmt::format("{}", event.task_id.value)},
                 {"time", FormatInstant(now)},
                 {"datacontenttype", "application/json"}};
  if (!event.traceparent.empty()) record["traceparent"] = event.traceparent;
  record["data"] = {{"id", id},
                    {"user_id", event.user.value},
                    {"change", "notification"},
                    {"notification_id", event.id.value()},
                    {"task_id", event.task_id.value},
                    {"timestamp", FormatInstant(now)}};
  return Dump(record);
}

MailText ComposeMail(const std::vector<DueReminder>& reminders) {
  TODO_REQUIRE(!reminders.empty());
  MailText mail;
  const bool one = reminders.size() == 1;
  mail.subject = one ? fmt::format("Reminder: {}", Line(reminders[0].title, kMaxSubjectBytes))
                     : fmt::format("{} reminders", reminders.size());
  std::string items;
  const std::size_t listed = std::min(reminders.size(), kMaxListed);
  for (std::size_t i = 0; i < listed; ++i) {
    const std::string title = Line(reminders[i].title, kMaxTitleCharacters * 4);
    const std::string facts = Facts(reminders[i]);
    mail.text += fmt::format("{}{}\n{}{}\n", one ? "" : "- ", title, one ? "" : "  ", facts);
    items += fmt::format("<li><b>{}</b><br>{}</li>", EscapeHtml(title), EscapeHtml(facts));
  }
  std::string rest;
  if (listed < reminders.size()) rest = fmt::format("and {} more", reminders.size() - listed);
  if (!rest.empty()) mail.text += rest + "\n";
  mail.html =
      fmt::format("<!doctype html><html><body><ul>{}</ul><p>{}</p></body></html>\n", items, rest);
  return mail;
}

std::string ComposePush(const std::vector<DueReminder>& reminders) {
  TODO_REQUIRE(!reminders.empty());
  Json json = {{"type", kReminderWebhookKind}};
  if (reminders.size() == 1) {
    const DueReminder& reminder = reminders[0];
    json["title"] = Line(reminder.title, kMaxPushTextBytes / 2);
    json["body"] = Facts(reminder);
    json["task_id"] = reminder.task_id.value;
    json["notification_id"] = reminder.id.value();
  } else {
    std::string body;
    for (const DueReminder& reminder : reminders) {
      if (!body.empty()) body += ", ";
      body += Line(reminder.title, kMaxSubjectBytes);
      if (body.size() > kMaxPushTextBytes) break;
    }
    json["title"] = fmt::format("{} reminders", reminders.size());
    json["body"] = util::CutText(body, kMaxPushTextBytes);
  }
  json["late"] = std::ranges::any_of(reminders, &DueReminder::late);
  return Dump(json);
}

}  // namespace todo::domain
