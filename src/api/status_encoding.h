#pragma once

#include "absl/status/status.h"
#include "google/rpc/status.pb.h"

namespace todo::api {

/// The answer that a caller gets for `status`: its code and message, with google.rpc details. Every
/// error carries an ErrorInfo (reason: util::ReasonOf, else the name of the code); wrong fields are
/// in a BadRequest; UNAVAILABLE and RESOURCE_EXHAUSTED have a RetryInfo of util::RetryAfterOf, else
/// of one second, except a message that is too long, which no later call makes shorter.
///
/// A status with a reason or with violations is made for callers, and its message is kept. Other
/// messages were written for our logs and are replaced by a general text; those of INTERNAL and
/// DATA_LOSS always are, so log them before. Long texts and lists are cut, visibly, because the
/// answer must fit into the 8 KiB of trailers that gRPC clients accept. OK stays OK, without
/// details. Thread safety: a pure function. Never blocks.
google::rpc::Status EncodeStatus(const absl::Status& status);

}  // namespace todo::api
