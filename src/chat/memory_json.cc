#include <nlohmann/json.hpp>
#include <stdexcept>

#include "chat/memory.h"
#include "domain/event/event_reader.h"
#include "domain/event/event_writer.h"

namespace todo::chat {
namespace {

using Json = nlohmann::json;

/// A stored value that cannot be read.
struct Unreadable : std::runtime_error {
  Unreadable() : std::runtime_error("unreadable") {}
};

std::string Text(const Json& object, const char* key) { return object.at(key).get<std::string>(); }

domain::Instant InstantAt(const Json& object, const char* key) {
  const absl::StatusOr<domain::Instant> instant = domain::ParseInstant(Text(object, key));
  if (!instant.ok()) throw Unreadable();
  return *instant;
}

domain::Uuid UuidAt(const Json& object, const char* key) {
  const std::optional<domain::Uuid> uuid = domain::Uuid::Parse(Text(object, key));
  if (!uuid) throw Unreadable();
  return *uuid;
}

Json ToJson(const Wish& wish) {
  Json json = {{"text", wish.text},
               {"at", domain::FormatInstant(wish.at)},
               {"time_zone", wish.time_zone},
               {"wording", domain::FormatWording(wish.wording)},
               {"model_calls", Json::array()},
               {"understood_by", wish.understood_by}};
  for (const ports::ModelCall& call : wish.model_calls)
    json["model_calls"].push_back({{"name", call.name}, {"arguments", call.arguments}});
  return json;
}

Wish WishOf(const Json& json) {
  const std::optional<domain::Wording> wording = domain::ParseWording(Text(json, "wording"));
  if (!wording) throw Unreadable();
  Wish wish{.text = Text(json, "text"),
            .at = InstantAt(json, "at"),
            .time_zone = Text(json, "time_zone"),
            .wording = *wording,
            .model_calls = {},
            .understood_by = Text(json, "understood_by")};
  for (const Json& call : json.at("model_calls"))
    wish.model_calls.push_back({.name = Text(call, "name"), .arguments = Text(call, "arguments")});
  return wish;
}

Json ToJson(const Pin& pin) { return {{"id", pin.id.value}, {"version", pin.version}}; }
Pin PinOf(const Json& json) {
  return {.id = {json.at("id").get<std::int64_t>()},
          .version = json.at("version").get<std::int64_t>()};
}

Json ToJson(const OpenQuestion& question) {
  Json json = {
      {"id", question.id.value()},     {"text", question.text},
      {"kind", question.kind},         {"expires_at", domain::FormatInstant(question.expires_at)},
      {"wish", ToJson(question.wish)}, {"pins", Json::array()},
      {"offers", Json::array()},       {"answer", question.answer}};
  for (const auto& [slot, pin] : question.pins)
    json["pins"].push_back({{"slot", slot}, {"pin", ToJson(pin)}});
  for (const OfferedTask& offer : question.offers)
    json["offers"].push_back(
        {{"pin", ToJson(offer.pin)}, {"title", offer.title}, {"due", offer.due}});
  if (question.slot) json["slot"] = *question.slot;
  return json;
}

OpenQuestion QuestionOf(const Json& json) {
  OpenQuestion question{.id = UuidAt(json, "id"),
                        .text = Text(json, "text"),
                        .kind = json.at("kind").get<ActionKind>(),
                        .expires_at = InstantAt(json, "expires_at"),
                        .wish = WishOf(json.at("wish")),
                        .pins = {},
                        .slot = {},
                        .offers = {},
                        .answer = Text(json, "answer")};
  for (const Json& pin : json.at("pins"))
    question.pins[pin.at("slot").get<Slot>()] = PinOf(pin.at("pin"));
  for (const Json& offer : json.at("offers"))
    question.offers.push_back({.pin = PinOf(offer.at("pin")),
                               .title = Text(offer, "title"),
                               .due = offer.value("due", "")});
  if (json.contains("slot")) question.slot = json.at("slot").get<Slot>();
  return question;
}

Json ToJson(const UndoStep& step) {
  Json json = {{"kind", step.kind},
               {"id", step.id.value},
               {"title", step.title},
               {"reminder_numbers", step.reminder_numbers}};
  if (step.version) json["version"] = *step.version;
  if (step.before) json["before"] = domain::FormatTaskJson(*step.before);
  return json;
}

UndoStep UndoStepOf(const Json& json) {
  UndoStep step;
  step.kind = json.at("kind").get<ActionKind>();
  step.id = {json.at("id").get<std::int64_t>()};
  step.title = Text(json, "title");
  step.reminder_numbers = json.at("reminder_numbers").get<std::vector<int>>();
  if (json.contains("version")) step.version = json.at("version").get<std::int64_t>();
  if (json.contains("before")) {
    const absl::StatusOr<domain::Task> before = domain::ParseTaskJson(Text(json, "before"));
    if (!before.ok()) throw Unreadable();
    step.before = *before;
  }
  return step;
}

Json ToJson(const Undo& undo) {
  Json json = {{"id", undo.id.value()},
               {"change_id", undo.change_id.value()},
               {"expires_at", domain::FormatInstant(undo.expires_at)},
               {"steps", Json::array()}};
  for (const UndoStep& step : undo.steps) json["steps"].push_back(ToJson(step));
  if (undo.overtaken_by) json["overtaken_by"] = undo.overtaken_by->value();
  return json;
}

Undo UndoOf(const Json& json) {
  Undo undo{.id = UuidAt(json, "id"),
            .change_id = UuidAt(json, "change_id"),
            .expires_at = InstantAt(json, "expires_at"),
            .steps = {}};
  for (const Json& step : json.at("steps")) undo.steps.push_back(UndoStepOf(step));
  if (json.contains("overtaken_by")) undo.overtaken_by = UuidAt(json, "overtaken_by");
  return undo;
}

GivenReply GivenReplyOf(const Json& json) {
  std::optional<Reply> reply = ParseReply(Text(json, "reply"));
  if (!reply) throw Unreadable();
  return {.request_id = {UuidAt(json, "request_id")},
          .fingerprint = Text(json, "fingerprint"),
          .reply = *std::move(reply)};
}

}  // namespace

std::string FormatMemory(const Memory& memory) {
  Json json = {{"replies", Json::array()}};
  if (memory.question) json["question"] = ToJson(*memory.question);
  if (memory.undo) json["undo"] = ToJson(*memory.undo);
  if (memory.spoken_of) json["spoken_of"] = memory.spoken_of->value;
  for (const GivenReply& given : memory.replies) {
    json["replies"].push_back({{"request_id", given.request_id.value()},
                               {"fingerprint", given.fingerprint},
                               {"reply", FormatReply(given.reply)}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<Memory> ParseMemory(std::string_view json) {
  try {
    const Json object = Json::parse(json);
    Memory memory;
    if (object.contains("question")) memory.question = QuestionOf(object.at("question"));
    if (object.contains("undo")) memory.undo = UndoOf(object.at("undo"));
    if (object.contains("spoken_of"))
      memory.spoken_of = domain::TaskId{object.at("spoken_of").get<std::int64_t>()};
    for (const Json& given : object.at("replies")) memory.replies.push_back(GivenReplyOf(given));
    return memory;
  } catch (const Json::exception&) {
    return std::nullopt;
  } catch (const Unreadable&) {
    return std::nullopt;
  }
}

}  // namespace todo::chat
