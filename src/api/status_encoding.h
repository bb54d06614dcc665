#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace todo::api {

/// What a caller is told of `status`: the same code and message, with google.rpc details. Every
/// error carries an ErrorInfo (reason: util::ReasonOf, else the name of the code), refused fields a
/// BadRequest, and what may succeed later (UNAVAILABLE, RESOURCE_EXHAUSTED) a RetryInfo. Texts that
/// were written for our logs are replaced: always those of INTERNAL and DATA_LOSS (log them where
/// this is called), and those of failures that carry no reason, such as an UNAVAILABLE of the
/// database. A status that is made for callers has a reason or violations. The answer fits into the
/// 8 KiB of trailers that clients accept: long texts and lists are cut, visibly.
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace todo::api
