#include "api/grpc_stream.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/sync_stream.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "served.h"
#include "util/status.h"
#include "watch_definition.h"

namespace todo::api {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;
using StreamPointer = std::shared_ptr<ResponseStream>;

v1::Task TaskOf(std::int64_t id, std::string title = "") {
  v1::Task task;
  task.set_id(id);
  task.set_title(std::move(title));
  return task;
}

class GrpcStreamTest : public testing::Test {
 protected:
  template <typename Watch>
  void Serve(Watch watch, Admission::Options options = {}) {
    served_.emplace(WatchDefinition(std::move(watch)), 2, 100, std::move(options));
  }
  /// Serves streams that the test continues.
  void ServeHeld(Admission::Options options = {}) {
    Serve(
        [this](const Caller&, const v1::GetTaskRequest&, const StreamPointer& stream) {
          opened_.set_value(stream);
          return absl::OkStatus();
        },
        std::move(options));
  }

  std::unique_ptr<grpc::ClientReader<v1::Task>> Open(grpc::ClientContext& context,
                                                     std::int64_t id = 7) {
    static const char kPath[] = "/test.WatchService/Watch";
    v1::GetTaskRequest request;
    request.set_id(id);
    const grpc::internal::RpcMethod method(kPath, grpc::internal::RpcMethod::SERVER_STREAMING,
                                           served_->channel());
    return std::unique_ptr<grpc::ClientReader<v1::Task>>(
        grpc::internal::ClientReaderFactory<v1::Task>::Create(served_->channel().get(), method,
                                                              &context, request));
  }

  struct Outcome {
    std::vector<std::int64_t> ids;
    grpc::Status status;
  };
  Outcome ReadAll(const std::string& user = "alice") {
    const auto context = CallAs(user);
    const auto reader = Open(*context);
    Outcome outcome;
    for (v1::Task task; reader->Read(&task);) outcome.ids.push_back(task.id());
    outcome.status = reader->Finish();
    return outcome;
  }

  std::promise<StreamPointer> opened_;
  std::optional<Served> served_;
};

TEST_F(GrpcStreamTest, CarriesTheMessagesAndThenTheStatus) {
  Serve([](const Caller& caller, const v1::GetTaskRequest& request, const StreamPointer& stream) {
    EXPECT_EQ(caller.context.user.value, "alice");
    for (std::int64_t i = 0; i < 100; ++i) EXPECT_TRUE(stream->Send(TaskOf(request.id() + i)));
    stream->Finish(util::WithReason(absl::AbortedError("enough"), "ENOUGH"));
    EXPECT_FALSE(stream->Send(TaskOf(0)));
    return absl::OkStatus();
  });
  const Outcome outcome = ReadAll();
  EXPECT_EQ(outcome.ids.size(), 100U);
  EXPECT_EQ(outcome.ids.back(), 106);
  EXPECT_EQ(ReasonOf(outcome.status), "ENOUGH");
}

TEST_F(GrpcStreamTest, RefusesUnknownCallers) {
  Serve([](const Caller&, const v1::GetTaskRequest&, const StreamPointer&) {
    ADD_FAILURE();
    return absl::OkStatus();
  });
  EXPECT_EQ(ReasonOf(ReadAll("").status), "IDENTITY_MISSING");
}

TEST_F(GrpcStreamTest, ErrorsAndExceptionsOfTheHandlerEndTheStream) {
  Serve([](const Caller&, const v1::GetTaskRequest&, const StreamPointer& stream) {
    stream->Send(TaskOf(1));
    return util::WithReason(absl::NotFoundError("no such task"), "TASK_NOT_FOUND");
  });
  const Outcome refused = ReadAll();
  EXPECT_THAT(refused.ids, ElementsAre(1));
  EXPECT_EQ(ReasonOf(refused.status), "TASK_NOT_FOUND");

  Serve([](const Caller&, const v1::GetTaskRequest&, const StreamPointer&) -> absl::Status {
    throw std::runtime_error("secret");
  });
  testing::internal::CaptureStderr();
  EXPECT_EQ(ReadAll().status.error_message(), "internal error");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("secret"));
}

TEST_F(GrpcStreamTest, LivesOnWithoutAWorkerUntilItIsFinishedOrDropped) {
  std::promise<StreamPointer> opened;
  Serve([&](const Caller&, const v1::GetTaskRequest&, const StreamPointer& stream) {
    opened.set_value(stream);
    return absl::OkStatus();
  });
  const auto context = CallAs("alice");
  const auto reader = Open(*context);
  StreamPointer stream = opened.get_future().get();
  // Both workers are free.
  EXPECT_TRUE(served_->pool().Shutdown(std::chrono::steady_clock::now() + 30s));
  v1::Task task;
  for (std::int64_t id = 1; id < 10; ++id) {
    EXPECT_TRUE(stream->Send(TaskOf(id)));
    ASSERT_TRUE(reader->Read(&task));
    EXPECT_EQ(task.id(), id);
  }
  stream.reset();
  EXPECT_FALSE(reader->Read(&task));
  EXPECT_EQ(ReasonOf(reader->Finish()), "SERVER_STOPPING");
}

TEST_F(GrpcStreamTest, TellsWhenTheCallerGoes) {
  std::promise<StreamPointer> opened;
  Serve([&](const Caller&, const v1::GetTaskRequest&, const StreamPointer& stream) {
    opened.set_value(stream);
    return absl::OkStatus();
  });
  const auto context = CallAs("alice");
  const auto reader = Open(*context);
  const StreamPointer stream = opened.get_future().get();
  EXPECT_FALSE(stream->IsCancelled());
  std::promise<void> gone;
  stream->OnCancel([&] { gone.set_value(); });
  context->TryCancel();
  gone.get_future().wait();
  EXPECT_TRUE(stream->IsCancelled());
  EXPECT_FALSE(stream->Send(TaskOf(1)));
  bool at_once = false;
  stream->OnCancel([&] { at_once = true; });
  EXPECT_TRUE(at_once);
  EXPECT_EQ(reader->Finish().error_code(), grpc::CANCELLED);
}

TEST_F(GrpcStreamTest, CutsACallerOffThatDoesNotRead) {
  std::promise<StreamPointer> opened;
  Serve([&](const Caller&, const v1::GetTaskRequest&, const StreamPointer& stream) {
    opened.set_value(stream);
    return absl::OkStatus();
  });
  const auto context = CallAs("alice");
  const auto reader = Open(*context);
  const StreamPointer stream = opened.get_future().get();
  const v1::Task large = TaskOf(1, std::string(10'000, 'x'));
  int sent = 0;
  while (sent < 10'000 && stream->Send(large)) ++sent;
  EXPECT_LT(sent, 10'000) << "100 MB have been queued";
  EXPECT_TRUE(stream->IsCancelled());
  const grpc::Status end = reader->Finish();
  EXPECT_EQ(end.error_code(), grpc::CANCELLED) << end.error_message();
  EXPECT_EQ(end.error_details(), "") << "no reason gets past what is unread";
}

TEST_F(GrpcStreamTest, TellsWhenTheCallerHasReadAll) {
  ServeHeld();
  const auto context = CallAs("alice");
  const auto reader = Open(*context);
  const StreamPointer stream = opened_.get_future().get();
  bool at_once = false;
  stream->OnDrained([&] { at_once = true; });
  EXPECT_TRUE(at_once);
  const v1::Task large = TaskOf(1, std::string(100'000, 'x'));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(stream->Send(large));
  std::promise<void> drained;
  std::future<void> done = drained.get_future();
  stream->OnDrained([&] { drained.set_value(); });
  v1::Task task;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(reader->Read(&task));
  EXPECT_EQ(done.wait_for(30s), std::future_status::ready);
  EXPECT_TRUE(stream->Send(TaskOf(2)));
  stream->Finish(absl::OkStatus());
  while (reader->Read(&task)) {
  }
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(GrpcStreamTest, ACallerThatGoesHasNothingLeftToRead) {
  ServeHeld();
  const auto context = CallAs("alice");
  const auto reader = Open(*context);
  const StreamPointer stream = opened_.get_future().get();
  const v1::Task large = TaskOf(1, std::string(100'000, 'x'));
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(stream->Send(large));
  std::promise<void> drained;
  std::future<void> done = drained.get_future();
  stream->OnDrained([&] { drained.set_value(); });
  context->TryCancel();
  EXPECT_EQ(done.wait_for(30s), std::future_status::ready);
  EXPECT_FALSE(reader->Finish().ok());
}

TEST_F(GrpcStreamTest, AnEndThatIsNotReadKeepsItsPlaceAndIsCountedUntilItIs) {
  UserLimits limits({.streams_at_a_time = 1});
  ServeHeld({.ready = {}, .limits = &limits, .alarms = nullptr, .tickets = nullptr});
  const auto another = [&] { return limits.Begin({"alice"}, UserLimits::Kind::kStream).status(); };
  const auto context = CallAs("alice");
  const auto reader = Open(*context);
  StreamPointer stream = opened_.get_future().get();
  const v1::Task large = TaskOf(1, std::string(100'000, 'x'));
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(stream->Send(large));
  EXPECT_GT(served_->door().unread_bytes(), 100'000u) << "before the end too";
  stream->Finish(absl::OkStatus());
  stream.reset();
  EXPECT_GT(served_->door().unread_bytes(), 100'000u);
  EXPECT_TRUE(absl::IsResourceExhausted(another())) << "a place for each end that is not read";

  int count = 0;
  for (v1::Task task; reader->Read(&task);) ++count;
  EXPECT_EQ(count, 8);
  EXPECT_TRUE(reader->Finish().ok());
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (served_->door().unread_bytes() > 0 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_EQ(served_->door().unread_bytes(), 0u);
  while (!another().ok() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(another().ok());
}

}  // namespace
}  // namespace todo::api
