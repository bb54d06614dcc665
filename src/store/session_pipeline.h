#pragma once

#include <functional>
#include <span>
#include <vector>

#include "store/pipeline.h"
#include "store/session.h"

// Inside the room only.

namespace todo::store {

/// Sends what `send` sends in one round trip, and answers the answers in the order of the
/// statements. All of them belong to the transaction that the session is in. The first call of a
/// session prepares `statements`, which are all that `send` may use, and always the same. Throws as
/// libpqxx does: to be called where its exceptions are caught.
std::vector<PipelineRows> SendTogether(Session& session, std::span<const Statement> statements,
                                       const std::function<void(Pipeline&)>& send);

}  // namespace todo::store
