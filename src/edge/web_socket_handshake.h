#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "edge/head_parser.h"
#include "util/http_exchange.h"

// The opening handshake of a WebSocket (RFC 6455, section 4.2). Everything here is pure.

namespace todo::edge {

/// The value of sec-websocket-accept for a client's sec-websocket-key.
std::string AcceptKeyFor(std::string_view key);

/// The head of the answer (101) to a request for a WebSocket, without the connection field, or the
/// refusal of a request that is none. `subprotocol`: see util::WebSocketAcceptance. No extension is
/// ever agreed to.
std::variant<util::HttpResponseHead, util::HttpResponse> AnswerHandshake(
    const ParsedHead& parsed, std::string_view subprotocol);

}  // namespace todo::edge
