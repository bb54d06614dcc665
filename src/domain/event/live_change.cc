#include "domain/event/live_change.h"

#include <fmt/format.h>

#include <utility>

namespace todo::domain {
namespace {

std::string FormatUpdate(const Change& change) {
  const bool deleted = change.kind == ChangeKind::kDeleted;
  std::string text = fmt::format(
      R"({{"type":"update","seq":{},"event_id":"{}","change":"{}","task_id":{},"task":{},"timestamp":"{}")",
      change.seq, change.event_id.value(), ToString(change.kind), change.task_id.value,
      deleted ? "null" : std::string_view(change.task_json), FormatInstant(change.at));
  if (change.request_id) text += fmt::format(R"(,"request_id":"{}")", change.request_id->value());
  text += '}';
  return text;
}

}  // namespace

LiveChange::LiveChange(Change change)
    : change_(std::move(change)),
      json_(std::make_shared<const std::string>(FormatUpdate(change_))) {}

}  // namespace todo::domain
