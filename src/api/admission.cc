#include "api/admission.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <optional>

#include "api/request_parts.h"
#include "domain/ids.h"
#include "util/digest.h"
#include "util/log.h"
#include "util/require.h"
#include "util/status.h"
#include "util/trace_context.h"

namespace todo::api {
namespace {

using google::protobuf::Message;

absl::Status DeadlinePassed() {
  return util::WithReason(
      absl::DeadlineExceededError("the deadline passed before the server began the call"),
      "DEADLINE_PASSED");
}

absl::Status ServerBusy() {
  return util::WithReason(
      absl::ResourceExhaustedError("the server is overloaded: retry in a second"), "SERVER_BUSY");
}

absl::Status ServerStopping() {
  return util::WithReason(absl::UnavailableError("the server is stopping: try again"),
                          "SERVER_STOPPING");
}

bool HasTimeLeft(const PendingCall& call) {
  return call.Deadline() > std::chrono::system_clock::now();
}

/// A deadline by the steady clock, at most a day ahead.
std::chrono::steady_clock::time_point SteadyTimeOf(std::chrono::system_clock::time_point deadline) {
  using std::chrono::steady_clock;
  if (deadline == std::chrono::system_clock::time_point::max())
    return steady_clock::time_point::max();
  const auto now = std::chrono::system_clock::now();
  const auto left = std::min(deadline, now + std::chrono::hours(24)) - now;
  return steady_clock::now() + left;
}

/// What `run` returns; an exception becomes kInternal.
template <typename Run>
auto WithoutExceptions(const Run& run) -> decltype(run()) {
  try {
    return run();
  } catch (const std::exception& error) {
    return absl::InternalError(fmt::format("exception: {}", error.what()));
  } catch (...) {
    return absl::InternalError("exception of an unknown type");
  }
}

/// Callers of a call that failed inside see "internal error" only; the cause is in this line.
void LogFailure(const Method& method, const absl::Status& status, const std::string& traceparent) {
  if (!absl::IsInternal(status) && !absl::IsDataLoss(status)) return;
  util::Log(util::Severity::kError, "call_failed",
            {{"method", method.name}, {"status", status.ToString()}, {"traceparent", traceparent}});
}

/// The context of a call, from the parsed request. Only a request with a request id needs a
/// fingerprint.
service::CallContext ContextOf(const Method& method, const Message& request,
                               const domain::UserId& user, const std::string& traceparent) {
  service::CallContext context{
      .user = user, .request_id = std::nullopt, .fingerprint = {}, .traceparent = traceparent};
  const auto* field = request.GetDescriptor()->FindFieldByName(kRequestIdField);
  if (field == nullptr) return context;
  if (auto uuid = domain::Uuid::Parse(request.GetReflection()->GetString(request, field)))
    context.request_id = domain::RequestId{*std::move(uuid)};
  context.fingerprint = FingerprintOf(method.name, request);
  return context;
}

/// `call` must outlive the caller's use of the context.
Caller CallerOf(const Method& method, const KnownCaller& caller, const Message& request,
                const PendingCall& call) {
  Caller known{.identity = caller.identity,
               .context = ContextOf(method, request, caller.identity.user, caller.traceparent)};
  known.context.cancellation = {.requested = [&call] { return call.IsCancelled(); },
                                .deadline = SteadyTimeOf(call.Deadline())};
  return known;
}

/// The part of every admitted call that a worker does before the handler.
absl::Status Begin(PendingCall& call, Message& request) {
  // The caller may have gone while the call was queued: then nothing is begun.
  if (call.IsCancelled())
    return absl::CancelledError("the call was cancelled before the server began it");
  if (!HasTimeLeft(call)) return DeadlinePassed();
  return call.ParseRequest(request);
}

/// An admitted call on its way through the queue and a worker. Destroying it unanswered answers it:
/// a pool that runs out of time to stop drops the calls that it has queued.
class AdmittedUnary {
 public:
  AdmittedUnary(const Method& method, KnownCaller caller, UserLimits::Ticket ticket,
                std::unique_ptr<PendingUnary> call)
      : method_(method),
        caller_(std::move(caller)),
        ticket_(std::move(ticket)),
        call_(std::move(call)) {}
  ~AdmittedUnary() { Finish(ServerStopping()); }
  AdmittedUnary(const AdmittedUnary&) = delete;
  AdmittedUnary& operator=(const AdmittedUnary&) = delete;

  /// On a worker.
  void Run() {
    const absl::Status status = WithoutExceptions([this] { return Answer(); });
    LogFailure(method_, status, caller_.traceparent);
    Finish(status);
  }

  /// Answers the call, unless it has been answered.
  void Finish(const absl::Status& status) {
    ticket_.Return();  // a caller that has its answer may make the next call
    if (const std::unique_ptr<PendingUnary> call = std::move(call_)) call->Finish(status);
  }

 private:
  absl::Status Answer() {
    const std::unique_ptr<Message> request(method_.request_prototype->New());
    TODO_RETURN_IF_ERROR(Begin(*call_, *request));
    const std::unique_ptr<Message> response(method_.response_prototype->New());
    TODO_RETURN_IF_ERROR(
        method_.handler(CallerOf(method_, caller_, *request, *call_), *request, *response));
    return call_->EncodeResponse(*response);
  }

  const Method& method_;
  const KnownCaller caller_;
  UserLimits::Ticket ticket_;
  std::unique_ptr<PendingUnary> call_;  // nullptr: answered
};

/// An admitted call of a method that streams: first on its way through the queue, then in the hands
/// of the handler. Destroying it unfinished finishes it.
class AdmittedStream final : public ResponseStream,
                             public std::enable_shared_from_this<AdmittedStream> {
 public:
  AdmittedStream(const Method& method, KnownCaller caller, UserLimits::Ticket ticket,
                 std::unique_ptr<PendingStream> call)
      : method_(method),
        caller_(std::move(caller)),
        ticket_(std::move(ticket)),
        call_(std::move(call)) {}
  ~AdmittedStream() override { AdmittedStream::Finish(ServerStopping()); }

  /// On a worker.
  void Run() {
    const absl::Status status = WithoutExceptions([this]() -> absl::Status {
      const std::unique_ptr<Message> request(method_.request_prototype->New());
      TODO_RETURN_IF_ERROR(Begin(*call_, *request));
      return method_.stream_handler(CallerOf(method_, caller_, *request, *call_), *request,
                                    shared_from_this());
    });
    if (!status.ok()) Finish(status);
  }

  bool Send(const Message& message) override {
    TODO_REQUIRE(message.GetDescriptor() == method_.response_prototype->GetDescriptor());
    if (finished_) return false;
    const absl::Status sent = HasTimeLeft(*call_) ? call_->Send(message) : DeadlinePassed();
    if (!sent.ok()) Finish(sent);
    return sent.ok();
  }

  bool IsCancelled() const override {
    return finished_ || call_->IsCancelled() || !HasTimeLeft(*call_);
  }

  void OnCancel(std::function<void()> callback) override {
    if (!finished_) call_->OnCancel(std::move(callback));
  }

  void Finish(const absl::Status& status) override {
    if (finished_.exchange(true)) return;
    ticket_.Return();
    LogFailure(method_, status, caller_.traceparent);
    call_->Finish(status);
  }

 private:
  const Method& method_;
  const KnownCaller caller_;
  UserLimits::Ticket ticket_;
  const std::unique_ptr<PendingStream> call_;
  std::atomic<bool> finished_ = false;
};

}  // namespace

CallHeaders ReadHeaders(const HeaderValues& values) {
  CallHeaders headers{.credentials = {.authorization = values("authorization"),
                                      .user_ids = values("x-user-id"),
                                      .user_roles = values("x-user-role")},
                      .traceparent = {}};
  const std::vector<std::string> traceparents = values("traceparent");
  if (traceparents.size() == 1) headers.traceparent = util::ParseTraceparent(traceparents.front());
  return headers;
}

absl::StatusOr<KnownCaller> Admission::Identify(const Method& method,
                                                const CallHeaders& headers) const {
  absl::StatusOr<ports::Identity> identity =
      WithoutExceptions([&] { return authenticator_.Authenticate(headers.credentials); });
  LogFailure(method, identity.status(), headers.traceparent);
  if (!identity.ok()) return identity.status();
  return KnownCaller{.identity = *std::move(identity), .traceparent = headers.traceparent};
}

absl::StatusOr<UserLimits::Ticket> Admission::Admit(const Method& method, const KnownCaller& caller,
                                                    const PendingCall& call) const {
  UserLimits::Ticket ticket;
  if (options_.limits != nullptr) {
    const auto kind = method.streams() ? UserLimits::Kind::kStream : UserLimits::Kind::kCall;
    TODO_ASSIGN_OR_RETURN(ticket, options_.limits->Begin(caller.identity.user, kind));
  }
  const absl::Status ready =
      WithoutExceptions([this] { return options_.ready ? options_.ready() : absl::OkStatus(); });
  LogFailure(method, ready, caller.traceparent);
  TODO_RETURN_IF_ERROR(ready);
  if (!HasTimeLeft(call)) return DeadlinePassed();
  return ticket;
}

void Admission::Submit(const Method& method, KnownCaller caller,
                       std::unique_ptr<PendingUnary> call) const {
  TODO_REQUIRE(!method.streams());
  absl::StatusOr<UserLimits::Ticket> ticket = Admit(method, caller, *call);
  if (!ticket.ok()) return call->Finish(ticket.status());
  const std::string user = caller.identity.user.value;
  const auto admitted = std::make_shared<AdmittedUnary>(method, std::move(caller),
                                                        *std::move(ticket), std::move(call));
  if (!workers_.TrySubmit(user, [admitted] { admitted->Run(); })) admitted->Finish(ServerBusy());
}

void Admission::Submit(const Method& method, KnownCaller caller,
                       std::unique_ptr<PendingStream> call) const {
  TODO_REQUIRE(method.streams());
  absl::StatusOr<UserLimits::Ticket> ticket = Admit(method, caller, *call);
  if (!ticket.ok()) return call->Finish(ticket.status());
  const std::string user = caller.identity.user.value;
  const auto admitted = std::make_shared<AdmittedStream>(method, std::move(caller),
                                                         *std::move(ticket), std::move(call));
  if (!workers_.TrySubmit(user, [admitted] { admitted->Run(); })) admitted->Finish(ServerBusy());
}

std::string FingerprintOf(std::string_view method_name, const Message& request) {
  const std::unique_ptr<Message> content(request.New());
  content->CopyFrom(request);
  if (const auto* field = content->GetDescriptor()->FindFieldByName(kRequestIdField))
    content->GetReflection()->ClearField(content.get(), field);
  return util::Sha256(fmt::format("{}\n{}", method_name, DeterministicBytes(*content)));
}

}  // namespace todo::api
