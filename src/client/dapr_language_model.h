#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "client/dapr_client.h"
#include "ports/language_model.h"

namespace todo::client {

/// LanguageModel through the sidecar's Conversation API. Every failure is kUnavailable, an answer
/// that is beyond the bounds included: the sentence was not understood, and nothing else can be
/// done about it. Blocks up to `timeout`. Thread safety: as the port says.
class DaprLanguageModel final : public ports::LanguageModel {
 public:
  struct Options {
    std::string component = {};
    std::chrono::milliseconds timeout{10'000};
    std::size_t max_calls = 50;              // of tools, in one answer
    std::size_t max_argument_bytes = 8'192;  // of one call
  };
  /// `client` must outlive this.
  DaprLanguageModel(DaprClient& client, Options options)
      : client_(client), options_(std::move(options)) {}

  const std::string& name() const override { return options_.component; }
  absl::StatusOr<std::vector<ports::ModelCall>> Choose(
      const std::string& instructions, const std::string& text,
      const std::vector<ports::ModelTool>& tools) override;

 private:
  DaprClient& client_;
  const Options options_;
};

}  // namespace todo::client
