#pragma once

#include <string_view>

#include "util/http_exchange.h"

namespace todo::util {

/// The usual words for an HTTP status: "Not Found".
std::string_view HttpReason(int status);

/// An error as application/problem+json (RFC 9457): the status, its usual words as the title, and
/// `detail` in words that tell the client what to do.
HttpResponse HttpProblem(int status, std::string_view detail);

}  // namespace todo::util
