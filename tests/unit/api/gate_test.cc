#include "api/gate.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "served.h"
#include "util/status.h"

namespace todo::api {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;
using Handler = std::function<absl::StatusOr<v1::Task>(const Caller&, const v1::GetTaskRequest&)>;

const google::protobuf::ServiceDescriptor& TodoDescriptor() {
  return *v1::GetTaskRequest::descriptor()->file()->FindServiceByName("TodoService");
}

/// All methods of the service: GetTask as given, the others tell when they are reached.
std::vector<UnaryMethod> MethodsWith(Handler get_task) {
  std::vector<UnaryMethod> methods;
  for (int i = 0; i < TodoDescriptor().method_count(); ++i) {
    const auto* declared = TodoDescriptor().method(i);
    if (declared->name() == "GetTask") {
      methods.push_back(Unary<v1::GetTaskRequest, v1::Task>("GetTask", get_task));
      continue;
    }
    auto* factory = google::protobuf::MessageFactory::generated_factory();
    methods.push_back({.name = declared->name(),
                       .request_prototype = factory->GetPrototype(declared->input_type()),
                       .response_prototype = factory->GetPrototype(declared->output_type()),
                       .handler = [](const auto&, const auto&, auto&) {
                         return absl::UnimplementedError("reached");
                       }});
  }
  return methods;
}

struct Scenario {
  Gate::Options options = {.dev_identity = true, .ready = {}};
  std::size_t workers = 2;
  std::size_t queue = 100;
};

class GateTest : public testing::Test {
 protected:
  void Serve(Handler get_task, Scenario scenario = {}) {
    pool_.emplace(scenario.workers, scenario.queue);
    gate_.emplace(std::move(scenario.options), *pool_);
    service_.emplace(TodoDescriptor(), MethodsWith(std::move(get_task)), *gate_);
    served_.emplace(*service_);
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

  std::optional<util::WorkerPool> pool_;
  std::optional<Gate> gate_;
  std::optional<GatedService> service_;
  std::optional<Served> served_;
};

absl::StatusOr<v1::Task> Echo(const Caller& caller, const v1::GetTaskRequest& request) {
  v1::Task task;
  task.set_id(request.id());
  task.set_user_id(caller.identity.user.value);
  task.set_title(caller.traceparent);
  return task;
}

TEST_F(GateTest, HandsTheCallOverAndTheAnswerBack) {
  Serve(Echo);
  v1::Task answer;
  ASSERT_TRUE(Get(7, &answer).ok());
  EXPECT_EQ(answer.id(), 7);
  EXPECT_EQ(answer.user_id(), "alice");
  EXPECT_EQ(answer.title(), "");
}

TEST_F(GateTest, CarriesTheTraceparent) {
  Serve(Echo);
  const auto context = CallAs("alice");
  const std::string traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  context->AddMetadata("traceparent", traceparent);
  v1::Task answer;
  ASSERT_TRUE(Get(7, &answer, context.get()).ok());
  EXPECT_EQ(answer.title(), traceparent);
}

TEST_F(GateTest, NoMethodIsReachedWithoutAnIdentity) {
  Serve(Echo);
  for (int i = 0; i < TodoDescriptor().method_count(); ++i) {
    const std::string& method = TodoDescriptor().method(i)->name();
    EXPECT_EQ(ReasonOf(CallRaw(method, "", "")), "IDENTITY_MISSING") << method;
    EXPECT_NE(CallRaw(method, "", "alice").error_code(), grpc::UNAUTHENTICATED) << method;
  }
}

TEST_F(GateTest, WithoutDevIdentityNobodyGetsIn) {
  Serve(Echo, {.options = {.dev_identity = false, .ready = {}}});
  EXPECT_EQ(ReasonOf(Get(7)), "IDENTITY_NOT_CONFIGURED");
}

TEST_F(GateTest, RefusesWhileTheServerIsNotReady) {
  std::atomic<bool> ready = false;
  Serve(Echo, {.options = {.dev_identity = true, .ready = [&ready]() -> absl::Status {
                             if (ready) return absl::OkStatus();
                             return util::WithReason(absl::UnavailableError("not yet"),
                                                     "SERVER_NOT_READY");
                           }}});
  const grpc::Status status = Get(7);
  EXPECT_EQ(status.error_code(), grpc::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "not yet");
  EXPECT_EQ(ReasonOf(status), "SERVER_NOT_READY");
  ready = true;
  EXPECT_TRUE(Get(7).ok());
}

TEST_F(GateTest, AnswersTheStatusOfTheHandler) {
  Serve([](const Caller&, const v1::GetTaskRequest&) -> absl::StatusOr<v1::Task> {
    return util::WithReason(absl::NotFoundError("no such task"), "TASK_NOT_FOUND");
  });
  const grpc::Status status = Get(7);
  EXPECT_EQ(status.error_code(), grpc::NOT_FOUND);
  EXPECT_EQ(ReasonOf(status), "TASK_NOT_FOUND");
}

TEST_F(GateTest, ExceptionsEndAsInternalWithoutTheirText) {
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

/// A handler that waits until the test lets it go on.
struct HeldHandler {
  std::latch begun{1};
  std::latch release{1};
  std::atomic<int> runs = 0;

  absl::StatusOr<v1::Task> operator()(const Caller& caller, const v1::GetTaskRequest& request) {
    ++runs;
    if (request.id() == 1) {
      begun.count_down();
      release.wait();
    }
    return Echo(caller, request);
  }
};

TEST_F(GateTest, AFullQueueIsAnsweredAtOnce) {
  HeldHandler handler;
  Serve(std::ref(handler), {.workers = 1, .queue = 1});
  std::jthread running([this] { EXPECT_TRUE(Get(1).ok()); });
  handler.begun.wait();
  std::jthread waiting([this] { EXPECT_TRUE(Get(2).ok()); });
  while (pool_->queued_count() == 0) std::this_thread::yield();
  const grpc::Status status = Get(3);
  EXPECT_EQ(status.error_code(), grpc::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(status), "SERVER_BUSY");
  handler.release.count_down();
  running.join();
  waiting.join();
  EXPECT_EQ(handler.runs, 2);
}

TEST_F(GateTest, WorkThatNobodyWaitsForIsNotBegun) {
  HeldHandler handler;
  Serve(std::ref(handler), {.workers = 1, .queue = 10});
  std::jthread running([this] { EXPECT_TRUE(Get(1).ok()); });
  handler.begun.wait();

  const auto late = CallAs("alice");
  late->set_deadline(std::chrono::system_clock::now() + 20ms);
  EXPECT_EQ(Get(2, nullptr, late.get()).error_code(), grpc::DEADLINE_EXCEEDED);

  const auto cancelled = CallAs("alice");
  std::jthread canceller([this, &cancelled] {
    while (pool_->queued_count() < 2) std::this_thread::yield();
    cancelled->TryCancel();
  });
  EXPECT_EQ(Get(3, nullptr, cancelled.get()).error_code(), grpc::CANCELLED);
  // A refusal takes the same way as the cancellation before it.
  EXPECT_EQ(CallRaw("GetTask", "", "").error_code(), grpc::UNAUTHENTICATED);

  handler.release.count_down();
  running.join();
  EXPECT_TRUE(pool_->Shutdown(std::chrono::steady_clock::now() + 30s));
  EXPECT_EQ(handler.runs, 1);
}

TEST_F(GateTest, CallsDroppedByAStoppingPoolAreAnswered) {
  HeldHandler handler;
  Serve(std::ref(handler), {.workers = 1, .queue = 10});
  std::jthread running([this] { EXPECT_TRUE(Get(1).ok()); });
  handler.begun.wait();
  std::jthread waiting([this] { EXPECT_EQ(ReasonOf(Get(2)), "SERVER_STOPPING"); });
  while (pool_->queued_count() == 0) std::this_thread::yield();
  EXPECT_FALSE(pool_->Shutdown(std::chrono::steady_clock::now()));
  waiting.join();
  handler.release.count_down();
  running.join();
  EXPECT_EQ(handler.runs, 1);
}

TEST_F(GateTest, ManyCallsAtOnceAreEachAnsweredOnce) {
  Serve(Echo, {.workers = 4, .queue = 1'000});
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

TEST_F(GateTest, BytesThatAreNoRequestAreExplained) {
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

TEST_F(GateTest, TextThatIsNotUtf8IsNamedByItsField) {
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

TEST(GatedServiceDeathTest, AServiceMustBeWhole) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  util::WorkerPool pool(1, 1);
  Gate gate({.dev_identity = true, .ready = {}}, pool);
  auto methods = MethodsWith(Echo);
  methods.pop_back();
  EXPECT_DEATH(GatedService(TodoDescriptor(), methods, gate), "service_incomplete");
  methods = MethodsWith(Echo);
  methods[0].name = "Nonsense";
  EXPECT_DEATH(GatedService(TodoDescriptor(), methods, gate), "method_not_as_declared");
  methods = MethodsWith(Echo);
  methods[0].request_prototype = &v1::DeleteTaskRequest::default_instance();
  EXPECT_DEATH(GatedService(TodoDescriptor(), methods, gate), "method_not_as_declared");
}

}  // namespace
}  // namespace todo::api
