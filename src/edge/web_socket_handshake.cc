#include "edge/web_socket_handshake.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "util/http_problem.h"

namespace todo::edge {
namespace {

constexpr std::string_view kProtocolId = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::string_view kVersion = "13";

char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool SameText(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, {}, ToLower, ToLower);
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const std::size_t begin = std::min(text.find_first_not_of(kBlank), text.size());
  const std::size_t end = text.find_last_not_of(kBlank);
  return end == std::string_view::npos ? std::string_view() : text.substr(begin, end + 1 - begin);
}

/// Whether a list of tokens, in one field or several, has `token`. `name` in lower case.
bool HasToken(const util::HttpRequestHead& head, std::string_view name, std::string_view token) {
  for (const auto& [key, value] : head.headers) {
    if (key != name) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      if (SameText(Trimmed(rest.substr(0, comma)), token)) return true;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return false;
}

/// Whether `key` is 16 bytes in base64.
bool IsKey(std::string_view key) {
  constexpr std::size_t kDigits = 22;
  const auto is_digit = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
  };
  return key.size() == kDigits + 2 && std::ranges::all_of(key.substr(0, kDigits), is_digit) &&
         key.ends_with("==");
}

util::HttpResponse WrongVersion() {
  util::HttpResponse refusal =
      util::HttpProblem(426, "this server speaks version 13 of the WebSocket protocol");
  refusal.headers.emplace_back("sec-websocket-version", kVersion);
  refusal.headers.emplace_back("upgrade", "websocket");
  return refusal;
}

}  // namespace

std::string AcceptKeyFor(std::string_view key) {
  const std::string text = std::string(key).append(kProtocolId);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  std::array<unsigned char, 2UL * EVP_MAX_MD_SIZE> base64{};
  const int length = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(size));
  return {base64.begin(), base64.begin() + length};
}

std::variant<util::HttpResponseHead, util::HttpResponse> AnswerHandshake(
    const ParsedHead& parsed, std::string_view subprotocol) {
  const util::HttpRequestHead& head = parsed.head;
  if (head.method != "GET" || parsed.http_1_0 || parsed.chunked ||
      head.content_length.value_or(0) > 0)
    return util::HttpProblem(400, "a WebSocket begins with a GET request of HTTP/1.1 without body");
  if (!HasToken(head, "upgrade", "websocket") || !HasToken(head, "connection", "upgrade"))
    return util::HttpProblem(400, "this path is for WebSockets: ask for the upgrade");
  const std::vector<std::string> versions = head.All("sec-websocket-version");
  if (versions.size() != 1 || versions.front() != kVersion) return WrongVersion();
  const std::vector<std::string> keys = head.All("sec-websocket-key");
  if (keys.size() != 1 || !IsKey(keys.front()))
    return util::HttpProblem(400, "sec-websocket-key must be one value of 16 bytes in base64");
  util::HttpResponseHead answer{
      .status = 101,
      .headers = {{"upgrade", "websocket"}, {"sec-websocket-accept", AcceptKeyFor(keys.front())}}};
  if (!subprotocol.empty()) answer.headers.emplace_back("sec-websocket-protocol", subprotocol);
  return answer;
}

}  // namespace todo::edge
