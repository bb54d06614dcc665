#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "domain/event/event.h"
#include "domain/time.h"
#include "ports/change_feed.h"

// The messages of a watch in JSON, as /ws and /events send them: one object on one line each, with
// its type. All are pure functions.

namespace todo::api {

/// "resumed", "resync", "snapshot", "update", "notification" or "ping".
std::string_view TypeOf(const ports::FeedMessage& message);

/// The text of an update is shared by all watchers; the others are made.
std::shared_ptr<const std::string> JsonOf(const ports::FeedMessage& message);

/// An error in the words that EncodeStatus chooses, for "error" before the end of a watch.
struct ErrorMessage {
  std::string json;
  std::string reason;  // the "code" in it
};
/// Precondition: `status` is not OK.
ErrorMessage ErrorMessageOf(const absl::Status& status);

/// The answer to a new token. nullopt: it never expires.
std::string TokenAcceptedJson(std::optional<domain::Instant> expires_at);

/// The cursor of "41.0195…" or "0", as /events takes it; nullopt when `text` has another form.
std::optional<domain::ChangeCursor> ParseCursor(std::string_view text);
std::string FormatCursor(const domain::ChangeCursor& cursor);

/// "all", "open" or "none"; nullopt for any other text.
std::optional<ports::SnapshotScope> ParseSnapshotScope(std::string_view text);

}  // namespace todo::api
