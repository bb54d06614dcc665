#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "api/connect/codec.h"
#include "api/connect/error.h"
#include "util/http_exchange.h"

// What the head of a request says about a call. Thread safety: all are pure functions.

namespace todo::api::connect {

/// A method, as far as the protocol must know it.
struct MethodShape {
  bool read_only = false;  // has no side effects: offered by GET too, unless it streams
  bool streams = false;    // answers with a stream of messages
};

struct CallHead {
  Codec codec = Codec::kJson;
  bool streams = false;
  bool gzipped = false;       // the message of a unary request; envelopes say it themselves where
                              // this is true
  bool accepts_gzip = false;  // the caller can read answers in gzip
  std::optional<std::chrono::milliseconds> timeout;
  /// The message of a GET, with its percent and base64 encodings undone; nullopt: it is in the
  /// body.
  std::optional<std::string> message;

  /// Of the answer, when it is no unary error.
  std::string content_type() const;
};

/// The answer is a refusal: 405 and 415 are problems outside of the protocol; malformed headers and
/// queries are errors of it, which `encode` puts into words.
std::variant<CallHead, util::HttpResponse> ReadCallHead(const util::HttpRequestHead& head,
                                                        const MethodShape& method,
                                                        const StatusEncoder& encode);

/// Whether a request with this head expects an answer in the form of a stream, even when its method
/// is unknown. Then this is the content type; else empty.
std::string_view StreamContentTypeOf(const util::HttpRequestHead& head);

/// The parameters of a query in their order, percent signs and plus signs decoded.
/// kInvalidArgument: a percent sign without two hexadecimal digits.
absl::StatusOr<std::vector<std::pair<std::string, std::string>>> DecodeQuery(
    std::string_view query);

}  // namespace todo::api::connect
