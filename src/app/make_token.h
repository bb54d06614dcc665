#pragma once

#include <string>
#include <vector>

#include "ports/clock.h"

namespace todo::app {

/// What a command prints, and its exit code.
struct CommandResult {
  int exit_code = 0;
  std::string output;  // for the standard output
  std::string errors;  // for the standard error output
};

/// The command `make-token`: makes private keys, their public halves for --auth-jwks-file, and
/// tokens. `arguments` are those behind the command's name; MakeToken({"--help"}) explains them.
/// Exit code 2: the arguments are wrong. 1: a file cannot be read or written.
CommandResult MakeToken(const std::vector<std::string>& arguments, const ports::Clock& clock);

}  // namespace todo::app
