#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "domain/event/event.h"
#include "ports/change_feed.h"

// The messages of clients of /ws. A pure function reads them.

namespace todo::api {

/// The first message. A proof of identity may also be in the handshake.
struct HelloMessage {
  std::optional<std::string> token;
  std::optional<std::string> ticket;
  std::optional<std::string> user_id;  // counts with --dev-identity only
  std::optional<domain::ChangeCursor> cursor;
  ports::SnapshotScope scope = ports::SnapshotScope::kAll;
};

/// A new token in place of one that expires soon.
struct TokenMessage {
  std::string token;
};

using SocketMessage = std::variant<HelloMessage, TokenMessage>;

/// kInvalidArgument with reason MALFORMED_MESSAGE, and what is wrong: `text` is not one JSON object
/// without doubled names, is of an unknown type, or has a member that its type does not have. The
/// text quotes nothing of the message.
absl::StatusOr<SocketMessage> ParseSocketMessage(std::string_view text);

}  // namespace todo::api
