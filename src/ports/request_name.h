#pragma once

#include <string>

#include "domain/ids.h"

namespace todo::ports {

/// Identifies a call, so that its repetition is recognized (see Mutation).
struct RequestName {
  domain::UserId user;
  domain::RequestId request_id;
  std::string fingerprint;
};

}  // namespace todo::ports
