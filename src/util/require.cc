#include "util/require.h"

#include <cstdlib>

#include "util/log.h"

namespace todo::util {

void RequirementBroken(std::string_view condition, std::string_view file, int line) {
  Log(Severity::kError, "precondition_broken",
      {{"condition", condition}, {"file", file}, {"line", line}});
#ifdef TODO_FAULT_POINTS  // in every preset but release
  std::abort();
#endif
}

}  // namespace todo::util
