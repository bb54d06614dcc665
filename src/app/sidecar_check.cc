#include "app/sidecar_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "app/streams.h"

namespace todo::app {
namespace {

/// The fault of the component `name`, whose type should start with `type`; empty: none.
std::string ComponentGap(const client::SidecarMetadata& sidecar, std::string_view name,
                         std::string_view type) {
  const auto found =
      std::ranges::find(sidecar.components, name, &client::SidecarMetadata::Component::name);
  if (found == sidecar.components.end()) return fmt::format("component {} ({})", name, type);
  if (found->type.starts_with(type)) return "";
  return fmt::format("component {} is {}, not {}", name, found->type, type);
}

/// The fault of the subscription to `stream`; empty: none.
std::string SubscriptionGap(const client::SidecarMetadata& sidecar, const Stream& stream) {
  for (const auto& subscription : sidecar.subscriptions) {
    if (subscription.pubsub_name != stream.pubsub || subscription.topic != stream.topic) continue;
    if (!subscription.dead_letter_topic.empty()) {
      return fmt::format(
          "subscription to {} has the dead-letter topic {}: only the service may decide that",
          stream.topic, subscription.dead_letter_topic);
    }
    if (std::ranges::any_of(subscription.rules,
                            [&](const auto& rule) { return rule.path == stream.route; }))
      return "";
    return fmt::format("subscription to {} on {} has no route {}", stream.topic, stream.pubsub,
                       stream.route);
  }
  return fmt::format("subscription to {} on {}, route {}", stream.topic, stream.pubsub,
                     stream.route);
}

}  // namespace

SidecarGaps FindGaps(const client::SidecarMetadata& sidecar, const Config& config) {
  SidecarGaps gaps;
  const auto add = [](std::vector<std::string>& list, std::string gap) {
    if (!gap.empty()) list.push_back(std::move(gap));
  };
  const std::string_view bus = config.bus == Bus::kKafka ? "pubsub.kafka" : "pubsub.in-memory";
  if (config.takes_events()) add(gaps.missing, ComponentGap(sidecar, config.pubsub, bus));
  for (const Stream& stream : StreamsOf(config)) {
    if (stream.kind == Stream::Kind::kWork) {
      add(gaps.missing, SubscriptionGap(sidecar, stream));
      continue;
    }
    std::string gap = ComponentGap(sidecar, stream.pubsub, bus);
    if (gap.empty()) gap = SubscriptionGap(sidecar, stream);
    if (!gap.empty()) gap += ": changes reach live screens late, by the check of their cursors";
    add(gaps.optional, std::move(gap));
  }
  add(gaps.optional, ComponentGap(sidecar, config.statestore, "state."));
  add(gaps.optional, ComponentGap(sidecar, config.secretstore, "secretstores."));
  return gaps;
}

}  // namespace todo::app
