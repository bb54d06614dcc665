#include "client/dapr_language_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_sidecar.h"
#include "support/status_matchers.h"

namespace todo::client {
namespace {

using absl::StatusCode;
using dapr::proto::runtime::v1::ConversationResponseAlpha2;
using support::FakeSidecar;
using support::IsOk;
using support::StatusIs;
using testing::IsEmpty;
using testing::SizeIs;

class DaprLanguageModelTest : public testing::Test {
 protected:
  void SetUp() override {
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "the headers of protobuf give messages with maps another layout for "
                    "ThreadSanitizer than the packaged library has";
#endif
  }
  absl::StatusOr<std::vector<ports::ModelCall>> Choose() {
    return model_.Choose(
        "Choose the tools that do what the user says.", "get rid of the milk thing",
        {{.name = "complete",
          .description = "Completes a task.",
          .parameters_schema =
              R"({"type":"object","properties":{"task":{"type":"string"}},"required":["task"]})"}});
  }
  static void AddCall(ConversationResponseAlpha2& response, const std::string& name,
                      const std::string& arguments) {
    if (response.outputs().empty()) response.add_outputs()->add_choices();
    auto& call =
        *response.mutable_outputs(0)->mutable_choices(0)->mutable_message()->add_tool_calls();
    call.mutable_function()->set_name(name);
    call.mutable_function()->set_arguments(arguments);
  }

  FakeSidecar sidecar_;
  DaprClient client_{{.endpoint = sidecar_.endpoint(), .api_token = "token"}};
  DaprLanguageModel model_{client_, {.component = "llm", .max_calls = 2, .max_argument_bytes = 50}};
};

TEST_F(DaprLanguageModelTest, TheModelSeesInstructionsSentenceAndTools) {
  ASSERT_THAT(Choose(), IsOk());
  const FakeSidecar::Call call = sidecar_.calls().back();
  EXPECT_EQ(call.method, "ConverseAlpha2");
  EXPECT_EQ(call.metadata.at("dapr-api-token"), "token");
  EXPECT_LE(call.time_left, std::chrono::seconds(11));  // on the wire it is rounded up
  EXPECT_EQ(call.converse.name(), "llm");
  EXPECT_EQ(model_.name(), "llm");
  ASSERT_EQ(call.converse.inputs_size(), 1);
  const auto& messages = call.converse.inputs(0).messages();
  ASSERT_EQ(messages.size(), 2);
  EXPECT_EQ(messages[0].of_system().content(0).text(),
            "Choose the tools that do what the user says.");
  EXPECT_EQ(messages[1].of_user().content(0).text(), "get rid of the milk thing");
  ASSERT_EQ(call.converse.tools_size(), 1);
  const auto& function = call.converse.tools(0).function();
  EXPECT_EQ(function.name(), "complete");
  EXPECT_EQ(function.description(), "Completes a task.");
  EXPECT_EQ(function.parameters().fields().at("type").string_value(), "object");
}

TEST_F(DaprLanguageModelTest, ItsCallsAreHandedOnAsTheyAre) {
  ConversationResponseAlpha2 response;
  AddCall(response, "complete", R"({"task":"milk"})");
  AddCall(response, "drop_tables", "no JSON");
  sidecar_.SetConversation(response);
  const auto calls = Choose();
  ASSERT_THAT(calls, IsOk());
  ASSERT_THAT(*calls, SizeIs(2));
  EXPECT_EQ((*calls)[0].name, "complete");
  EXPECT_EQ((*calls)[0].arguments, R"({"task":"milk"})");
  EXPECT_EQ((*calls)[1].arguments, "no JSON");
}

TEST_F(DaprLanguageModelTest, OnlyTheFirstOfAlternativesCounts) {
  ConversationResponseAlpha2 response;
  AddCall(response, "complete", "{}");
  auto& other = *response.mutable_outputs(0)->add_choices()->mutable_message()->add_tool_calls();
  other.mutable_function()->set_name("delete");
  sidecar_.SetConversation(response);
  EXPECT_THAT(*Choose(), SizeIs(1));
}

TEST_F(DaprLanguageModelTest, AnAnswerInWordsIsNoChoice) {
  EXPECT_THAT(*Choose(), IsEmpty());
  ConversationResponseAlpha2 response;
  response.add_outputs()->add_choices()->mutable_message()->set_content("I cannot help with that.");
  sidecar_.SetConversation(response);
  EXPECT_THAT(*Choose(), IsEmpty());
}

TEST_F(DaprLanguageModelTest, AnAnswerBeyondTheBoundsIsNone) {
  ConversationResponseAlpha2 many;
  for (int i = 0; i < 3; ++i) AddCall(many, "complete", "{}");
  sidecar_.SetConversation(many);
  EXPECT_THAT(Choose(), StatusIs(StatusCode::kUnavailable));
  ConversationResponseAlpha2 large;
  AddCall(large, "complete", std::string(50, ' '));
  sidecar_.SetConversation(large);
  EXPECT_THAT(Choose(), StatusIs(StatusCode::kUnavailable));
}

TEST_F(DaprLanguageModelTest, EveryFailureIsUnavailable) {
  for (const grpc::StatusCode code :
       {grpc::StatusCode::INVALID_ARGUMENT, grpc::StatusCode::INTERNAL,
        grpc::StatusCode::RESOURCE_EXHAUSTED, grpc::StatusCode::UNIMPLEMENTED}) {
    sidecar_.SetAnswer({code, "no"});
    EXPECT_THAT(Choose(), StatusIs(StatusCode::kUnavailable));
  }
  sidecar_.Stop();
  EXPECT_THAT(Choose(), StatusIs(StatusCode::kUnavailable));
}

}  // namespace
}  // namespace todo::client
