#pragma once

#include <optional>
#include <string_view>

namespace todo::domain {

/// A kind of endpoint that notifications are sent to. The list inside the app is no channel.
enum class Channel { kWebhook, kEmail, kPush };

/// "webhook", "email" or "push".
std::string_view ToString(Channel channel);
/// nullopt: `text` is none of these names.
std::optional<Channel> ParseChannel(std::string_view text);

}  // namespace todo::domain
