#include "service/consumers/event_consumer.h"

#include <string>

#include "util/status.h"

namespace todo::service {
namespace {

constexpr char kBlamedUrl[] = "todo/blamed-event";

}  // namespace

absl::Status Blame(absl::Status status, const domain::EventId& event) {
  status.SetPayload(kBlamedUrl, absl::Cord(event.value()));
  return status;
}

std::optional<domain::EventId> BlamedIn(const absl::Status& status) {
  const auto payload = status.GetPayload(kBlamedUrl);
  if (!payload) return std::nullopt;
  const std::optional<domain::Uuid> id = domain::Uuid::Parse(std::string(*payload));
  if (!id) return std::nullopt;
  return domain::EventId{*id};
}

}  // namespace todo::service
