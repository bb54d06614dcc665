#include "api/grpc_stream.h"

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <utility>

#include "api/answer_reactor.h"
#include "api/grpc_parts.h"
#include "util/guarded.h"
#include "util/status.h"

namespace todo::api {
namespace {

using google::protobuf::Message;

/// Writes one message after the other, and then the status. Keeps itself alive until gRPC is done
/// with it.
class StreamReactor final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  StreamReactor(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                std::string holder, AnswerBudget& budget)
      : context_(context),
        request_(request),
        deadline_(context->deadline()),
        // The context lives until OnDone, which gRPC never runs inside of TryCancel.
        held_(budget.Hold(std::move(holder), 0, [context] { context->TryCancel(); })) {}

  void KeepUntilDone(std::shared_ptr<StreamReactor> self) { self_ = std::move(self); }
  void KeepPlace(UserLimits::Place place) { place_ = std::move(place); }

  std::chrono::system_clock::time_point deadline() const { return deadline_; }
  const grpc::ByteBuffer& request() const { return *request_; }
  bool IsCancelled() { return state_.Lock()->cancelled; }

  absl::Status Send(const Message& message) {
    grpc::ByteBuffer bytes;
    TODO_RETURN_IF_ERROR(SerializeInto(message, bytes));
    held_->Add(bytes.Length());  // what is not queued below counts until the end, which is near
    switch (Queue(bytes)) {
      case Queued::kFirst: StartWrite(&current_); break;
      case Queued::kBehindOthers: break;
      case Queued::kGone: return absl::CancelledError("the caller has gone");
      case Queued::kFull:
        context_->TryCancel();  // or the write in progress would wait for the reader
        return util::WithReason(absl::ResourceExhaustedError("the caller reads too slowly"),
                                "SLOW_READER");
    }
    return absl::OkStatus();
  }

  void SetOnCancel(std::function<void()> callback) {
    {
      auto state = state_.Lock();
      if (!state->cancelled) {
        state->on_cancel = std::move(callback);
        return;
      }
    }
    callback();
  }

  void SetOnDrained(std::function<void()> callback) {
    {
      auto state = state_.Lock();
      if (state->writing && !state->cancelled) {
        std::swap(state->on_drained, callback);  // a former one is released without the lock
        return;
      }
    }
    callback();
  }

  void End(const absl::Status& status) {
    grpc::Status end = ToGrpcStatus(status);
    held_->Add(kCallBytes + end.error_details().size());
    std::function<void()> needless;  // released without the lock
    std::swap(state_.Lock()->on_cancel, needless);
    {
      auto state = state_.Lock();
      if (state->writing) {
        state->end = std::move(end);
        return;
      }
    }
    Finish(std::move(end));
  }

  void OnWriteDone(bool ok) override {
    std::optional<grpc::Status> end;
    std::function<void()> on_drained;
    bool more = false;
    if (ok) held_->Remove(current_.Length());
    {
      auto state = state_.Lock();
      state->writing = false;
      if (!ok) Clear(*state);
      more = TakeNext(*state);
      if (!more) {
        end = std::exchange(state->end, std::nullopt);
        on_drained = std::exchange(state->on_drained, nullptr);
      }
    }
    if (more) StartWrite(&current_);
    if (end.has_value()) Finish(*std::move(end));  // the reactor may be gone now
    if (on_drained) on_drained();
  }

  void OnCancel() override {
    std::function<void()> on_cancel;
    std::function<void()> on_drained;
    {
      auto state = state_.Lock();
      state->cancelled = true;
      Clear(*state);
      on_cancel = std::exchange(state->on_cancel, nullptr);
      on_drained = std::exchange(state->on_drained, nullptr);
    }
    if (on_drained) on_drained();
    if (on_cancel) on_cancel();
  }

  void OnDone() override {
    held_->End();
    place_.Return();
    const std::shared_ptr<StreamReactor> last = std::move(self_);
  }

 private:
  struct State {
    std::deque<grpc::ByteBuffer> queue;
    std::size_t queued_bytes = 0;  // of the queue
    bool writing = false;          // gRPC writes current_
    bool cancelled = false;
    std::optional<grpc::Status> end;  // to send after the queue
    std::function<void()> on_cancel;
    std::function<void()> on_drained;
  };

  static void Clear(State& state) {
    state.queue.clear();
    state.queued_bytes = 0;
  }

  enum class Queued { kFirst, kBehindOthers, kGone, kFull };
  /// kFirst: the caller must call StartWrite(&current_).
  Queued Queue(const grpc::ByteBuffer& bytes) {
    auto state = state_.Lock();
    if (state->cancelled) return Queued::kGone;
    if (state->queued_bytes + bytes.Length() > kMaxUnreadStreamBytes && !state->queue.empty())
      return Queued::kFull;
    state->queued_bytes += bytes.Length();
    state->queue.push_back(bytes);
    return TakeNext(*state) ? Queued::kFirst : Queued::kBehindOthers;
  }

  /// Moves the first of the queue to current_, unless gRPC is writing. True: it must be written
  /// now.
  bool TakeNext(State& state) {
    if (state.writing || state.queue.empty()) return false;
    state.writing = true;
    current_ = state.queue.front();
    state.queue.pop_front();
    state.queued_bytes -= current_.Length();
    return true;
  }

  grpc::CallbackServerContext* const context_;
  const grpc::ByteBuffer* const request_;
  const std::chrono::system_clock::time_point deadline_;
  const std::shared_ptr<AnswerBudget::Held> held_;  // all that is unread
  util::Guarded<State> state_;
  grpc::ByteBuffer current_;
  UserLimits::Place place_;
  std::shared_ptr<StreamReactor> self_;
};

class GrpcStreamCall final : public PendingStream {
 public:
  explicit GrpcStreamCall(std::shared_ptr<StreamReactor> reactor) : reactor_(std::move(reactor)) {}

  bool IsCancelled() const override { return reactor_->IsCancelled(); }
  std::chrono::system_clock::time_point Deadline() const override { return reactor_->deadline(); }
  absl::Status ParseRequest(Message& request) override {
    return ParseBytes(reactor_->request(), request);
  }
  absl::Status Send(const Message& response) override { return reactor_->Send(response); }
  void OnCancel(std::function<void()> callback) override {
    reactor_->SetOnCancel(std::move(callback));
  }
  void OnDrained(std::function<void()> callback) override {
    reactor_->SetOnDrained(std::move(callback));
  }
  void KeepPlace(UserLimits::Place place) override { reactor_->KeepPlace(std::move(place)); }
  void Finish(const absl::Status& status) override { reactor_->End(status); }

 private:
  const std::shared_ptr<StreamReactor> reactor_;
};

}  // namespace

GrpcStream MakeGrpcStream(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                          std::string holder, AnswerBudget& budget) {
  auto reactor = std::make_shared<StreamReactor>(context, request, std::move(holder), budget);
  reactor->KeepUntilDone(reactor);
  StreamReactor* const raw = reactor.get();
  return {.call = std::make_unique<GrpcStreamCall>(std::move(reactor)), .reactor = raw};
}

}  // namespace todo::api
