#pragma once

#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "api/admission.h"
#include "api/call_figures.h"
#include "api/method.h"
#include "domain/ids.h"
#include "google/protobuf/message.h"
#include "service/call_context.h"
#include "util/span.h"

// Parts of admission that unary calls and streams have in common.

namespace todo::api {

absl::Status ServerStopping();  // kUnavailable
absl::Status ServerBusy();      // kResourceExhausted
absl::Status DeadlinePassed();  // kDeadlineExceeded: before the call began

bool HasTimeLeft(const PendingCall& call);

/// The same moment by the steady clock, at most a day ahead.
std::chrono::steady_clock::time_point SteadyTimeOf(std::chrono::system_clock::time_point time);

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
void LogFailure(std::string_view method_name, const absl::Status& status);

/// Ends the span of a call with its status.
void EndSpan(util::Span& span, const absl::Status& status);

/// What is recorded about a call of `method` that begins now: its span, below the span that the
/// caller's `traceparent` names, and its part of the method's figures.
struct CallRecord {
  CallRecord(const Method& method, const std::string& traceparent);
  void End(const absl::Status& status);

  util::Span span;
  CallTimer timer;
};

/// The context of a call of `method` by `user`. A request with a request id gets a fingerprint.
service::CallContext ContextOf(const Method& method, const google::protobuf::Message& request,
                               const domain::UserId& user, const std::string& traceparent);

/// `call` must outlive the caller's use of the context.
Caller CallerOf(const Method& method, const KnownCaller& caller,
                const google::protobuf::Message& request, const PendingCall& call);

/// The part of every admitted call that a worker does before the handler: parses the request,
/// unless the caller has gone while the call was queued.
absl::Status BeginCall(PendingCall& call, google::protobuf::Message& request);

}  // namespace todo::api
