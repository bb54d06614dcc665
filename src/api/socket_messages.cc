#include "api/socket_messages.h"

#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "api/feed_json.h"
#include "domain/event/event_reader.h"
#include "util/status.h"

namespace todo::api {
namespace {

using nlohmann::json;

absl::Status Malformed(std::string_view text) {
  return util::WithReason(util::MakeStatus(absl::StatusCode::kInvalidArgument, text),
                          "MALFORMED_MESSAGE");
}

/// `text` as one JSON object without doubled names; nullopt when it is anything else.
std::optional<json> ParseObject(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark) || domain::NestsTooDeep(text)) return std::nullopt;
  std::set<std::string> names;
  bool doubled = false;
  // No member of these messages is an object, so a name in an inner object is no worse than any.
  const auto see = [&](int /*depth*/, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::key && !names.insert(parsed.get<std::string>()).second)
      doubled = true;
    return true;
  };
  json object = json::parse(text, see, /*allow_exceptions=*/false);
  if (!object.is_object() || doubled) return std::nullopt;
  return object;
}

/// Takes the members of one message, one by one.
class Members {
 public:
  explicit Members(json object) : object_(std::move(object)) {}

  /// The text `name`; nullopt when it is missing.
  absl::StatusOr<std::optional<std::string>> Text(const char* name) {
    const auto found = object_.find(name);
    if (found == object_.end()) return std::optional<std::string>();
    if (!found->is_string()) return Malformed(fmt::format("{} must be a text", name));
    std::optional<std::string> text(std::move(found->get_ref<std::string&>()));
    object_.erase(found);
    return text;
  }

  /// The members `seq` and `event_id`; nullopt when both are missing.
  absl::StatusOr<std::optional<domain::ChangeCursor>> Cursor() {
    const json seq = Take("seq");
    const json event_id = Take("event_id");
    if (seq.is_discarded() && event_id.is_discarded()) return std::optional<domain::ChangeCursor>();
    if (seq.is_discarded() || event_id.is_discarded())
      return Malformed("seq and event_id belong together: send both or neither");
    if (!seq.is_number_unsigned() || seq.get<std::uint64_t>() > INT64_MAX)
      return Malformed("seq must be a whole number that is not less than zero");
    domain::ChangeCursor cursor{.seq = seq.get<std::int64_t>(), .event_id = {}};
    if (cursor.seq == 0 && event_id.is_null()) return std::optional(cursor);
    const auto uuid = event_id.is_string()
                          ? domain::Uuid::Parse(event_id.get_ref<const std::string&>())
                          : std::nullopt;
    if (!uuid || cursor.seq == 0)
      return Malformed("event_id must be the id of the change seq: a UUID, or null when seq is 0");
    cursor.event_id = {*uuid};
    return std::optional(cursor);
  }

  /// OK when nothing is left.
  absl::Status CheckEmpty(std::string_view type) const {
    if (object_.empty()) return absl::OkStatus();
    return Malformed(
        fmt::format("the message of type {} has a member that it does not know", type));
  }

 private:
  json Take(const char* name) {
    const auto found = object_.find(name);
    if (found == object_.end()) return json(json::value_t::discarded);
    json value = std::move(*found);
    object_.erase(found);
    return value;
  }

  json object_;
};

absl::StatusOr<SocketMessage> ReadHello(Members members) {
  HelloMessage hello;
  TODO_ASSIGN_OR_RETURN(hello.token, members.Text("token"));
  TODO_ASSIGN_OR_RETURN(hello.ticket, members.Text("ticket"));
  TODO_ASSIGN_OR_RETURN(hello.user_id, members.Text("user_id"));
  TODO_ASSIGN_OR_RETURN(hello.cursor, members.Cursor());
  TODO_ASSIGN_OR_RETURN(const std::optional<std::string> scope, members.Text("snapshot"));
  TODO_RETURN_IF_ERROR(members.CheckEmpty("hello"));
  if (hello.ticket.has_value() && (hello.token.has_value() || hello.user_id.has_value()))
    return Malformed("send a token or a ticket, not both");
  if (hello.ticket == "") return Malformed("ticket must not be empty");
  if (!scope) return hello;
  const std::optional<ports::SnapshotScope> known = ParseSnapshotScope(*scope);
  if (!known) return Malformed("snapshot must be all, open or none");
  hello.scope = *known;
  return hello;
}

absl::StatusOr<SocketMessage> ReadToken(Members members) {
  TODO_ASSIGN_OR_RETURN(std::optional<std::string> token, members.Text("token"));
  TODO_RETURN_IF_ERROR(members.CheckEmpty("token"));
  if (!token) return Malformed("the message of type token has no token");
  return TokenMessage{.token = *std::move(token)};
}

}  // namespace

absl::StatusOr<SocketMessage> ParseSocketMessage(std::string_view text) {
  std::optional<json> object = ParseObject(text);
  if (!object) return Malformed("a message must be one JSON object without doubled names");
  Members members(*std::move(object));
  TODO_ASSIGN_OR_RETURN(const std::optional<std::string> type, members.Text("type"));
  if (type == "hello") return ReadHello(std::move(members));
  if (type == "token") return ReadToken(std::move(members));
  return Malformed("the type of a message must be hello or token");
}

}  // namespace todo::api
