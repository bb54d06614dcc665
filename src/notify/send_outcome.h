#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "ports/notification_senders.h"
#include "util/one_line.h"
#include "util/status.h"

namespace todo::notify {

/// The outcome of an attempt that got no answer from the other side. `why` is for the delivery log.
inline ports::SendOutcome Unanswered(ports::SendOutcome::Kind kind, std::string_view why) {
  constexpr std::size_t kMaxDetailBytes = 500;
  ports::SendOutcome outcome;
  outcome.kind = kind;
  outcome.detail = util::OneLine(why, kMaxDetailBytes);
  return outcome;
}
inline ports::SendOutcome Unanswered(ports::SendOutcome::Kind kind, const absl::Status& why) {
  return Unanswered(kind, util::FromAbsl(why.message()));
}

}  // namespace todo::notify
