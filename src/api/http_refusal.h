#pragma once

#include "absl/status/status.h"
#include "util/http_exchange.h"

namespace todo::api {

/// The answer of HTTP to a request that is refused with `status`, which is not OK: a problem
/// (RFC 9457) with the text of EncodeStatus, and the headers that belong to 401, 429 and 503. A
/// pure function.
util::HttpResponse RefusalOf(const absl::Status& status);

}  // namespace todo::api
