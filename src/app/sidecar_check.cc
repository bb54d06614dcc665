#include "app/sidecar_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace todo::app {
namespace {

/// What is wrong with the component `name`, which should be of a type that starts with `type`;
/// empty: nothing.
std::string ComponentGap(const client::SidecarMetadata& sidecar, std::string_view name,
                         std::string_view type) {
  const auto found =
      std::ranges::find(sidecar.components, name, &client::SidecarMetadata::Component::name);
  if (found == sidecar.components.end()) return fmt::format("component {} ({})", name, type);
  if (found->type.starts_with(type)) return "";
  return fmt::format("component {} is {}, not {}", name, found->type, type);
}

std::string SubscriptionGap(const client::SidecarMetadata& sidecar, std::string_view pubsub,
                            std::string_view topic, std::string_view route) {
  for (const auto& subscription : sidecar.subscriptions) {
    if (subscription.pubsub_name != pubsub || subscription.topic != topic) continue;
    if (!subscription.dead_letter_topic.empty()) {
      return fmt::format(
          "subscription to {} has the dead-letter topic {}: only the service may decide that",
          topic, subscription.dead_letter_topic);
    }
    if (std::ranges::any_of(subscription.rules,
                            [&](const auto& rule) { return rule.path == route; }))
      return "";
    return fmt::format("subscription to {} on {} has no route {}", topic, pubsub, route);
  }
  return fmt::format("subscription to {} on {}, route {}", topic, pubsub, route);
}

}  // namespace

std::vector<appcallback::Subscription> SubscriptionsOf(const Config& config) {
  return {{.topic = config.task_events_topic, .route = "/events/tasks"},
          {.topic = config.reminders_topic, .route = "/events/reminders"}};
}

SidecarGaps FindGaps(const client::SidecarMetadata& sidecar, const Config& config) {
  SidecarGaps gaps;
  const auto add = [](std::vector<std::string>& list, std::string gap) {
    if (!gap.empty()) list.push_back(std::move(gap));
  };
  add(gaps.missing, ComponentGap(sidecar, config.pubsub,
                                 config.bus == Bus::kKafka ? "pubsub.kafka" : "pubsub.in-memory"));
  for (const appcallback::Subscription& wanted : SubscriptionsOf(config))
    add(gaps.missing, SubscriptionGap(sidecar, config.pubsub, wanted.topic, wanted.route));
  add(gaps.optional, ComponentGap(sidecar, config.statestore, "state."));
  add(gaps.optional, ComponentGap(sidecar, config.secretstore, "secretstores."));
  return gaps;
}

}  // namespace todo::app
