#include "chat/reply.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "domain/event/event_reader.h"
#include "domain/event/event_writer.h"

namespace todo::chat {
namespace {

using Json = nlohmann::json;

/// A stored value that cannot be read.
struct Unreadable : std::runtime_error {
  Unreadable() : std::runtime_error("unreadable") {}
};

Json ToJson(const domain::Task& task) { return Json::parse(domain::FormatTaskJson(task)); }
domain::Task TaskOf(const Json& json) {
  const absl::StatusOr<domain::Task> task = domain::ParseTaskJson(json.dump());
  if (!task.ok()) throw Unreadable();
  return *task;
}

domain::Instant InstantOf(const Json& json) {
  const absl::StatusOr<domain::Instant> instant = domain::ParseInstant(json.get<std::string>());
  if (!instant.ok()) throw Unreadable();
  return *instant;
}

Json ToJson(const Action& action) {
  Json json = {{"kind", action.kind},
               {"tasks", Json::array()},
               {"reminder_numbers", action.reminder_numbers},
               {"resolved", Json::array()},
               {"changed", action.changed},
               {"notes", action.notes}};
  for (const domain::Task& task : action.tasks) json["tasks"].push_back(ToJson(task));
  for (const Resolved& resolved : action.resolved) {
    json["resolved"].push_back({{"phrase", resolved.phrase},
                                {"meaning", resolved.meaning},
                                {"time", domain::FormatInstant(resolved.time)}});
  }
  if (action.usage) {
    const service::UsageSummary& usage = *action.usage;
    json["usage"] = {usage.created, usage.completed, usage.open, usage.overdue, usage.streak_days};
  }
  return json;
}

Action ActionOf(const Json& json) {
  Action action;
  action.kind = json.at("kind").get<ActionKind>();
  for (const Json& task : json.at("tasks")) action.tasks.push_back(TaskOf(task));
  action.reminder_numbers = json.at("reminder_numbers").get<std::vector<int>>();
  for (const Json& resolved : json.at("resolved")) {
    action.resolved.push_back({.phrase = resolved.at("phrase").get<std::string>(),
                               .meaning = resolved.at("meaning").get<std::string>(),
                               .time = InstantOf(resolved.at("time"))});
  }
  action.changed = json.at("changed").get<bool>();
  action.notes = json.at("notes").get<std::vector<std::string>>();
  if (json.contains("usage")) {
    const Json& usage = json.at("usage");
    action.usage = service::UsageSummary{.created = usage.at(0).get<std::int64_t>(),
                                         .completed = usage.at(1).get<std::int64_t>(),
                                         .open = usage.at(2).get<std::int64_t>(),
                                         .overdue = usage.at(3).get<std::int64_t>(),
                                         .streak_days = usage.at(4).get<std::int64_t>()};
  }
  return action;
}

Json ToJson(const Question& question) {
  Json json = {{"text", question.text},
               {"kind", question.kind},
               {"offers", Json::array()},
               {"expires_at", domain::FormatInstant(question.expires_at)}};
  for (const Offer& offer : question.offers)
    json["offers"].push_back({{"number", offer.number}, {"task", ToJson(offer.task)}});
  return json;
}

Question QuestionOf(const Json& json) {
  Question question{.text = json.at("text").get<std::string>(),
                    .kind = json.at("kind").get<ActionKind>(),
                    .offers = {},
                    .expires_at = InstantOf(json.at("expires_at"))};
  for (const Json& offer : json.at("offers")) {
    question.offers.push_back(
        {.number = offer.at("number").get<int>(), .task = TaskOf(offer.at("task"))});
  }
  return question;
}

}  // namespace

std::string FormatReply(const Reply& reply) {
  Json json = {{"text", reply.text},
               {"actions", Json::array()},
               {"understood_by", reply.understood_by},
               {"undoable", reply.undoable}};
  for (const Action& action : reply.actions) json["actions"].push_back(ToJson(action));
  if (reply.question) json["question"] = ToJson(*reply.question);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<Reply> ParseReply(std::string_view json) {
  try {
    const Json object = Json::parse(json);
    Reply reply;
    reply.text = object.at("text").get<std::string>();
    for (const Json& action : object.at("actions")) reply.actions.push_back(ActionOf(action));
    if (object.contains("question")) reply.question = QuestionOf(object.at("question"));
    reply.understood_by = object.at("understood_by").get<std::string>();
    reply.undoable = object.at("undoable").get<bool>();
    return reply;
  } catch (const Json::exception&) {
    return std::nullopt;
  } catch (const Unreadable&) {
    return std::nullopt;
  }
}

}  // namespace todo::chat
