#include "domain/notification/channel.h"

#include <array>
#include <utility>

namespace todo::domain {
namespace {

constexpr std::array<std::pair<Channel, std::string_view>, 3> kChannels = {
    {{Channel::kWebhook, "webhook"}, {Channel::kEmail, "email"}, {Channel::kPush, "push"}}};

}  // namespace

std::string_view ToString(Channel channel) {
  for (const auto& [value, name] : kChannels) {
    if (value == channel) return name;
  }
  return "";
}

std::optional<Channel> ParseChannel(std::string_view text) {
  for (const auto& [value, name] : kChannels) {
    if (name == text) return value;
  }
  return std::nullopt;
}

}  // namespace todo::domain
