#include "api/mcp/json_rpc.h"

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "domain/event/event_reader.h"
#include "util/utf8.h"

namespace todo::api::mcp {
namespace {

RpcError Malformed(RpcCode code, std::string message) {
  return {.code = code, .message = std::move(message), .data = nullptr, .http_status = 400};
}

/// `text` as JSON; nullopt when it is anything else.
std::optional<Json> ParseStrictly(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark) || domain::NestsTooDeep(text) ||
      !util::CountCharacters(text).has_value()) {
    return std::nullopt;
  }
  bool doubled = false;
  std::vector<std::set<std::string>> names;  // of each open object
  const auto see = [&](int /*depth*/, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) names.emplace_back();
    if (event == Json::parse_event_t::object_end) names.pop_back();
    if (event == Json::parse_event_t::key && !names.back().insert(parsed.get<std::string>()).second)
      doubled = true;
    return true;
  };
  Json json = Json::parse(text, see, /*allow_exceptions=*/false);
  if (json.is_discarded() || doubled) return std::nullopt;
  return json;
}

Json Envelope(const Json& id) { return {{"jsonrpc", "2.0"}, {"id", id}}; }

}  // namespace

std::variant<RpcMessage, RpcError> ParseMessage(std::string_view text) {
  std::optional<Json> json = ParseStrictly(text);
  if (!json) {
    return Malformed(RpcCode::kParseError,
                     "the body must be one JSON message in UTF-8 without doubled names");
  }
  if (json->is_array()) {
    return Malformed(RpcCode::kInvalidRequest,
                     "batches are not taken: send each message in a request of its own");
  }
  if (!json->is_object() || json->value("jsonrpc", Json()) != "2.0")
    return Malformed(RpcCode::kInvalidRequest, R"(the message must have "jsonrpc": "2.0")");
  RpcMessage message;
  if (const auto id = json->find("id"); id != json->end()) {
    if (!id->is_string() && !id->is_number_integer()) {
      return Malformed(RpcCode::kInvalidRequest,
                       "the id of a request must be a text or a whole number");
    }
    message.id = *id;
  }
  if (const auto params = json->find("params"); params != json->end()) {
    if (!params->is_object())
      return Malformed(RpcCode::kInvalidRequest, "the params of a message must be an object");
    message.params = std::move(*params);
  }
  if (json->contains("result") || json->contains("error")) return message;
  const auto method = json->find("method");
  if (method == json->end() || !method->is_string() || method->get_ref<std::string&>().empty())
    return Malformed(RpcCode::kInvalidRequest, "the message must name its method");
  message.method = std::move(method->get_ref<std::string&>());
  return message;
}

std::string ResultText(const Json& id, Json result) {
  Json answer = Envelope(id);
  answer["result"] = std::move(result);
  return TextOf(answer);
}

std::string ErrorText(const Json& id, const RpcError& error) {
  Json answer = Envelope(id);
  answer["error"] = {{"code", static_cast<int>(error.code)}, {"message", error.message}};
  if (!error.data.is_null()) answer["error"]["data"] = error.data;
  return TextOf(answer);
}

std::string TextOf(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace todo::api::mcp
