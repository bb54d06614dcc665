#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/mcp/json_rpc.h"

// The versions of the Model Context Protocol (https://modelcontextprotocol.io/specification), and
// what each asks of a message over HTTP. All are pure functions.

namespace todo::api::mcp {

/// The header fields of a POST that the protocol gives a meaning. Empty: not sent.
struct PostHeaders {
  std::string version;  // MCP-Protocol-Version
  std::string method;   // Mcp-Method
  std::string name;     // Mcp-Name
};

/// The way of a client to say which version it speaks.
enum class Manner {
  kHandshake,  // once, with `initialize`: versions up to 2025-11-25
  kStateless   // with every request, in `_meta`: 2026-07-28
};

/// The newest first.
const std::vector<std::string>& SupportedVersions();

/// The version of the answer to `initialize` for the version that the client asks for: that one, if
/// the server speaks it, else the newest one with a handshake.
std::string NegotiatedVersion(std::string_view asked);

/// The manner of `message`. An error: the headers and the message do not fit each other, or to any
/// supported version.
std::variant<Manner, RpcError> CheckVersion(const RpcMessage& message, const PostHeaders& headers);

}  // namespace todo::api::mcp
