#include "client/dapr_language_model.h"

#include <fmt/format.h>

#include <string_view>

#include "google/protobuf/util/json_util.h"
#include "util/require.h"
#include "util/status.h"

namespace todo::client {
namespace {

namespace runtime = dapr::proto::runtime::v1;

absl::Status Unavailable(std::string_view why) {
  return util::MakeStatus(absl::StatusCode::kUnavailable, fmt::format("dapr: converse: {}", why));
}

runtime::ConversationRequestAlpha2 RequestFor(const std::string& instructions,
                                              const std::string& text,
                                              const std::vector<ports::ModelTool>& tools) {
  runtime::ConversationRequestAlpha2 request;
  auto& messages = *request.add_inputs()->mutable_messages();
  messages.Add()->mutable_of_system()->add_content()->set_text(instructions);
  messages.Add()->mutable_of_user()->add_content()->set_text(text);
  for (const ports::ModelTool& tool : tools) {
    auto& function = *request.add_tools()->mutable_function();
    function.set_name(tool.name);
    function.set_description(tool.description);
    const auto parsed = google::protobuf::util::JsonStringToMessage(tool.parameters_schema,
                                                                    function.mutable_parameters());
    TODO_REQUIRE(parsed.ok());  // the schemas are constants of this program
  }
  request.set_tool_choice("auto");
  return request;
}

}  // namespace

absl::StatusOr<std::vector<ports::ModelCall>> DaprLanguageModel::Choose(
    const std::string& instructions, const std::string& text,
    const std::vector<ports::ModelTool>& tools) {
  runtime::ConversationRequestAlpha2 request = RequestFor(instructions, text, tools);
  request.set_name(options_.component);
  runtime::ConversationResponseAlpha2 response;
  const auto context = client_.NewContext(options_.timeout);
  const grpc::Status status = client_.stub().ConverseAlpha2(context.get(), request, &response);
  if (!status.ok()) return Unavailable(status.error_message());
  std::vector<ports::ModelCall> calls;
  if (response.outputs().empty() || response.outputs(0).choices().empty()) return calls;
  for (const auto& call : response.outputs(0).choices(0).message().tool_calls()) {
    const auto& function = call.function();
    if (calls.size() == options_.max_calls ||
        function.name().size() + function.arguments().size() > options_.max_argument_bytes) {
      return Unavailable("the model's answer is too long");
    }
    calls.push_back({.name = function.name(), .arguments = function.arguments()});
  }
  return calls;
}

}  // namespace todo::client
