#pragma once

#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "store/pipeline.h"
#include "store/session.h"

// Inside the room only.

namespace todo::store {

/// Sends what `send` sends in one round trip, and answers the answers in the order of the
/// statements. All of them belong to the transaction that the session is in. `statements` are those
/// that `send` may use; a session prepares them when it first needs them. Throws as libpqxx does:
/// to be called where its exceptions are caught.
std::vector<PipelineRows> SendTogether(Session& session, std::span<const Statement> statements,
                                       const std::function<void(Pipeline&)>& send);

/// The same for one statement, whose parameters libpqxx could not take.
PipelineRows SendAlone(Session& session, const Statement& statement,
                       std::initializer_list<std::string> parameters);

}  // namespace todo::store
