#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "google/rpc/status.pb.h"
#include "util/http_exchange.h"

// Errors as the Connect protocol shows them. Thread safety: all are pure functions.

namespace todo::api::connect {

/// "not_found" for 5; codes outside of gRPC's count as unknown.
std::string_view NameOfCode(int code);
/// The HTTP status of a unary answer with this code; 200 for OK.
int HttpStatusOf(int code);

/// The body of a unary error: code, message and details, each with its content in JSON where the
/// type is known to this program.
std::string ErrorJson(const google::rpc::Status& error);

/// The payload of the last envelope of a stream. OK: without an error. `trailers` are sent along.
std::string EndOfStreamJson(const google::rpc::Status& status, const util::HttpHeaders& trailers);

/// The whole answer to a unary call that failed. Errors with a RetryInfo get a Retry-After header.
util::HttpResponse UnaryError(const google::rpc::Status& error);

/// The whole answer to a stream that failed before its first message.
util::HttpResponse StreamError(const google::rpc::Status& error, std::string_view content_type);

/// A refusal outside of the protocol, as application/problem+json (RFC 9457).
struct Problem {
  int status = 400;
  std::string title;   // the same for all problems of this kind
  std::string detail;  // what is wrong and what to do
};
util::HttpResponse ProblemResponse(const Problem& problem);

}  // namespace todo::api::connect
