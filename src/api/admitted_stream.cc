#include "api/admitted_stream.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "api/admission_parts.h"
#include "util/require.h"
#include "util/span.h"
#include "util/status.h"

namespace todo::api {
namespace {

using google::protobuf::Message;
using std::chrono::system_clock;

absl::Status OutOfTime() {
  return util::WithReason(absl::DeadlineExceededError("the deadline of the stream has passed"),
                          "DEADLINE_PASSED");
}

absl::Status TokenExpired() {
  return util::WithReason(
      absl::UnauthenticatedError("the caller's token has expired: call again with a new one"),
      "TOKEN_EXPIRED");
}

}  // namespace

AdmittedStream::~AdmittedStream() { AdmittedStream::End(ServerStopping()); }

void AdmittedStream::Start(util::Alarms* alarms) {
  call_->OnCancel([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Cut();
  });
  if (alarms != nullptr && TimeLimit() != system_clock::time_point::max()) SetAlarm(*alarms);
}

void AdmittedStream::Run() {
  const util::WithTrace trace(record_.span);
  const absl::Status status = WithoutExceptions([this]() -> absl::Status {
    const std::unique_ptr<Message> request(method_.request_prototype->New());
    TODO_RETURN_IF_ERROR(BeginCall(*call_, *request));
    return method_.stream_handler(CallerOf(method_, caller_, *request, *call_), *request,
                                  shared_from_this());
  });
  if (!status.ok()) return Finish(status);
  record_.timer.Stop(status.code());
}

bool AdmittedStream::Send(const Message& message) {
  TODO_REQUIRE(message.GetDescriptor() == method_.response_prototype->GetDescriptor());
  absl::Status sent = CheckTime();
  if (sent.ok()) {
    const std::lock_guard lock(door_);
    if (finished_) return false;
    sent = call_->Send(message);
  }
  if (!sent.ok()) Finish(sent);
  return sent.ok();
}

bool AdmittedStream::IsCancelled() const {
  return finished_ || call_->IsCancelled() || !CheckTime().ok();
}

void AdmittedStream::OnCancel(std::function<void()> callback) {
  {
    auto state = state_.Lock();
    if (!state->cut) {
      if (!finished_) std::swap(state->on_cancel, callback);
      return;
    }
  }
  callback();
}

void AdmittedStream::OnDrained(std::function<void()> callback) {
  bool is_over = false;
  {
    auto state = state_.Lock();
    is_over = state->cut || finished_;
    if (!is_over) {
      std::swap(state->on_drained, callback);  // a former one is released without the lock
      state->asking = true;
      state->drained = false;
    }
  }
  if (is_over) return callback();
  {
    const std::lock_guard lock(door_);
    if (!finished_) {
      call_->OnDrained([weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->Drained();
      });
    }
  }
  Callback now;
  {
    // The door may have called at once, with the lock above held.
    auto state = state_.Lock();
    state->asking = false;
    if (state->drained || finished_) now = std::exchange(state->on_drained, {});
  }
  if (now) now();
}

void AdmittedStream::Finish(const absl::Status& status) {
  End(status);
  Callback on_cancel;  // released without the lock, and not called: the holder knows
  Callback on_drained;
  auto state = state_.Lock();
  std::swap(state->on_cancel, on_cancel);
  std::swap(state->on_drained, on_drained);
  state.lock().unlock();
}

system_clock::time_point AdmittedStream::TimeLimit() const {
  const system_clock::time_point deadline = call_->Deadline();
  const auto& expiry = caller_.identity.expiry;
  // An expiry in the year 9999 is beyond what the clock counts.
  if (!expiry ||
      *expiry >= std::chrono::floor<std::chrono::microseconds>(system_clock::time_point::max())) {
    return deadline;
  }
  return std::min<system_clock::time_point>(deadline, *expiry);
}

absl::Status AdmittedStream::CheckTime() const {
  if (TimeLimit() > system_clock::now()) return absl::OkStatus();
  return HasTimeLeft(*call_) ? TokenExpired() : OutOfTime();
}

void AdmittedStream::End(const absl::Status& status) {
  {
    const std::lock_guard lock(door_);
    if (finished_.exchange(true)) return;
  }
  // No other call of the door is in progress, and none begins.
  const util::WithTrace trace(record_.span);
  LogFailure(method_.name, status);
  record_.End(status);
  call_->Finish(status);
  state_.Lock()->alarm.Cancel();
}

void AdmittedStream::Cut() {
  Callback on_cancel;
  Callback on_drained;
  {
    auto state = state_.Lock();
    state->cut = true;
    std::swap(state->on_cancel, on_cancel);
    std::swap(state->on_drained, on_drained);
  }
  if (on_drained) on_drained();
  if (on_cancel) on_cancel();
}

void AdmittedStream::Drained() {
  Callback callback;
  {
    auto state = state_.Lock();
    state->drained = true;
    if (!state->asking) callback = std::exchange(state->on_drained, {});
  }
  if (callback) callback();
}

void AdmittedStream::SetAlarm(util::Alarms& alarms) {
  auto state = state_.Lock();
  if (finished_) return;
  state->alarm = alarms.At(SteadyTimeOf(TimeLimit()), [&alarms, weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->OnAlarm(alarms);
  });
}

void AdmittedStream::OnAlarm(util::Alarms& alarms) {
  const absl::Status status = CheckTime();
  if (status.ok()) return SetAlarm(alarms);  // a limit of more than a day, or a clock set back
  state_.Lock()->cut = true;                 // before End, so that OnCancel misses nothing
  End(status);
  Cut();
}

}  // namespace todo::api
