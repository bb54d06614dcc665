#include "api/grpc_door.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "served.h"
#include "todo_definition.h"
#include "util/status.h"
#include "util/trace_context.h"
#include "util/worker_pool.h"

namespace todo::api {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;
class GrpcDoorTest : public testing::Test {
 protected:
  void Serve(GetTaskHandler get_task, std::size_t workers = 2, std::size_t queue = 100) {
    served_.emplace(DefinitionWith(std::move(get_task)), workers, queue);
  }

  grpc::Status Get(std::int64_t id, v1::Task* answer = nullptr,
                   grpc::ClientContext* context = nullptr) {
    v1::GetTaskRequest request;
    request.set_id(id);
    v1::Task ignored;
    const auto own_context = CallAs("alice");
    return served_->stub().GetTask(context != nullptr ? context : own_context.get(), request,
                                   answer != nullptr ? answer : &ignored);
  }

  /// Calls any method with any bytes.
  grpc::Status CallRaw(const std::string& method, const std::string& bytes,
                       const std::string& user) {
    grpc::GenericStub stub(served_->channel());
    const auto context = CallAs(user);
    grpc::CompletionQueue queue;
    grpc::Slice slice(bytes);
    auto call = stub.PrepareUnaryCall(context.get(), "/todo.v1.TodoService/" + method,
                                      grpc::ByteBuffer(&slice, 1), &queue);
    call->StartCall();
    grpc::ByteBuffer answer;
    grpc::Status status;
    call->Finish(&answer, &status, this);
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
    return status;
  }

  std::optional<Served> served_;
};

TEST_F(GrpcDoorTest, HandsTheCallOverAndTheAnswerBack) {
  Serve(Echo);
  v1::Task answer;
  ASSERT_TRUE(Get(7, &answer).ok());
  EXPECT_EQ(answer.id(), 7);
  EXPECT_EQ(answer.user_id(), "alice");
  EXPECT_NE(util::ParseTraceparent(answer.title()), "") << "a call without a trace begins one";
}

TEST_F(GrpcDoorTest, AHandlerSeesThatItsCallerHasGone) {
  std::promise<void> begun;
  std::promise<bool> seen;
  Serve([&](const Caller& caller, const v1::GetTaskRequest& request) {
    begun.set_value();
    const auto patience = std::chrono::steady_clock::now() + 60s;
    while (!caller.context.cancellation.requested() && std::chrono::steady_clock::now() < patience)
      std::this_thread::yield();
    seen.set_value(caller.context.cancellation.requested());
    return Echo(caller, request);
  });
  const auto context = CallAs("alice");
  auto call = std::async(std::launch::async, [&] { return Get(7, nullptr, context.get()); });
  begun.get_future().wait();
  context->TryCancel();
  EXPECT_EQ(call.get().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(seen.get_future().get());
}

TEST_F(GrpcDoorTest, CarriesTheTraceparent) {
  Serve(Echo);
  const auto context = CallAs("alice");
  const std::string traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  context->AddMetadata("traceparent", traceparent);
  v1::Task answer;
  ASSERT_TRUE(Get(7, &answer, context.get()).ok());
  EXPECT_EQ(answer.title(), traceparent);
}

TEST_F(GrpcDoorTest, WithAnAppTokenNoMethodIsReachedWithoutIt) {
  served_.emplace(DefinitionWith(Echo), 2, 100, Admission::Options{}, "sesame");
  for (int i = 0; i < TodoDescriptor().method_count(); ++i) {
    const std::string& method = TodoDescriptor().method(i)->name();
    EXPECT_EQ(ReasonOf(CallRaw(method, "", "alice")), "APP_TOKEN_MISSING") << method;
  }
  for (const char* token : {"", "wrong", "sesam", "sesames"}) {
    const auto context = CallAs("alice");
    context->AddMetadata("dapr-api-token", token);
    EXPECT_EQ(ReasonOf(Get(7, nullptr, context.get())), "APP_TOKEN_MISSING") << token;
  }
  // The sidecar may pass on the token of its own caller too.
  const auto context = CallAs("alice");
  context->AddMetadata("dapr-api-token", "of the sidecar's API");
  context->AddMetadata("dapr-api-token", "sesame");
  EXPECT_TRUE(Get(7, nullptr, context.get()).ok());
  const auto nobody = CallAs("");
  nobody->AddMetadata("dapr-api-token", "sesame");
  EXPECT_EQ(ReasonOf(Get(7, nullptr, nobody.get())), "IDENTITY_MISSING");
}

TEST_F(GrpcDoorTest, NoMethodIsReachedWithoutAnIdentity) {
  Serve(Echo);
  for (int i = 0; i < TodoDescriptor().method_count(); ++i) {
    const std::string& method = TodoDescriptor().method(i)->name();
    EXPECT_EQ(ReasonOf(CallRaw(method, "", "")), "IDENTITY_MISSING") << method;
    EXPECT_NE(CallRaw(method, "", "alice").error_code(), grpc::UNAUTHENTICATED) << method;
  }
}

TEST_F(GrpcDoorTest, AnswersTheStatusOfTheHandler) {
  Serve([](const Caller&, const v1::GetTaskRequest&) -> absl::StatusOr<v1::Task> {
    return util::WithReason(absl::NotFoundError("no such task"), "TASK_NOT_FOUND");
  });
  const grpc::Status status = Get(7);
  EXPECT_EQ(status.error_code(), grpc::NOT_FOUND);
  EXPECT_EQ(ReasonOf(status), "TASK_NOT_FOUND");
}

TEST_F(GrpcDoorTest, ExceptionsEndAsInternalWithoutTheirText) {
  Serve([](const Caller&, const v1::GetTaskRequest& request) -> absl::StatusOr<v1::Task> {
    if (request.id() == 1) throw std::runtime_error("secret");
    throw 42;
  });
  testing::internal::CaptureStderr();
  for (const std::int64_t id : {1, 2}) {
    const grpc::Status status = Get(id);
    EXPECT_EQ(status.error_code(), grpc::INTERNAL);
    EXPECT_EQ(status.error_message(), "internal error");
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("secret")) << "but it is logged";
}

TEST_F(GrpcDoorTest, QueuedCallsWhoseCallerHasGoneAreNotBegun) {
  HeldHandler handler;
  Serve(std::ref(handler), 1, 10);
  std::jthread running([this] { EXPECT_TRUE(Get(1).ok()); });
  handler.begun.wait();

  const auto late = CallAs("alice");
  late->set_deadline(std::chrono::system_clock::now() + 20ms);
  EXPECT_EQ(Get(2, nullptr, late.get()).error_code(), grpc::DEADLINE_EXCEEDED);

  const auto cancelled = CallAs("alice");
  std::jthread canceller([this, &cancelled] {
    while (served_->pool().queued_count() < 2) std::this_thread::yield();
    cancelled->TryCancel();
  });
  EXPECT_EQ(Get(3, nullptr, cancelled.get()).error_code(), grpc::CANCELLED);
  // The refusal comes behind the cancellation on the way to the server.
  EXPECT_EQ(CallRaw("GetTask", "", "").error_code(), grpc::UNAUTHENTICATED);

  handler.release.count_down();
  running.join();
  EXPECT_TRUE(served_->pool().Shutdown(std::chrono::steady_clock::now() + 30s));
  EXPECT_EQ(handler.runs, 1);
}

TEST_F(GrpcDoorTest, CallsThatAStoppingPoolDropsAreAnswered) {
  HeldHandler handler;
  Serve(std::ref(handler), 1, 10);
  std::jthread running([this] { EXPECT_TRUE(Get(1).ok()); });
  handler.begun.wait();
  std::jthread waiting([this] { EXPECT_EQ(ReasonOf(Get(2)), "SERVER_STOPPING"); });
  while (served_->pool().queued_count() == 0) std::this_thread::yield();
  EXPECT_FALSE(served_->pool().Shutdown(std::chrono::steady_clock::now()));
  waiting.join();
  handler.release.count_down();
  running.join();
  EXPECT_EQ(handler.runs, 1);
}

TEST_F(GrpcDoorTest, ManyCallsAtOnceAreEachAnsweredOnce) {
  Serve(Echo, 4, 1'000);
  std::atomic<int> answered = 0;
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < 8; ++i) {
      clients.emplace_back([this, i, &answered] {
        for (int k = 1; k <= 100; ++k) {
          v1::Task answer;
          if (Get(i * 1'000 + k, &answer).ok() && answer.id() == i * 1'000 + k) ++answered;
        }
      });
    }
  }
  EXPECT_EQ(answered, 800);
}

TEST_F(GrpcDoorTest, ExplainsMalformedRequests) {
  Serve(Echo);
  const grpc::Status status = CallRaw("CreateTask", "\xff\xff\xff", "alice");
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(),
            "the request is not a message of type todo.v1.CreateTaskRequest");
  EXPECT_EQ(ReasonOf(status), "MALFORMED_REQUEST");
}

std::string Delimited(int field, const std::string& bytes) {
  EXPECT_LT(bytes.size(), 128U);
  return std::string{static_cast<char>(field << 3 | 2), static_cast<char>(bytes.size())} + bytes;
}

TEST_F(GrpcDoorTest, NamesTheFieldsThatAreNotUtf8) {
  Serve(Echo);
  const std::string task = Delimited(2, "a\xff") + Delimited(6, "good") + Delimited(6, "\xc3\x28");
  const grpc::Status status =
      CallRaw("CreateTask", Delimited(1, task) + Delimited(2, "\x80"), "alice");
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(),
            "task.title: is not valid UTF-8; task.tags[1]: is not valid UTF-8; request_id: is not "
            "valid UTF-8");
  const std::string path = Delimited(2, Delimited(1, "\xff"));
  EXPECT_EQ(CallRaw("UpdateTask", path, "alice").error_message(),
            "update_mask.paths[0]: is not valid UTF-8");
}

}  // namespace
}  // namespace todo::api
