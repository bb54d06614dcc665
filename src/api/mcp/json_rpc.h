#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>

// Messages of JSON-RPC 2.0 (https://www.jsonrpc.org/specification), as the Model Context Protocol
// uses them: one message in a body, ids are texts or whole numbers. All are pure functions.

namespace todo::api::mcp {

using Json = nlohmann::ordered_json;

/// The codes of errors, those that the Model Context Protocol adds included.
enum class RpcCode {
  kParseError = -32700,
  kInvalidRequest = -32600,
  kMethodNotFound = -32601,
  kInvalidParams = -32602,
  kInternalError = -32603,
  kResourceNotFound = -32002,  // before 2026-07-28; kInvalidParams since then
  kHeaderMismatch = -32020,
  kUnsupportedVersion = -32022
};

/// An answer that says that a message was not understood or cannot be carried out.
struct RpcError {
  RpcCode code = RpcCode::kInternalError;
  std::string message;
  Json data = nullptr;    // null: none
  int http_status = 200;  // of the response that carries the error
};

/// A message of a client. A request has both id and method, a notification no id; a message without
/// a method is an answer.
struct RpcMessage {
  Json id = nullptr;
  std::string method;
  Json params = Json::object();

  bool is_request() const { return !id.is_null() && !method.empty(); }
};

/// Reads one message. Strict, so that no two readers see different messages: refused are a
/// byte-order mark, a name that is twice in one object, NUL characters, and nesting deeper than
/// domain::NestsTooDeep allows.
std::variant<RpcMessage, RpcError> ParseMessage(std::string_view text);

// The text of an answer. `id` null: it could not be read.
std::string ResultText(const Json& id, Json result);
std::string ErrorText(const Json& id, const RpcError& error);

/// `json` on one line. Bytes that are not UTF-8 are replaced.
std::string TextOf(const Json& json);

}  // namespace todo::api::mcp
