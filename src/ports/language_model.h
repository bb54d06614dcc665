#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace todo::ports {

/// A function that a model may choose, with its arguments as a JSON schema.
struct ModelTool {
  std::string name;
  std::string description;
  std::string parameters_schema;  // JSON
};

/// A choice of the model: nothing of it can be trusted.
struct ModelCall {
  std::string name;
  std::string arguments;  // JSON, as the model wrote it
  bool operator==(const ModelCall&) const = default;
};

/// A language model behind the sidecar.
/// Thread safety: Choose may be called from many threads at once. It blocks, with a deadline of its
/// own. kUnavailable: the model cannot be asked now.
class LanguageModel {
 public:
  virtual ~LanguageModel() = default;

  /// What the model calls itself in answers: the name of its component.
  virtual const std::string& name() const = 0;
  /// The tools that the model calls for `text` of a user; `instructions` say what it is about.
  virtual absl::StatusOr<std::vector<ModelCall>> Choose(const std::string& instructions,
                                                        const std::string& text,
                                                        const std::vector<ModelTool>& tools) = 0;
};

}  // namespace todo::ports
