#include "domain/event/event.h"

#include <array>
#include <utility>

namespace todo::domain {
namespace {

constexpr std::array<std::pair<ChangeKind, std::string_view>, 5> kKinds = {{
    {ChangeKind::kCreated, "created"},
    {ChangeKind::kUpdated, "updated"},
    {ChangeKind::kCompleted, "completed"},
    {ChangeKind::kUncompleted, "uncompleted"},
    {ChangeKind::kDeleted, "deleted"},
}};

}  // namespace

std::string_view ToString(ChangeKind kind) {
  for (const auto& [value, name] : kKinds) {
    if (value == kind) return name;
  }
  return "";
}

std::optional<ChangeKind> ParseChangeKind(std::string_view text) {
  for (const auto& [value, name] : kKinds) {
    if (name == text) return value;
  }
  return std::nullopt;
}

const EventHeader& HeaderOf(const Event& event) {
  return std::visit([](const EventHeader& header) -> const EventHeader& { return header; }, event);
}

}  // namespace todo::domain
