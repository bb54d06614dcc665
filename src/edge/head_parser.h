#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "util/http_exchange.h"

// The head of an HTTP/1.x request: its request line and fields. Everything here is pure. The rules
// are the strict ones of RFC 9112: a head that two readers could understand differently is refused,
// because a proxy in front of this server may be the other reader.

namespace todo::edge {

struct ParsedHead {
  util::HttpRequestHead head;  // without the facts of the connection: peer, encrypted
  bool http_1_0 = false;
  bool keep_alive = true;         // the client keeps the connection after this request
  bool chunked = false;           // the body comes in chunks; else it has head.content_length bytes
  bool expects_continue = false;  // the client waits for "100 Continue" before it sends the body
};

/// Why a head is refused.
struct HeadFault {
  int status = 400;
  std::string detail;
};

/// The length of the head at the beginning of `bytes`, with its empty line. nullopt: not complete
/// yet. The first `searched` bytes were looked at before. Bytes that cannot stand in any head end
/// it early, so that ParseHead refuses it without waiting for more.
std::optional<std::size_t> FindHeadEnd(std::string_view bytes, std::size_t searched);

/// `text`: a head as FindHeadEnd measured it.
std::variant<ParsedHead, HeadFault> ParseHead(std::string_view text, std::size_t max_fields);

/// Whether `text` is a token of HTTP: letters, digits and a few signs, at least one.
bool IsToken(std::string_view text);

}  // namespace todo::edge
