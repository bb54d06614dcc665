#include "api/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "named_caller.h"
#include "support/status_matchers.h"
#include "todo_definition.h"

namespace todo::api {
namespace {

using support::HasReason;
using support::IsOk;
using support::StatusIs;
using testing::AllOf;
using testing::HasSubstr;
using namespace std::chrono_literals;
using std::chrono::system_clock;

constexpr char kTraceparent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr char kRequestId[] = "7d444840-9dc0-41d1-b245-5ffdce74fad2";

/// What became of a call at the fake door.
struct Answer {
  absl::Status status;
  v1::Task task;
};

/// A call as a test makes it.
struct Attempt {
  std::int64_t id = 7;
  std::string user = "alice";
  std::string traceparent = "";
  system_clock::time_point deadline = system_clock::time_point::max();
  std::shared_ptr<std::atomic<bool>> cancelled = std::make_shared<std::atomic<bool>>(false);
  absl::Status parse_error = absl::OkStatus();
  absl::Status encode_error = absl::OkStatus();
};

/// A door without a transport.
class FakeCall final : public PendingUnary {
 public:
  FakeCall(Attempt attempt, std::promise<Answer> answer)
      : attempt_(std::move(attempt)), promise_(std::move(answer)) {}

  bool IsCancelled() const override { return *attempt_.cancelled; }
  system_clock::time_point Deadline() const override { return attempt_.deadline; }
  absl::Status ParseRequest(google::protobuf::Message& request) override {
    static_cast<v1::GetTaskRequest&>(request).set_id(attempt_.id);
    return attempt_.parse_error;
  }
  absl::Status EncodeResponse(const google::protobuf::Message& response) override {
    answer_.task = static_cast<const v1::Task&>(response);
    return attempt_.encode_error;
  }
  void Finish(const absl::Status& status) override {
    answer_.status = status;
    promise_.set_value(answer_);  // throws when the call is answered twice
  }

 private:
  const Attempt attempt_;
  std::promise<Answer> promise_;
  Answer answer_;
};

class AdmissionTest : public testing::Test {
 protected:
  void Serve(GetTaskHandler get_task, std::size_t workers = 2, std::size_t queue = 100,
             Admission::Options options = {}) {
    pool_.emplace(workers, queue);
    table_.emplace(std::vector<ServiceDefinition>{DefinitionWith(std::move(get_task))});
    admission_.emplace(authenticator_, *pool_, std::move(options));
  }

  std::future<Answer> Submit(Attempt attempt) {
    CallHeaders headers{.credentials = {}, .traceparent = attempt.traceparent};
    if (!attempt.user.empty()) headers.credentials.user_ids = {attempt.user};
    std::promise<Answer> promise;
    std::future<Answer> answer = promise.get_future();
    admission_->Submit<PendingUnary>(
        *table_->Find("/todo.v1.TodoService/GetTask"), headers,
        std::make_unique<FakeCall>(std::move(attempt), std::move(promise)));
    return answer;
  }
  Answer Call(Attempt attempt = {}) { return Submit(std::move(attempt)).get(); }

  NamedCaller authenticator_;
  std::optional<util::WorkerPool> pool_;
  std::optional<MethodTable> table_;
  std::optional<Admission> admission_;
};

TEST_F(AdmissionTest, HandsTheCallToTheHandlerAndTheResponseToTheDoor) {
  Serve(Echo);
  const Answer answer = Call({.traceparent = kTraceparent});
  ASSERT_THAT(answer.status, IsOk());
  EXPECT_EQ(answer.task.id(), 7);
  EXPECT_EQ(answer.task.user_id(), "alice");
  EXPECT_EQ(answer.task.title(), kTraceparent);
}

TEST_F(AdmissionTest, RefusesUnknownCallers) {
  Serve(Echo);
  EXPECT_THAT(Call({.user = ""}).status, HasReason("IDENTITY_MISSING"));
}

TEST_F(AdmissionTest, RefusesUsersBeyondTheirLimits) {
  UserLimits limits({.calls_per_second = 1, .call_burst = 2},
                    [] { return UserLimits::SteadyTime(); });
  Serve(Echo, 2, 100, {.ready = {}, .limits = &limits});
  EXPECT_THAT(Call().status, IsOk());
  EXPECT_THAT(Call().status, IsOk());
  EXPECT_THAT(Call().status, AllOf(StatusIs(absl::StatusCode::kResourceExhausted),
                                   HasReason("USER_RATE_LIMITED")));
  EXPECT_THAT(Call({.user = "bob"}).status, IsOk());
}

TEST_F(AdmissionTest, ACallCountsUntilItIsAnswered) {
  UserLimits limits({.calls_at_a_time = 2}, [] { return UserLimits::SteadyTime(); });
  std::promise<void> open;
  const std::shared_future<void> opened = open.get_future().share();
  Serve(
      [opened](const Caller& caller, const v1::GetTaskRequest& request) {
        opened.wait();
        return Echo(caller, request);
      },
      1, 100, {.ready = {}, .limits = &limits});
  std::future<Answer> running = Submit({});
  std::future<Answer> queued = Submit({});
  EXPECT_THAT(Call().status,
              AllOf(StatusIs(absl::StatusCode::kResourceExhausted), HasReason("USER_BUSY")));
  open.set_value();
  EXPECT_THAT(running.get().status, IsOk());
  EXPECT_THAT(queued.get().status, IsOk());
  EXPECT_THAT(Call().status, IsOk()) << "an answered call leaves its place at once";
}

TEST_F(AdmissionTest, TellsTheHandlerWhetherTheCallerWaits) {
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  const auto deadline = std::chrono::steady_clock::now() + 1h;
  Serve([&](const Caller& caller, const v1::GetTaskRequest& request) {
    const util::Cancellation& cancellation = caller.context.cancellation;
    EXPECT_FALSE(cancellation.requested());
    *cancelled = true;
    EXPECT_TRUE(cancellation.requested());
    EXPECT_GE(cancellation.deadline, deadline);
    EXPECT_LE(cancellation.deadline, deadline + 10min);
    return Echo(caller, request);
  });
  EXPECT_THAT(Call({.deadline = system_clock::now() + 1h + 1min, .cancelled = cancelled}).status,
              IsOk());
}

TEST_F(AdmissionTest, RefusesWhileTheServerIsNotReady) {
  std::atomic<bool> ready = false;
  Serve(Echo, 2, 100, {.ready = [&ready]() -> absl::Status {
          if (ready) return absl::OkStatus();
          return util::WithReason(absl::UnavailableError("not yet"), "SERVER_NOT_READY");
        }});
  EXPECT_THAT(Call().status,
              AllOf(StatusIs(absl::StatusCode::kUnavailable), HasReason("SERVER_NOT_READY")));
  // An unknown caller learns nothing about the server.
  EXPECT_THAT(Call({.user = ""}).status, HasReason("IDENTITY_MISSING"));
  ready = true;
  EXPECT_THAT(Call().status, IsOk());
}

TEST_F(AdmissionTest, RefusesCallsWithoutTimeLeft) {
  Serve(Echo);
  EXPECT_THAT(Call({.deadline = system_clock::now() - 1ms}).status,
              AllOf(StatusIs(absl::StatusCode::kDeadlineExceeded), HasReason("DEADLINE_PASSED")));
}

TEST_F(AdmissionTest, AnswersTheErrorsOfParsingHandlerAndEncoding) {
  Serve([](const Caller& caller, const v1::GetTaskRequest& request) -> absl::StatusOr<v1::Task> {
    if (request.id() == 1) return util::WithReason(absl::NotFoundError("no such task"), "NOT_HERE");
    return Echo(caller, request);
  });
  EXPECT_THAT(Call({.id = 1}).status,
              AllOf(StatusIs(absl::StatusCode::kNotFound), HasReason("NOT_HERE")));
  EXPECT_THAT(Call({.parse_error = absl::InvalidArgumentError("no request")}).status,
              StatusIs(absl::StatusCode::kInvalidArgument, "no request"));
  EXPECT_THAT(Call({.encode_error = absl::InternalError("no response")}).status,
              StatusIs(absl::StatusCode::kInternal, "no response"));
}

TEST_F(AdmissionTest, ExceptionsEndAsInternalAndAreLogged) {
  Serve([](const Caller&, const v1::GetTaskRequest& request) -> absl::StatusOr<v1::Task> {
    if (request.id() == 1) throw std::runtime_error("secret");
    throw 42;
  });
  testing::internal::CaptureStderr();
  EXPECT_THAT(Call({.id = 1}).status, StatusIs(absl::StatusCode::kInternal, HasSubstr("secret")));
  EXPECT_THAT(Call({.id = 2}).status, StatusIs(absl::StatusCode::kInternal));
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("call_failed"), HasSubstr("secret")));
}

TEST_F(AdmissionTest, AnExceptionBeforeTheQueueEndsAsInternalToo) {
  Serve(Echo, 2, 100, {.ready = []() -> absl::Status { throw std::runtime_error("broken"); }});
  testing::internal::CaptureStderr();
  EXPECT_THAT(Call().status, StatusIs(absl::StatusCode::kInternal));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("call_failed"));
}

TEST_F(AdmissionTest, AFullQueueIsAnsweredAtOnce) {
  HeldHandler handler;
  Serve(std::ref(handler), 1, 1);
  std::future<Answer> running = Submit({.id = 1});
  handler.begun.wait();
  std::future<Answer> waiting = Submit({.id = 2});
  EXPECT_THAT(Call({.id = 3}).status,
              AllOf(StatusIs(absl::StatusCode::kResourceExhausted), HasReason("SERVER_BUSY")));
  handler.release.count_down();
  EXPECT_THAT(running.get().status, IsOk());
  EXPECT_THAT(waiting.get().status, IsOk());
  EXPECT_EQ(handler.runs, 2);
}

TEST_F(AdmissionTest, QueuedCallsWhoseCallerHasGoneAreNotBegun) {
  HeldHandler handler;
  Serve(std::ref(handler), 1, 10);
  std::future<Answer> running = Submit({.id = 1});
  handler.begun.wait();
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  std::future<Answer> gone = Submit({.id = 2, .cancelled = cancelled});
  const auto deadline = system_clock::now() + 20ms;
  std::future<Answer> late = Submit({.id = 3, .deadline = deadline});
  *cancelled = true;
  std::this_thread::sleep_until(deadline);
  handler.release.count_down();
  EXPECT_THAT(running.get().status, IsOk());
  EXPECT_THAT(gone.get().status, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(late.get().status, StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(handler.runs, 1);
}

TEST_F(AdmissionTest, CallsThatAStoppingPoolDropsAreAnswered) {
  HeldHandler handler;
  Serve(std::ref(handler), 1, 10);
  std::future<Answer> running = Submit({.id = 1});
  handler.begun.wait();
  std::future<Answer> waiting = Submit({.id = 2});
  EXPECT_FALSE(pool_->Shutdown(std::chrono::steady_clock::now()));
  EXPECT_THAT(waiting.get().status,
              AllOf(StatusIs(absl::StatusCode::kUnavailable), HasReason("SERVER_STOPPING")));
  EXPECT_THAT(Call({.id = 3}).status, HasReason("SERVER_BUSY")) << "a stopped pool takes no calls";
  handler.release.count_down();
  EXPECT_THAT(running.get().status, IsOk());
  EXPECT_EQ(handler.runs, 1);
}

TEST_F(AdmissionTest, IdentifiesACallerBeforeTheRequestIsThere) {
  Serve(Echo);
  const Method& method = *table_->Find("/todo.v1.TodoService/GetTask");
  CallHeaders headers{.credentials = {}, .traceparent = kTraceparent};
  EXPECT_THAT(admission_->Identify(method, headers).status(), HasReason("IDENTITY_MISSING"));
  headers.credentials.user_ids = {"alice"};
  const auto caller = admission_->Identify(method, headers);
  ASSERT_THAT(caller.status(), IsOk());
  EXPECT_EQ(caller->identity.user.value, "alice");
  EXPECT_EQ(caller->traceparent, kTraceparent);
}

TEST_F(AdmissionTest, CountsEveryCallUnderItsMethodAndCode) {
  std::atomic<bool> ready = true;
  Serve(Echo, 2, 100, {.ready = [&ready]() -> absl::Status {
          return ready ? absl::OkStatus() : absl::UnavailableError("not yet");
        }});
  const auto count = [this](absl::StatusCode code) -> std::uint64_t {
    const auto figures = table_->Find("/todo.v1.TodoService/GetTask")->figures->Read();
    const auto found = figures.find(code);
    return found == figures.end() ? 0 : found->second.count();
  };
  Call();
  Call();
  EXPECT_EQ(count(absl::StatusCode::kOk), 2u);
  Call({.user = ""});
  EXPECT_EQ(count(absl::StatusCode::kUnauthenticated), 1u);
  Call({.parse_error = absl::InvalidArgumentError("no request")});
  EXPECT_EQ(count(absl::StatusCode::kInvalidArgument), 1u);
  Call({.encode_error = absl::InternalError("no response")});
  EXPECT_EQ(count(absl::StatusCode::kInternal), 1u);
  ready = false;
  Call();
  EXPECT_EQ(count(absl::StatusCode::kUnavailable), 1u);
  EXPECT_EQ(count(absl::StatusCode::kOk), 2u);
  EXPECT_TRUE(table_->Find("/todo.v1.TodoService/CreateTask")->figures->Read().empty());
}

TEST(CallContextTest, ComesFromTheCallerAndTheRequest) {
  std::promise<Caller> seen;
  ServiceDefinition definition =
      DefinitionWith([](const Caller&, const v1::GetTaskRequest&) { return v1::Task(); });
  for (MethodDefinition& method : definition.methods) {
    if (method.name != "CreateTask") continue;
    method.handler = [&seen](const Caller& caller, const auto&, auto&) {
      seen.set_value(caller);
      return absl::OkStatus();
    };
  }
  class CreateCall final : public PendingUnary {
   public:
    bool IsCancelled() const override { return false; }
    system_clock::time_point Deadline() const override { return system_clock::time_point::max(); }
    absl::Status ParseRequest(google::protobuf::Message& request) override {
      static_cast<v1::CreateTaskRequest&>(request).set_request_id(kRequestId);
      return absl::OkStatus();
    }
    absl::Status EncodeResponse(const google::protobuf::Message&) override {
      return absl::OkStatus();
    }
    void Finish(const absl::Status& status) override { EXPECT_THAT(status, IsOk()); }
  };
  const MethodTable table({std::move(definition)});
  NamedCaller authenticator;
  util::WorkerPool pool(1, 1);
  Admission(authenticator, pool, {})
      .Submit<PendingUnary>(
          *table.Find("/todo.v1.TodoService/CreateTask"),
          {.credentials = {.authorization = {}, .user_ids = {"alice"}, .user_roles = {"any"}},
           .traceparent = kTraceparent},
          std::make_unique<CreateCall>());
  const Caller caller = seen.get_future().get();
  EXPECT_TRUE(caller.identity.Has(ports::Role::kOperator));
  EXPECT_EQ(caller.context.user.value, "alice");
  EXPECT_EQ(caller.context.request_id, domain::RequestId{*domain::Uuid::Parse(kRequestId)});
  EXPECT_EQ(caller.context.fingerprint, FingerprintOf("CreateTask", v1::CreateTaskRequest()));
  EXPECT_EQ(caller.context.traceparent, kTraceparent);
}

TEST(FingerprintTest, CoversMethodAndContentButNotTheRequestId) {
  v1::CreateTaskRequest request;
  request.mutable_task()->set_title("a");
  const std::string fingerprint = FingerprintOf("CreateTask", request);
  request.set_request_id(kRequestId);
  EXPECT_EQ(FingerprintOf("CreateTask", request), fingerprint);
  EXPECT_NE(FingerprintOf("UpdateTask", request), fingerprint);
  request.mutable_task()->set_title("b");
  EXPECT_NE(FingerprintOf("CreateTask", request), fingerprint);
}

TEST(ReadHeadersTest, TakesEveryCredential) {
  const CallHeaders headers = ReadHeaders([](std::string_view name) {
    return std::vector<std::string>{std::string(name) + " 1", std::string(name) + " 2"};
  });
  using testing::ElementsAre;
  EXPECT_THAT(headers.credentials.authorization, ElementsAre("authorization 1", "authorization 2"));
  EXPECT_THAT(headers.credentials.user_ids, ElementsAre("x-user-id 1", "x-user-id 2"));
  EXPECT_THAT(headers.credentials.user_roles, ElementsAre("x-user-role 1", "x-user-role 2"));
}

std::string TraceparentIn(std::vector<std::string> sent) {
  return ReadHeaders([&](std::string_view name) {
           return name == "traceparent" ? sent : std::vector<std::string>();
         })
      .traceparent;
}

TEST(ReadHeadersTest, CarriesOneWellFormedTraceparent) {
  const std::string good = kTraceparent;
  EXPECT_EQ(TraceparentIn({good}), good);
  EXPECT_EQ(TraceparentIn({"cc" + good.substr(2) + "-more"}), good) << "as version 00";
  EXPECT_EQ(TraceparentIn({"nonsense"}), "");
  EXPECT_EQ(TraceparentIn({}), "");
  EXPECT_EQ(TraceparentIn({good, good}), "");
}

}  // namespace
}  // namespace todo::api
