// Feeds the readers of HTTP requests whatever comes. Stops at anything that their headers rule out.
//
// An input is bytes as a client sends them: a head, perhaps of a handshake for a WebSocket, then
// perhaps a body in chunks.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "edge/chunked_decoder.h"
#include "edge/head_parser.h"
#include "edge/web_socket_handshake.h"
#include "require.h"
#include "util/http_exchange.h"

namespace {

using todo::edge::ChunkedDecoder;
using todo::edge::ParsedHead;
using todo::fuzz::Require;

constexpr std::size_t kMaxFields = 20;
constexpr std::size_t kMaxBodyBytes = 1'000;

struct Decoded {
  ChunkedDecoder::State state = ChunkedDecoder::State::kMore;
  std::string body;
  std::size_t used = 0;

  bool operator==(const Decoded&) const = default;
};

Decoded Decode(std::string_view bytes, std::size_t part_bytes) {
  ChunkedDecoder decoder(kMaxBodyBytes);
  Decoded decoded;
  while (decoded.state == ChunkedDecoder::State::kMore && decoded.used < bytes.size()) {
    std::string_view part = bytes.substr(decoded.used, part_bytes);
    const std::size_t before = part.size();
    decoded.state = decoder.Decode(part, decoded.body);
    decoded.used += before - part.size();
    Require(decoded.state != ChunkedDecoder::State::kMore || part.empty(),
            "a decoder that wants more has used all");
  }
  Require(decoded.body.size() <= kMaxBodyBytes, "the body keeps to its bound");
  return decoded;
}

void CheckChunks(std::string_view bytes) {
  const Decoded whole = Decode(bytes, bytes.size() + 1);
  Require(Decode(bytes, 1) == whole, "the cuts between parts do not matter");
  Require(Decode(bytes, 7) == whole, "the cuts between parts do not matter");
}

void CheckHandshake(const ParsedHead& parsed) {
  const auto answer = todo::edge::AnswerHandshake(parsed, "todo.v1");
  if (const auto* const head = std::get_if<todo::util::HttpResponseHead>(&answer)) {
    Require(head->status == 101 && parsed.head.method == "GET" && !parsed.chunked,
            "a WebSocket begins with a GET");
  } else {
    const int status = std::get<todo::util::HttpResponse>(answer).status;
    Require(status == 400 || status == 426, "a refusal has a status of its own");
  }
}

void CheckHead(const ParsedHead& parsed) {
  Require(todo::edge::IsToken(parsed.head.method), "the method is a token");
  Require(parsed.head.path.starts_with('/') || parsed.head.path == "*", "the path begins with /");
  Require(parsed.head.headers.size() <= kMaxFields, "the fields keep to their bound");
  Require(!parsed.chunked || !parsed.head.content_length, "a body has one framing");
  for (const auto& [name, value] : parsed.head.headers) {
    Require(todo::edge::IsToken(name), "the name of a field is a token");
    Require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos,
            "the value of a field is one line");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  CheckChunks(bytes);
  const std::optional<std::size_t> end = todo::edge::FindHeadEnd(bytes, 0);
  if (!end) return 0;
  Require(*end <= size, "the head ends within the bytes");
  Require(todo::edge::FindHeadEnd(bytes.substr(0, *end), *end - 1) == end,
          "the end of a head does not depend on how its bytes arrive");
  const auto result = todo::edge::ParseHead(bytes.substr(0, *end), kMaxFields);
  if (const auto* parsed = std::get_if<ParsedHead>(&result)) {
    CheckHead(*parsed);
    CheckHandshake(*parsed);
    CheckChunks(bytes.substr(*end));
  } else {
    const int status = std::get<todo::edge::HeadFault>(result).status;
    Require(status >= 400 && status <= 599, "a refusal has a status of its own");
  }
  return 0;
}
