#include "api/admission.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <optional>

#include "api/request_parts.h"
#include "domain/ids.h"
#include "util/digest.h"
#include "util/log.h"
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

/// An admitted call on its way through the queue and a worker. Destroying it unanswered answers it:
/// a pool that runs out of time to stop drops the calls that it has queued.
class AdmittedCall {
 public:
  AdmittedCall(const Method& method, ports::Identity identity, UserLimits::Ticket ticket,
               std::string traceparent, std::unique_ptr<PendingCall> call)
      : method_(method),
        identity_(std::move(identity)),
        ticket_(std::move(ticket)),
        traceparent_(std::move(traceparent)),
        call_(std::move(call)) {}
  ~AdmittedCall() { Finish(ServerStopping()); }
  AdmittedCall(const AdmittedCall&) = delete;
  AdmittedCall& operator=(const AdmittedCall&) = delete;

  /// On a worker.
  void Run() {
    const absl::Status status = WithoutExceptions([this] { return Answer(); });
    LogFailure(method_, status, traceparent_);
    Finish(status);
  }

  /// Answers the call, unless it has been answered.
  void Finish(const absl::Status& status) {
    ticket_.Return();  // a caller that has its answer may make the next call
    if (const std::unique_ptr<PendingCall> call = std::move(call_)) call->Finish(status);
  }

 private:
  absl::Status Answer() {
    // The caller may have gone while the call was queued: then nothing is begun.
    if (call_->IsCancelled())
      return absl::CancelledError("the call was cancelled before the server began it");
    if (!HasTimeLeft(*call_)) return DeadlinePassed();
    const std::unique_ptr<Message> request(method_.request_prototype->New());
    TODO_RETURN_IF_ERROR(call_->ParseRequest(*request));
    Caller caller{.identity = identity_,
                  .context = ContextOf(method_, *request, identity_.user, traceparent_)};
    caller.context.cancellation = {.requested = [this] { return call_->IsCancelled(); },
                                   .deadline = SteadyTimeOf(call_->Deadline())};
    const std::unique_ptr<Message> response(method_.response_prototype->New());
    TODO_RETURN_IF_ERROR(method_.handler(caller, *request, *response));
    return call_->EncodeResponse(*response);
  }

  const Method& method_;
  const ports::Identity identity_;
  UserLimits::Ticket ticket_;
  const std::string traceparent_;
  std::unique_ptr<PendingCall> call_;  // nullptr: answered
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

absl::StatusOr<Admission::Admitted> Admission::Admit(const CallHeaders& headers,
                                                     const PendingCall& call) const {
  Admitted admitted;
  TODO_ASSIGN_OR_RETURN(admitted.identity, authenticator_.Authenticate(headers.credentials));
  if (options_.limits != nullptr) {
    TODO_ASSIGN_OR_RETURN(admitted.ticket, options_.limits->Begin(admitted.identity.user));
  }
  if (options_.ready) TODO_RETURN_IF_ERROR(options_.ready());
  if (!HasTimeLeft(call)) return DeadlinePassed();
  return admitted;
}

void Admission::Submit(const Method& method, const CallHeaders& headers,
                       std::unique_ptr<PendingCall> call) const {
  absl::StatusOr<Admitted> admitted = WithoutExceptions([&] { return Admit(headers, *call); });
  if (!admitted.ok()) {
    LogFailure(method, admitted.status(), headers.traceparent);
    call->Finish(admitted.status());
    return;
  }
  const std::string user = admitted->identity.user.value;
  const auto queued = std::make_shared<AdmittedCall>(method, std::move(admitted->identity),
                                                     std::move(admitted->ticket),
                                                     headers.traceparent, std::move(call));
  if (!workers_.TrySubmit(user, [queued] { queued->Run(); })) queued->Finish(ServerBusy());
}

std::string FingerprintOf(std::string_view method_name, const Message& request) {
  const std::unique_ptr<Message> content(request.New());
  content->CopyFrom(request);
  if (const auto* field = content->GetDescriptor()->FindFieldByName(kRequestIdField))
    content->GetReflection()->ClearField(content.get(), field);
  return util::Sha256(fmt::format("{}\n{}", method_name, DeterministicBytes(*content)));
}

}  // namespace todo::api
