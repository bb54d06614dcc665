#pragma once

#include <grpcpp/support/string_ref.h>

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "domain/ids.h"

// Who calls, decided from the metadata of a call and from nothing else.

namespace todo::api {

/// Metadata of a call as gRPC hands it out: keys in lower case, values as bytes.
using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

struct Identity {
  domain::UserId user;
  bool is_operator = false;
};

/// The caller of a call with this metadata. With `dev_identity` the metadata `x-user-id` is
/// believed, and `x-user-role: operator` too; without it nothing is. kUnauthenticated, with what to
/// do about it: no identity, more than one, or one that cannot be a user id.
absl::StatusOr<Identity> Identify(const Metadata& metadata, bool dev_identity);

/// The W3C traceparent of a call, in the form of version 00; empty when there is none, more than
/// one, or one that breaks the format.
std::string TraceparentOf(const Metadata& metadata);

}  // namespace todo::api
