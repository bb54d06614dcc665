#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "google/rpc/status.pb.h"
#include "util/http_exchange.h"

// Errors as the Connect protocol shows them. Thread safety: all are pure functions.

namespace todo::api::connect {

/// The reason of a refusal that trying again does not help, although its code is
/// RESOURCE_EXHAUSTED.
inline constexpr char kMessageTooLong[] = "MESSAGE_TOO_LONG";

/// "not_found" for 5; codes outside of gRPC's count as unknown.
std::string_view NameOfCode(int code);
/// The HTTP status of a unary answer with this code; 200 for OK.
int HttpStatusOf(int code);

/// How a refusal of the protocol itself looks to callers: with which message and details.
using StatusEncoder = std::function<google::rpc::Status(const absl::Status&)>;

/// The body of a unary error: code, message and details, each with its content in JSON where the
/// type is known to this program.
std::string ErrorJson(const google::rpc::Status& error);

/// The payload of the last envelope of a stream. OK: without an error. `trailers` are sent along.
std::string EndOfStreamJson(const google::rpc::Status& status, const util::HttpHeaders& trailers);

/// The whole answer to a unary call that failed, with a line break at its end for terminals. Errors
/// with a RetryInfo get a Retry-After header.
util::HttpResponse UnaryError(const google::rpc::Status& error);

/// The whole answer to a stream that failed before its first message.
util::HttpResponse StreamError(const google::rpc::Status& error, std::string_view content_type);

}  // namespace todo::api::connect
