#include "api/grpc_stream.h"

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <utility>

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
  StreamReactor(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request)
      : context_(context), request_(request), deadline_(context->deadline()) {}

  void KeepUntilDone(std::shared_ptr<StreamReactor> self) { self_ = std::move(self); }

  std::chrono::system_clock::time_point deadline() const { return deadline_; }
  const grpc::ByteBuffer& request() const { return *request_; }
  bool IsCancelled() { return state_.Lock()->cancelled; }

  absl::Status Send(const Message& message) {
    grpc::ByteBuffer bytes;
    TODO_RETURN_IF_ERROR(SerializeInto(message, bytes));
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

  void End(const absl::Status& status) {
    grpc::Status end = ToGrpcStatus(status);
    {
      auto state = state_.Lock();
      state->on_cancel = nullptr;
      if (state->writing) {
        state->end = std::move(end);
        return;
      }
    }
    Finish(std::move(end));
  }

  void OnWriteDone(bool ok) override {
    std::optional<grpc::Status> end;
    bool more = false;
    {
      auto state = state_.Lock();
      state->writing = false;
      if (!ok) state->queue.clear();
      more = TakeNext(*state);
      if (!more) end = std::exchange(state->end, std::nullopt);
    }
    if (more) StartWrite(&current_);
    if (end.has_value()) Finish(*std::move(end));
  }

  void OnCancel() override {
    std::function<void()> callback;
    {
      auto state = state_.Lock();
      state->cancelled = true;
      state->queue.clear();
      callback = std::exchange(state->on_cancel, nullptr);
    }
    if (callback) callback();
  }

  void OnDone() override { const std::shared_ptr<StreamReactor> last = std::move(self_); }

 private:
  struct State {
    std::deque<grpc::ByteBuffer> queue;
    std::size_t queued_bytes = 0;  // of the queue
    bool writing = false;          // gRPC writes current_
    bool cancelled = false;
    std::optional<grpc::Status> end;  // to send after the queue
    std::function<void()> on_cancel;
  };

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
  util::Guarded<State> state_;
  grpc::ByteBuffer current_;
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
  void Finish(const absl::Status& status) override { reactor_->End(status); }

 private:
  const std::shared_ptr<StreamReactor> reactor_;
};

}  // namespace

GrpcStream MakeGrpcStream(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  auto reactor = std::make_shared<StreamReactor>(context, request);
  reactor->KeepUntilDone(reactor);
  StreamReactor* const raw = reactor.get();
  return {.call = std::make_unique<GrpcStreamCall>(std::move(reactor)), .reactor = raw};
}

}  // namespace todo::api
