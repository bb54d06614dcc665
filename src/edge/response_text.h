#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "util/http_exchange.h"

// How responses look on the wire. Everything here but the date is pure.

namespace todo::edge {

/// How a response is framed; the request decides most of it.
struct Framing {
  bool keep_alive = true;
  bool http_1_0 = false;
  /// nullopt: the length is not known; the body comes in chunks, for HTTP/1.0 until the close.
  std::optional<std::size_t> content_length;
};

/// Status line and fields with the empty line. The server's own fields (content-length, date, …)
/// replace those of `head`; `more` are further fields. The security fields are added unless `head`
/// has its own.
std::string ResponseHeadText(const util::HttpResponseHead& head, const util::HttpHeaders& more,
                             const Framing& framing);

/// `piece`, not empty, as a chunk.
std::string ChunkText(const std::string& piece);
/// The end of a body in chunks.
inline constexpr const char* kLastChunk = "0\r\n\r\n";

/// Whether a response of this status has a body at all.
bool HasBody(int status);

}  // namespace todo::edge
