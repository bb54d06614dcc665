#include "api/connect_door.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "../named_caller.h"
#include "../todo_definition.h"
#include "../watch_definition.h"
#include "api/connect/envelope.h"
#include "api/connect/gzip.h"
#include "fake_exchange.h"
#include "util/alarms.h"
#include "util/status.h"

namespace todo::api {
namespace {

using connect::HeaderOf;
using connect::Received;
using nlohmann::json;
using testing::HasSubstr;
using namespace std::chrono_literals;
using StreamPointer = std::shared_ptr<ResponseStream>;

constexpr char kGetTask[] = "/todo.v1.TodoService/GetTask";
constexpr char kWatch[] = "/test.WatchService/Watch";

struct Sent {
  std::string path = kGetTask;
  std::string method = "POST";
  std::string query = "";
  std::string body = R"({"id": "7"})";
  util::HttpHeaders headers = {};
  std::string user = "alice";
  std::string content_type = "application/json";
  std::optional<std::uint64_t> content_length = std::nullopt;
};

class ConnectDoorTest : public testing::Test {
 protected:
  void Serve(std::vector<ServiceDefinition> services, std::size_t workers = 2) {
    pool_.emplace(workers, 100);
    table_.emplace(std::move(services));
    admission_.emplace(
        authenticator_, *pool_,
        Admission::Options{
            .ready = {}, .limits = &limits_, .alarms = &alarms_, .tickets = nullptr});
    door_.emplace(*table_, *admission_);
  }
  void Serve(GetTaskHandler get_task) { Serve({DefinitionWith(std::move(get_task))}); }

  std::shared_ptr<Received> Send(Sent sent) {
    util::HttpRequestHead head{.method = sent.method,
                               .path = sent.path,
                               .query = sent.query,
                               .headers = std::move(sent.headers),
                               .peer = "127.0.0.1",
                               .encrypted = false,
                               .content_length = sent.content_length};
    if (!sent.user.empty()) head.headers.emplace_back("x-user-id", sent.user);
    if (!sent.content_type.empty()) head.headers.emplace_back("content-type", sent.content_type);
    return connect::Serve(*door_, std::move(head), std::move(sent.body));
  }
  util::HttpResponse Call(Sent sent = {}) { return Send(std::move(sent))->Wait(); }

  NamedCaller authenticator_;
  UserLimits limits_{UserLimitOptions()};
  util::Alarms alarms_;
  std::optional<util::WorkerPool> pool_;
  std::optional<MethodTable> table_;
  std::optional<Admission> admission_;
  std::optional<ConnectDoor> door_;
};

std::string ReasonIn(const json& error) {
  for (const json& detail : error.value("details", json::array()))
    if (detail["type"] == "google.rpc.ErrorInfo") return detail["debug"]["reason"];
  return "";
}
std::string ReasonIn(const util::HttpResponse& response) {
  return ReasonIn(json::parse(response.body));
}

TEST_F(ConnectDoorTest, AnswersJsonWithJsonAndBinaryWithBinary) {
  Serve(Echo);
  const auto response = Call(
      {.headers = {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(HeaderOf(response, "content-type"), "application/json");
  EXPECT_EQ(json::parse(response.body),
            json({{"id", "7"},
                  {"userId", "alice"},
                  {"title", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}));

  v1::GetTaskRequest request;
  request.set_id(8);
  const auto binary =
      Call({.body = request.SerializeAsString(), .content_type = "application/proto"});
  EXPECT_EQ(HeaderOf(binary, "content-type"), "application/proto");
  v1::Task task;
  ASSERT_TRUE(task.ParseFromString(binary.body));
  EXPECT_EQ(task.id(), 8);
}

TEST_F(ConnectDoorTest, TellsTheServerWhoseCallItIs) {
  Serve(Echo);
  const util::HttpDecision decision =
      door_->Decide({.method = "POST",
                     .path = kGetTask,
                     .query = {},
                     .headers = {{"x-user-id", "alice"}, {"content-type", "application/json"}},
                     .peer = "127.0.0.1",
                     .encrypted = false,
                     .content_length = 2});
  const auto& acceptance = std::get<util::HttpAcceptance>(decision);
  EXPECT_EQ(acceptance.holder, "alice");
  const util::HttpResponse refusal = acceptance.too_many();
  EXPECT_EQ(refusal.status, 429);
  EXPECT_EQ(ReasonIn(refusal), "USER_BUSY");
}

TEST_F(ConnectDoorTest, AnswersAGetOfAMethodWithoutSideEffects) {
  Serve(Echo);
  const auto response = Call({.method = "GET",
                              .query = "connect=v1&encoding=json&message=%7B%22id%22%3A%227%22%7D",
                              .body = "",
                              .content_type = ""});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(json::parse(response.body)["id"], "7");
  EXPECT_EQ(Call({.path = "/todo.v1.TodoService/CreateTask",
                  .method = "GET",
                  .query = "connect=v1&encoding=json&message=%7B%7D",
                  .body = "",
                  .content_type = ""})
                .status,
            405);
}

TEST_F(ConnectDoorTest, UnpacksAndPacks) {
  Serve([](const Caller&, const v1::GetTaskRequest& request) -> absl::StatusOr<v1::Task> {
    v1::Task task;
    task.set_id(request.id());
    task.set_title(std::string(static_cast<std::size_t>(request.id()), 'x'));
    return task;
  });
  const util::HttpHeaders headers{{"content-encoding", "gzip"}, {"accept-encoding", "gzip"}};
  const auto small = Call({.body = connect::Gzip(R"({"id": "7"})"), .headers = headers});
  EXPECT_EQ(HeaderOf(small, "content-encoding"), "") << "not worth it";
  EXPECT_EQ(json::parse(small.body)["title"], "xxxxxxx");
  const auto large = Call({.body = connect::Gzip(R"({"id": "5000"})"), .headers = headers});
  EXPECT_EQ(HeaderOf(large, "content-encoding"), "gzip");
  EXPECT_LT(large.body.size(), 1000U);
  EXPECT_EQ(json::parse(*connect::Gunzip(large.body, 10'000))["id"], "5000");
  EXPECT_EQ(ReasonIn(Call({.body = "no gzip", .headers = headers})), "MALFORMED_REQUEST");
}

TEST_F(ConnectDoorTest, NoMethodIsReachedWithoutAnIdentity) {
  Serve(Echo);
  for (const Method& method : table_->methods()) {
    if (method.streams()) continue;  // see RefusalsAreStreamsToo
    const auto refused = Call({.path = method.path, .body = "{}", .user = ""});
    EXPECT_EQ(refused.status, 401) << method.path;
    EXPECT_EQ(ReasonIn(refused), "IDENTITY_MISSING");
    EXPECT_NE(Call({.path = method.path, .body = "{}"}).status, 401) << method.path;
  }
}

TEST_F(ConnectDoorTest, TheHeadAloneRefuses) {
  Serve(Echo);
  util::HttpRequestHead head{.method = "POST",
                             .path = kGetTask,
                             .query = "",
                             .headers = {{"content-type", "application/json"}},
                             .peer = "",
                             .encrypted = false,
                             .content_length = 5};
  EXPECT_TRUE(std::holds_alternative<util::HttpResponse>(door_->Decide(head)));
  head.headers.emplace_back("x-user-id", "alice");
  EXPECT_TRUE(std::holds_alternative<util::HttpAcceptance>(door_->Decide(head)));
  head.content_length = kMaxRequestBytes + 1;
  EXPECT_TRUE(std::holds_alternative<util::HttpResponse>(door_->Decide(head)));
}

TEST_F(ConnectDoorTest, BoundsTheRequestBeforeAndAfterUnpacking) {
  Serve(Echo);
  const std::string padding(kMaxRequestBytes - 11, ' ');
  EXPECT_EQ(Call({.body = padding + R"({"id": "7"})"}).status, 200);
  EXPECT_EQ(ReasonIn(Call({.body = padding + R"( {"id": "7"})"})), "MESSAGE_TOO_LONG");
  const auto bomb = Call({.body = connect::Gzip(std::string(50'000'000, ' ')),
                          .headers = {{"content-encoding", "gzip"}}});
  EXPECT_EQ(bomb.status, 429);
  EXPECT_EQ(ReasonIn(bomb), "MESSAGE_TOO_LONG");
  EXPECT_EQ(HeaderOf(bomb, "retry-after"), "") << "it does not get shorter";
}

TEST_F(ConnectDoorTest, SaysWhichPathsAndMethodsThereAre) {
  Serve(Echo);
  for (const char* path : {"/", "/index.html", "/todo.v1.Other/GetTask", "/GetTask", ""}) {
    const auto response = Call({.path = path});
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(HeaderOf(response, "content-type"), "application/problem+json");
  }
  const auto unknown = Call({.path = "/todo.v1.TodoService/GetTsk"});
  EXPECT_EQ(unknown.status, 501);
  EXPECT_EQ(json::parse(unknown.body)["code"], "unimplemented");
  const auto stream =
      Call({.path = "/todo.v1.TodoService/GetTsk", .content_type = "application/connect+json"});
  EXPECT_EQ(stream.status, 200);
  EXPECT_THAT(stream.body, HasSubstr("unimplemented"));
}

TEST_F(ConnectDoorTest, ErrorsLookAsInGrpc) {
  Serve([](const Caller&, const v1::GetTaskRequest& request) -> absl::StatusOr<v1::Task> {
    if (request.id() == 1) return absl::InternalError("secret");
    return util::WithReason(absl::NotFoundError("no such task"), "TASK_NOT_FOUND");
  });
  const auto missing = Call();
  EXPECT_EQ(missing.status, 404);
  const json error = json::parse(missing.body);
  EXPECT_EQ(error["code"], "not_found");
  EXPECT_EQ(error["message"], "no such task");
  EXPECT_EQ(ReasonIn(error), "TASK_NOT_FOUND");
  testing::internal::CaptureStderr();
  const auto internal = Call({.body = R"({"id": 1})"});
  EXPECT_EQ(internal.status, 500);
  EXPECT_EQ(json::parse(internal.body)["message"], "internal error");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("secret"));
}

TEST_F(ConnectDoorTest, ATimeoutThatHasPassedIsAnswered) {
  Serve(Echo);
  const auto response = Call({.headers = {{"connect-timeout-ms", "0"}}});
  EXPECT_EQ(response.status, 504);
  EXPECT_EQ(ReasonIn(response), "DEADLINE_PASSED");
}

TEST_F(ConnectDoorTest, QueuedCallsWhoseCallerHasGoneAreNotBegun) {
  HeldHandler handler;
  Serve({DefinitionWith(std::ref(handler))}, 1);
  const auto running = Send({.body = R"({"id": 1})"});
  handler.begun.wait();
  const auto gone = Send({.body = R"({"id": 2})"});
  gone->Leave();
  handler.release.count_down();
  EXPECT_EQ(running->Wait().status, 200);
  EXPECT_EQ(gone->Wait().status, 499);
  EXPECT_EQ(handler.runs, 1);
}

// ---- streams

struct Frame {
  int flags = 0;
  std::string payload;
};
std::vector<Frame> FramesOf(std::string_view body) {
  std::vector<Frame> frames;
  while (body.size() >= connect::kEnvelopePrefixBytes) {
    std::size_t length = 0;
    for (std::size_t i = 1; i < 5; ++i) length = length << 8 | static_cast<unsigned char>(body[i]);
    frames.push_back({body[0], std::string(body.substr(5, length))});
    body.remove_prefix(5 + length);
  }
  EXPECT_EQ(body, "");
  return frames;
}

class ConnectStreamTest : public ConnectDoorTest {
 protected:
  Sent Open(util::HttpHeaders headers = {}) {
    return {.path = kWatch,
            .body = connect::Wrap({.flags = 0, .payload = R"({"id": "7"})"}),
            .headers = std::move(headers),
            .content_type = "application/connect+json"};
  }
  /// Serves streams that the test continues.
  void ServeHeld() {
    Serve({WatchDefinition(
        [this](const Caller&, const v1::GetTaskRequest&, const StreamPointer& stream) {
          opened_.set_value(stream);
          return absl::OkStatus();
        })});
  }
  std::promise<StreamPointer> opened_;
};

v1::Task TaskOf(std::int64_t id, std::size_t length = 0) {
  v1::Task task;
  task.set_id(id);
  task.set_title(std::string(length, 'x'));
  return task;
}

TEST_F(ConnectStreamTest, CarriesTheMessagesAndThenTheStatus) {
  Serve({WatchDefinition(
      [](const Caller&, const v1::GetTaskRequest& request, const StreamPointer& stream) {
        EXPECT_TRUE(stream->Send(TaskOf(request.id())));
        EXPECT_TRUE(stream->Send(TaskOf(8, 5000)));
        return util::WithReason(absl::AbortedError("enough"), "ENOUGH");
      })});
  const auto response = Call(Open({{"connect-accept-encoding", "gzip"}}));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(HeaderOf(response, "content-type"), "application/connect+json");
  EXPECT_EQ(HeaderOf(response, "connect-content-encoding"), "gzip");
  const auto frames = FramesOf(response.body);
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(frames[0].flags, 0);
  EXPECT_EQ(frames[0].payload, R"({"id":"7"})");
  EXPECT_EQ(frames[1].flags, connect::kCompressed);
  EXPECT_EQ(json::parse(*connect::Gunzip(frames[1].payload, 10'000))["id"], "8");
  EXPECT_EQ(frames[2].flags, connect::kEndOfStream);
  const json end = json::parse(frames[2].payload);
  EXPECT_EQ(end["error"]["code"], "aborted");
  EXPECT_EQ(ReasonIn(end["error"]), "ENOUGH");
}

TEST_F(ConnectStreamTest, RefusalsAreStreamsToo) {
  ServeHeld();
  Sent sent = Open();
  sent.user = "";
  const auto refused = Call(sent);
  EXPECT_EQ(refused.status, 200);
  EXPECT_EQ(ReasonIn(json::parse(FramesOf(refused.body).at(0).payload)["error"]),
            "IDENTITY_MISSING");
  const auto code_of = [this](std::string body) {
    Sent broken = Open();
    broken.body = std::move(body);
    return json::parse(FramesOf(Call(broken).body).at(0).payload)["error"]["code"];
  };
  EXPECT_EQ(code_of(""), "unimplemented");
  EXPECT_EQ(code_of("abc"), "invalid_argument");
  EXPECT_EQ(code_of(connect::Wrap({.flags = 0, .payload = "{"})), "invalid_argument");
  EXPECT_EQ(code_of(connect::Wrap({.flags = 1, .payload = "{}"})), "internal");
  EXPECT_EQ(code_of(std::string(kMaxRequestBytes + 6, 'x')), "resource_exhausted");
}

TEST_F(ConnectStreamTest, LivesOnWithoutAWorkerUntilItIsFinished) {
  ServeHeld();
  const auto received = Send(Open());
  const StreamPointer stream = opened_.get_future().get();
  EXPECT_TRUE(pool_->Shutdown(std::chrono::steady_clock::now() + 30s));
  EXPECT_TRUE(stream->Send(TaskOf(1)));
  EXPECT_EQ(FramesOf(received->WaitForBody(1)).size(), 1U);
  EXPECT_FALSE(received->Get().complete);
  stream->Finish(absl::OkStatus());
  EXPECT_EQ(FramesOf(received->Wait().body).back().payload, "{}");
}

TEST_F(ConnectStreamTest, ADroppedStreamIsEnded) {
  ServeHeld();
  const auto received = Send(Open());
  opened_.get_future().get().reset();
  EXPECT_THAT(received->Wait().body, HasSubstr("SERVER_STOPPING"));
}

TEST_F(ConnectStreamTest, TellsWhenTheCallerGoes) {
  ServeHeld();
  const auto received = Send(Open());
  const StreamPointer stream = opened_.get_future().get();
  bool gone = false;
  stream->OnCancel([&] { gone = true; });
  received->Leave();
  EXPECT_TRUE(gone);
  EXPECT_TRUE(stream->IsCancelled());
  EXPECT_FALSE(stream->Send(TaskOf(1)));
}

TEST_F(ConnectStreamTest, ACallerThatReadsTooSlowlyIsCutOffWithoutAnEndOfStream) {
  ServeHeld();
  const auto received = Send(Open());
  const StreamPointer stream = opened_.get_future().get();
  EXPECT_TRUE(stream->Send(TaskOf(1)));
  // The server has closed the connection because of what is unread.
  received->Update([](auto& state) { state.gone = true; });
  EXPECT_FALSE(stream->Send(TaskOf(2)));
  EXPECT_TRUE(stream->IsCancelled());
  const auto frames = FramesOf(received->Wait().body);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].flags, 0) << "no end of stream, and so no reason";
}

TEST_F(ConnectStreamTest, EndsAtItsDeadlineThoughItIsSilent) {
  ServeHeld();
  const auto received = Send(Open({{"connect-timeout-ms", "100"}}));
  const StreamPointer stream = opened_.get_future().get();
  EXPECT_THAT(received->Wait().body, HasSubstr("deadline_exceeded"));
  EXPECT_FALSE(stream->Send(TaskOf(1)));
}

TEST_F(ConnectStreamTest, EndsWhenTheTokenExpires) {
  authenticator_.expiry =
      std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now() + 300ms);
  ServeHeld();
  const auto received = Send(Open());
  const StreamPointer stream = opened_.get_future().get();
  const std::string body = received->Wait().body;
  EXPECT_THAT(body, HasSubstr("unauthenticated"));
  EXPECT_THAT(body, HasSubstr("TOKEN_EXPIRED"));
}

TEST_F(ConnectStreamTest, TellsWhenTheCallerHasReadAll) {
  ServeHeld();
  const auto received = Send(Open());
  const StreamPointer stream = opened_.get_future().get();
  received->StopReading();
  EXPECT_TRUE(stream->Send(TaskOf(1)));
  int drained = 0;
  stream->OnDrained([&] { ++drained; });
  EXPECT_EQ(drained, 0);
  received->ReadOn();
  EXPECT_EQ(drained, 1);
  stream->Finish(absl::OkStatus());
}

TEST_F(ConnectStreamTest, HasAPlaceUntilItsEnd) {
  ServeHeld();
  const auto received = Send(Open());
  const StreamPointer stream = opened_.get_future().get();
  std::vector<UserLimits::Place> places;
  for (;;) {
    auto place = limits_.Begin({"alice"}, UserLimits::Kind::kStream);
    if (!place.ok()) break;
    places.push_back(*std::move(place));
  }
  EXPECT_EQ(places.size() + 1, static_cast<std::size_t>(UserLimitOptions().streams_at_a_time));
  stream->Finish(absl::OkStatus());
  EXPECT_TRUE(limits_.Begin({"alice"}, UserLimits::Kind::kStream).ok());
}

}  // namespace
}  // namespace todo::api
