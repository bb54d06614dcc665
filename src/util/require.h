#pragma once

#include <string_view>

/// Checks a precondition: TODO_REQUIRE(shard < kShards). A broken one is logged with its place. It
/// then ends the process, except in a release, which goes on: there a mistake of ours must not take
/// the service away from its users. Input from outside is never a precondition: answer a status.
#define TODO_REQUIRE(condition)                        \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::todo::util::RequirementBroken(#condition, __FILE__, __LINE__))

namespace todo::util {

void RequirementBroken(std::string_view condition, std::string_view file, int line);

}  // namespace todo::util
