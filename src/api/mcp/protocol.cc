#include "api/mcp/protocol.h"

#include <absl/strings/escaping.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "util/status.h"
#include "util/utf8.h"

namespace todo::api::mcp {
namespace {

constexpr std::string_view kStatelessVersion = "2026-07-28";
constexpr std::array<std::string_view, 2> kHandshakeVersions = {"2025-11-25", "2025-06-18"};

constexpr char kVersionKey[] = "io.modelcontextprotocol/protocolVersion";
constexpr char kCapabilitiesKey[] = "io.modelcontextprotocol/clientCapabilities";
/// A header value that HTTP could not carry is sent in base64 between these.
constexpr std::string_view kEncodedBegin = "=?base64?";
constexpr std::string_view kEncodedEnd = "?=";

/// Texts of a client are repeated in errors up to this length.
constexpr std::size_t kMaxQuotedBytes = 100;

bool HasHandshake(std::string_view version) {
  return std::ranges::find(kHandshakeVersions, version) != kHandshakeVersions.end();
}

RpcError Refusal(RpcCode code, std::string message, Json data = nullptr) {
  return {.code = code, .message = std::move(message), .data = std::move(data), .http_status = 400};
}

RpcError Unsupported(std::string_view version) {
  return Refusal(
      RpcCode::kUnsupportedVersion, "this version of the protocol is not supported",
      {{"supported", SupportedVersions()}, {"requested", util::CutText(version, kMaxQuotedBytes)}});
}

RpcError Mismatch(std::string_view header) {
  return Refusal(RpcCode::kHeaderMismatch,
                 fmt::format("the header {} is missing or differs from the message", header));
}

/// `name` of `object` as a text; nullopt when it is absent or something else.
std::optional<std::string> TextIn(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

/// What a header stands for; nullopt when it is not in base64 although it says so.
std::optional<std::string> Decoded(std::string_view header) {
  if (header.size() < kEncodedBegin.size() + kEncodedEnd.size() ||
      !header.starts_with(kEncodedBegin) || !header.ends_with(kEncodedEnd)) {
    return std::string(header);
  }
  header.remove_prefix(kEncodedBegin.size());
  header.remove_suffix(kEncodedEnd.size());
  std::string text;
  if (!absl::Base64Unescape(util::ToAbsl(header), &text)) return std::nullopt;
  return text;
}

/// The parameter that the header Mcp-Name repeats; nullptr: the method has none.
const char* NamingParameter(std::string_view method) {
  if (method == "tools/call") return "name";
  return method == "resources/read" ? "uri" : nullptr;
}

std::variant<Manner, RpcError> CheckStateless(const RpcMessage& message, const Json& meta,
                                              const PostHeaders& headers) {
  if (!message.is_request()) return Manner::kStateless;
  const auto capabilities = meta.find(kCapabilitiesKey);
  if (capabilities == meta.end() || !capabilities->is_object()) {
    return Refusal(RpcCode::kInvalidParams,
                   fmt::format("_meta must have the object {}", kCapabilitiesKey));
  }
  if (headers.method != message.method) return Mismatch("Mcp-Method");
  if (const char* parameter = NamingParameter(message.method)) {
    const std::optional<std::string> name = TextIn(message.params, parameter);
    if (name && Decoded(headers.name) != name) return Mismatch("Mcp-Name");
  }
  return Manner::kStateless;
}

}  // namespace

const std::vector<std::string>& SupportedVersions() {
  static const std::vector<std::string> versions = [] {
    std::vector<std::string> all = {std::string(kStatelessVersion)};
    all.insert(all.end(), kHandshakeVersions.begin(), kHandshakeVersions.end());
    return all;
  }();
  return versions;
}

std::string NegotiatedVersion(std::string_view asked) {
  return std::string(HasHandshake(asked) ? asked : kHandshakeVersions.front());
}

std::variant<Manner, RpcError> CheckVersion(const RpcMessage& message, const PostHeaders& headers) {
  if (message.method == "initialize") return Manner::kHandshake;
  const auto meta = message.params.find("_meta");
  const std::optional<std::string> version =
      meta != message.params.end() && meta->is_object() ? TextIn(*meta, kVersionKey) : std::nullopt;
  if (version && *version != headers.version) return Mismatch("MCP-Protocol-Version");
  // Clients older than the header send none.
  if (headers.version.empty() || HasHandshake(headers.version)) return Manner::kHandshake;
  if (headers.version != kStatelessVersion) return Unsupported(headers.version);
  if (version) return CheckStateless(message, *meta, headers);
  if (!message.is_request()) return Manner::kStateless;
  return Refusal(RpcCode::kInvalidParams, fmt::format("_meta must have {}", kVersionKey));
}

}  // namespace todo::api::mcp
