#pragma once

#include <optional>
#include <string>

#include "domain/ids.h"

namespace todo::service {

/// Who calls, and what makes this call a repetition of an earlier one.
struct CallContext {
  domain::UserId user;
  std::optional<domain::RequestId> request_id;  // nullopt: the caller cannot repeat the call
  std::string fingerprint;                      // of the request's content without its id
  std::string traceparent;                      // W3C, or empty
};

}  // namespace todo::service
