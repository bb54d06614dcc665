#include "api/admission_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "api/request_parts.h"
#include "util/log.h"
#include "util/span.h"
#include "util/status.h"
#include "util/trace_context.h"

namespace todo::api {

using google::protobuf::Message;
namespace {

/// By the conventions for spans of servers: a call that the caller got wrong has not failed.
bool IsFaultOfServer(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDataLoss: return true;
    default: return false;
  }
}

}  // namespace

absl::Status ServerStopping() {
  return util::WithReason(absl::UnavailableError("the server is stopping: try again"),
                          "SERVER_STOPPING");
}

absl::Status ServerBusy() {
  return util::WithReason(
      absl::ResourceExhaustedError("the server is overloaded: retry in a second"), "SERVER_BUSY");
}

absl::Status DeadlinePassed() {
  return util::WithReason(
      absl::DeadlineExceededError("the deadline passed before the server began the call"),
      "DEADLINE_PASSED");
}

bool HasTimeLeft(const PendingCall& call) {
  return call.Deadline() > std::chrono::system_clock::now();
}

std::chrono::steady_clock::time_point SteadyTimeOf(std::chrono::system_clock::time_point time) {
  const auto now = std::chrono::system_clock::now();
  const auto left = std::min(time, now + std::chrono::hours(24)) - now;
  return std::chrono::steady_clock::now() + left;
}

void LogFailure(std::string_view method_name, const absl::Status& status) {
  if (!absl::IsInternal(status) && !absl::IsDataLoss(status)) return;
  util::Log(util::Severity::kError, "call_failed",
            {{"method", method_name}, {"status", status.ToString()}});
}

CallRecord::CallRecord(const Method& method, const std::string& traceparent)
    : span(method.name, util::SpanKind::kServer, util::ParseTraceContext(traceparent)),
      timer(method.figures) {
  if (span.recorded()) span.Set("rpc.method", fmt::format("{}/{}", method.service, method.name));
}

void CallRecord::End(const absl::Status& status) {
  timer.Stop(status.code());
  EndSpan(span, status);
}

void EndSpan(util::Span& span, const absl::Status& status) {
  if (span.recorded()) {
    const std::string code = absl::StatusCodeToString(status.code());
    span.Set("rpc.response.status_code", code);
    if (IsFaultOfServer(status.code())) {
      span.Set("error.type", code);
      span.Fail();
    }
  }
  span.End();
}

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

Caller CallerOf(const Method& method, const KnownCaller& caller, const Message& request,
                const PendingCall& call) {
  using std::chrono::system_clock;
  Caller known{.identity = caller.identity,
               .context = ContextOf(method, request, caller.identity.user, caller.traceparent)};
  known.context.cancellation.requested = [&call] { return call.IsCancelled(); };
  if (call.Deadline() != system_clock::time_point::max())
    known.context.cancellation.deadline = SteadyTimeOf(call.Deadline());
  return known;
}

absl::Status BeginCall(PendingCall& call, Message& request) {
  if (call.IsCancelled())
    return absl::CancelledError("the call was cancelled before the server began it");
  if (!HasTimeLeft(call)) return DeadlinePassed();
  return call.ParseRequest(request);
}

}  // namespace todo::api
