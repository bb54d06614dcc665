#include "api/admitted_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/admission.h"
#include "named_caller.h"
#include "support/status_matchers.h"
#include "util/alarms.h"
#include "util/guarded.h"
#include "watch_definition.h"

namespace todo::api {
namespace {

using support::HasReason;
using support::IsOk;
using support::StatusIs;
using testing::AllOf;
using testing::ElementsAre;
using namespace std::chrono_literals;
using std::chrono::system_clock;
using StreamPointer = std::shared_ptr<ResponseStream>;

constexpr auto kPatience = 30s;

/// What became of a stream at the fake door.
class StreamAnswer {
 public:
  struct State {
    std::vector<std::int64_t> ids;
    bool gone = false;
    bool unread = false;
    std::function<void()> on_cancel;
    std::function<void()> on_drained;
    UserLimits::Place place;
  };

  absl::Status Wait() {
    std::future<absl::Status> end = end_.get_future();
    if (end.wait_for(kPatience) != std::future_status::ready)
      return absl::UnknownError("the stream has not ended");
    return end.get();
  }
  std::vector<std::int64_t> ids() { return state_.Lock()->ids; }
  void End(const absl::Status& status) { end_.set_value(status); }  // throws when called twice
  /// The caller goes.
  void Leave() {
    state_.Lock()->gone = true;
    Call(&State::on_cancel);
    Call(&State::on_drained);
  }
  void StopReading() { state_.Lock()->unread = true; }
  void ReadOn() {
    state_.Lock()->unread = false;
    Call(&State::on_drained);
  }
  /// The caller has read everything.
  void ReturnPlace() { state_.Lock()->place.Return(); }
  auto Lock() { return state_.Lock(); }

 private:
  void Call(std::function<void()> State::*callback) {
    const auto taken = std::exchange((*state_.Lock()).*callback, nullptr);
    if (taken) taken();
  }
  std::promise<absl::Status> end_;
  util::Guarded<State> state_;
};

class FakeStream final : public PendingStream {
 public:
  FakeStream(StreamAnswer& answer, system_clock::time_point deadline, std::size_t limit)
      : answer_(answer), deadline_(deadline), limit_(limit) {}

  bool IsCancelled() const override { return answer_.Lock()->gone; }
  system_clock::time_point Deadline() const override { return deadline_; }
  absl::Status ParseRequest(google::protobuf::Message&) override { return absl::OkStatus(); }
  absl::Status Send(const google::protobuf::Message& response) override {
    auto state = answer_.Lock();
    state->ids.push_back(static_cast<const v1::Task&>(response).id());
    return state->ids.size() <= limit_ ? absl::OkStatus() : absl::CancelledError("gone");
  }
  void OnCancel(std::function<void()> callback) override {
    answer_.Lock()->on_cancel = std::move(callback);
  }
  void OnDrained(std::function<void()> callback) override {
    {
      auto state = answer_.Lock();
      if (state->unread && !state->gone) {
        state->on_drained = std::move(callback);
        return;
      }
    }
    callback();
  }
  void KeepPlace(UserLimits::Place place) override { answer_.Lock()->place = std::move(place); }
  void Finish(const absl::Status& status) override { answer_.End(status); }

 private:
  StreamAnswer& answer_;
  const system_clock::time_point deadline_;
  const std::size_t limit_;
};

class AdmittedStreamTest : public testing::Test {
 protected:
  /// How a stream comes to be.
  struct Terms {
    system_clock::time_point deadline = system_clock::time_point::max();
    std::optional<domain::Instant> expiry = {};
    std::size_t limit = 2;  // the caller takes this many messages
  };

  /// A stream of a handler that the test writes.
  template <typename Watch>
  absl::Status Serve(Watch watch) {
    Submit(std::move(watch), {});
    const absl::Status status = answer_.Wait();
    // The handler is done with the table.
    EXPECT_TRUE(pool_.Shutdown(std::chrono::steady_clock::now() + kPatience));
    return status;
  }

  /// A stream in the hands of the test.
  StreamPointer Open(const Terms& terms) {
    Submit(
        [this](const Caller&, const v1::GetTaskRequest&, const StreamPointer& stream) {
          opened_.set_value(stream);
          return absl::OkStatus();
        },
        terms);
    StreamPointer stream = opened_.get_future().get();
    EXPECT_TRUE(pool_.Shutdown(std::chrono::steady_clock::now() + kPatience));
    return stream;
  }

  template <typename Watch>
  void Submit(Watch watch, const Terms& terms) {
    table_.emplace(std::vector<ServiceDefinition>{WatchDefinition(std::move(watch))});
    admission_.emplace(
        authenticator_, pool_,
        Admission::Options{
            .ready = {}, .limits = &limits_, .alarms = &alarms_, .tickets = nullptr});
    std::unique_ptr<PendingStream> stream =
        std::make_unique<FakeStream>(answer_, terms.deadline, terms.limit);
    admission_->Submit(
        *table_->Find("/test.WatchService/Watch"),
        KnownCaller{.identity = {.user = {"alice"}, .roles = {}, .expiry = terms.expiry},
                    .traceparent = ""},
        std::move(stream));
  }

  NamedCaller authenticator_;
  util::Alarms alarms_;
  UserLimits limits_{UserLimitOptions{.streams_at_a_time = 1}};
  std::optional<MethodTable> table_;
  std::optional<Admission> admission_;
  StreamAnswer answer_;
  std::promise<StreamPointer> opened_;
  util::WorkerPool pool_{1, 1};
};

system_clock::time_point Soon() { return system_clock::now() + 200ms; }
domain::Instant ExpirySoon() { return std::chrono::floor<std::chrono::microseconds>(Soon()); }

TEST_F(AdmittedStreamTest, AStreamEndsOnceWithItsFirstEnd) {
  EXPECT_THAT(Serve([](const Caller&, const v1::GetTaskRequest&, const auto& stream) {
                v1::Task task;
                task.set_id(5);
                EXPECT_TRUE(stream->Send(task));
                stream->Finish(absl::OkStatus());
                stream->Finish(absl::AbortedError("too late"));
                EXPECT_TRUE(stream->IsCancelled());
                EXPECT_FALSE(stream->Send(task));
                return absl::AbortedError("too late");
              }),
              IsOk());
  EXPECT_THAT(answer_.ids(), ElementsAre(5));
}

TEST_F(AdmittedStreamTest, AStreamCountsOnceWhenItIsOpen) {
  const StreamPointer stream = Open({});
  const auto& figures = table_->Find("/test.WatchService/Watch")->figures;
  EXPECT_EQ(figures->Read().at(absl::StatusCode::kOk).count(), 1u);
  stream->Finish(absl::UnavailableError("the server stops"));
  EXPECT_EQ(figures->Read().size(), 1u);
}

TEST_F(AdmittedStreamTest, AStreamThatCannotBeginCountsWithItsCode) {
  const absl::Status status = Serve([](const Caller&, const v1::GetTaskRequest&, const auto&) {
    return absl::NotFoundError("nothing to watch");
  });
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound));
  const auto figures = table_->Find("/test.WatchService/Watch")->figures->Read();
  EXPECT_EQ(figures.at(absl::StatusCode::kNotFound).count(), 1u);
  EXPECT_EQ(figures.size(), 1u);
}

TEST_F(AdmittedStreamTest, AFailedSendEndsTheStream) {
  EXPECT_THAT(Serve([](const Caller&, const v1::GetTaskRequest&, const auto& stream) {
                while (stream->Send(v1::Task())) {
                }
                return absl::OkStatus();
              }),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(answer_.ids().size(), 3U);
}

TEST_F(AdmittedStreamTest, AStreamThatTheHandlerDropsIsEnded) {
  EXPECT_THAT(
      Serve([](const Caller&, const v1::GetTaskRequest&, const auto&) { return absl::OkStatus(); }),
      HasReason("SERVER_STOPPING"));
}

TEST_F(AdmittedStreamTest, AFullQueueIsAnsweredAtOnce) {
  EXPECT_TRUE(pool_.Shutdown(std::chrono::steady_clock::now()));
  EXPECT_THAT(
      Serve([](const Caller&, const v1::GetTaskRequest&, const auto&) { return absl::OkStatus(); }),
      HasReason("SERVER_BUSY"));
}

TEST_F(AdmittedStreamTest, ASilentStreamEndsAtItsDeadline) {
  const StreamPointer stream = Open({.deadline = Soon()});
  EXPECT_THAT(answer_.Wait(),
              AllOf(StatusIs(absl::StatusCode::kDeadlineExceeded), HasReason("DEADLINE_PASSED")));
  EXPECT_TRUE(stream->IsCancelled());
  EXPECT_FALSE(stream->Send(v1::Task()));
}

TEST_F(AdmittedStreamTest, ASilentStreamEndsWhenTheTokenExpires) {
  const StreamPointer stream = Open({.deadline = system_clock::now() + 1h, .expiry = ExpirySoon()});
  EXPECT_THAT(answer_.Wait(),
              AllOf(StatusIs(absl::StatusCode::kUnauthenticated), HasReason("TOKEN_EXPIRED")));
}

TEST_F(AdmittedStreamTest, ADeadlineBeforeTheExpiryCounts) {
  const StreamPointer stream = Open({.deadline = Soon(), .expiry = domain::kMaxInstant});
  EXPECT_THAT(answer_.Wait(), StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST_F(AdmittedStreamTest, ALimitThatIsFarAwayDoesNotEndTheStream) {
  const StreamPointer stream =
      Open({.deadline = system_clock::now() + 24h * 400, .expiry = domain::kMaxInstant});
  EXPECT_FALSE(stream->IsCancelled());
  EXPECT_TRUE(stream->Send(v1::Task()));
  stream->Finish(absl::OkStatus());
  EXPECT_THAT(answer_.Wait(), IsOk());
  EXPECT_EQ(alarms_.count(), 0u) << "an ended stream has no alarm";
}

TEST_F(AdmittedStreamTest, TheHolderHearsThatTheStreamHasEndedByItself) {
  const StreamPointer stream = Open({.deadline = Soon()});
  std::promise<void> ended;
  std::promise<void> drained;
  answer_.StopReading();
  stream->OnCancel([&] { ended.set_value(); });
  stream->OnDrained([&] { drained.set_value(); });
  EXPECT_EQ(ended.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(drained.get_future().wait_for(kPatience), std::future_status::ready);
  int at_once = 0;
  stream->OnCancel([&] { ++at_once; });
  stream->OnDrained([&] { ++at_once; });
  EXPECT_EQ(at_once, 2);
  EXPECT_THAT(answer_.Wait(), StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST_F(AdmittedStreamTest, TheHolderMayDropTheStreamWhenTheCallerGoes) {
  StreamPointer stream = Open({});
  ResponseStream& held = *stream;
  held.OnCancel([&] { stream.reset(); });
  answer_.Leave();
  EXPECT_EQ(stream, nullptr);
  EXPECT_THAT(answer_.Wait(), HasReason("SERVER_STOPPING"));
}

TEST_F(AdmittedStreamTest, OnDrainedWaitsUntilTheCallerHasRead) {
  const StreamPointer stream = Open({.limit = 100});
  int drained = 0;
  stream->OnDrained([&] { ++drained; });
  EXPECT_EQ(drained, 1) << "at once: nothing is queued";
  answer_.StopReading();
  stream->OnDrained([&] { drained += 10; });
  stream->OnDrained([&] { drained += 100; });
  EXPECT_EQ(drained, 1);
  answer_.ReadOn();
  EXPECT_EQ(drained, 101) << "the second callback took the place of the first";
  // A callback may go on sending, also when it is called at once.
  int sent = 0;
  std::function<void()> next = [&] {
    if (++sent >= 10) return;
    EXPECT_TRUE(stream->Send(v1::Task()));
    stream->OnDrained(next);
  };
  stream->OnDrained(next);
  EXPECT_EQ(sent, 10);
}

TEST_F(AdmittedStreamTest, TheDoorKeepsThePlaceOfTheStream) {
  const StreamPointer stream = Open({});
  const auto another = [this] {
    return limits_.Begin({"alice"}, UserLimits::Kind::kStream).status();
  };
  EXPECT_THAT(another(), HasReason("USER_BUSY"));
  stream->Finish(absl::OkStatus());
  EXPECT_THAT(another(), HasReason("USER_BUSY")) << "the caller has not read the end";
  answer_.ReturnPlace();
  EXPECT_THAT(another(), IsOk());
}

}  // namespace
}  // namespace todo::api
