#include "api/admission.h"

#include <fmt/format.h>

#include <functional>

#include "api/admission_parts.h"
#include "api/admitted_stream.h"
#include "api/request_parts.h"
#include "util/digest.h"
#include "util/require.h"
#include "util/span.h"
#include "util/status.h"
#include "util/trace_context.h"

namespace todo::api {
namespace {

using google::protobuf::Message;

/// The name of a watch of /ws and /events in the log.
constexpr std::string_view kWatch = "watch";

/// An admitted call on its way through the queue and a worker. Destroying it unanswered answers it:
/// a pool that runs out of time to stop drops the calls that it has queued.
class AdmittedUnary {
 public:
  AdmittedUnary(const Method& method, KnownCaller caller, CallRecord record,
                UserLimits::Place place, std::unique_ptr<PendingUnary> call)
      : method_(method),
        caller_(std::move(caller)),
        record_(std::move(record)),
        place_(std::move(place)),
        call_(std::move(call)) {}
  ~AdmittedUnary() { Finish(ServerStopping()); }
  AdmittedUnary(const AdmittedUnary&) = delete;
  AdmittedUnary& operator=(const AdmittedUnary&) = delete;

  /// On a worker.
  void Run() {
    const util::WithTrace trace(record_.span);
    const absl::Status status = WithoutExceptions([this] { return Answer(); });
    LogFailure(method_.name, status);
    Finish(status);
  }

  /// Answers the call, unless it has been answered.
  void Finish(const absl::Status& status) {
    place_.Return();  // a caller that has its answer may make the next call
    const std::unique_ptr<PendingUnary> call = std::move(call_);
    if (call == nullptr) return;
    record_.End(status);
    call->Finish(status);
  }

 private:
  absl::Status Answer() {
    const std::unique_ptr<Message> request(method_.request_prototype->New());
    TODO_RETURN_IF_ERROR(BeginCall(*call_, *request));
    const std::unique_ptr<Message> response(method_.response_prototype->New());
    TODO_RETURN_IF_ERROR(
        method_.handler(CallerOf(method_, caller_, *request, *call_), *request, *response));
    return call_->EncodeResponse(*response);
  }

  const Method& method_;
  const KnownCaller caller_;
  CallRecord record_;
  UserLimits::Place place_;
  std::unique_ptr<PendingUnary> call_;  // nullptr: answered
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

absl::StatusOr<ports::Identity> Admission::Authenticate(const ports::Credentials& credentials,
                                                        std::string_view method_name) const {
  absl::StatusOr<ports::Identity> identity =
      WithoutExceptions([&] { return authenticator_.Authenticate(credentials); });
  LogFailure(method_name, identity.status());
  return identity;
}

absl::StatusOr<KnownCaller> Admission::Identify(const Method& method,
                                                const CallHeaders& headers) const {
  const util::WithTrace trace(util::ParseTraceContext(headers.traceparent));
  absl::StatusOr<ports::Identity> identity = Authenticate(headers.credentials, method.name);
  if (!identity.ok()) {
    CallRecord(method, headers.traceparent).End(identity.status());
    return identity.status();
  }
  return KnownCaller{.identity = *std::move(identity), .traceparent = headers.traceparent};
}

absl::StatusOr<ports::Identity> Admission::IdentifyWatcher(const ports::Credentials& credentials,
                                                           std::string_view ticket) const {
  if (ticket.empty()) return Authenticate(credentials, kWatch);
  if (!credentials.authorization.empty() || !credentials.user_ids.empty()) {
    return util::WithReason(
        absl::InvalidArgumentError("send a ticket or other credentials, not both"),
        "MALFORMED_REQUEST");
  }
  if (options_.tickets == nullptr) {
    return util::WithReason(absl::UnauthenticatedError("this server takes no tickets"),
                            "TICKET_INVALID");
  }
  return options_.tickets->Read(ticket);
}

absl::StatusOr<UserLimits::Place> Admission::AdmitWatch(const domain::UserId& user) const {
  return TakePlace(user, UserLimits::Kind::kStream, kWatch);
}

absl::StatusOr<UserLimits::Place> Admission::TakePlace(const domain::UserId& user,
                                                       UserLimits::Kind kind,
                                                       std::string_view method_name) const {
  UserLimits::Place place;
  if (options_.limits != nullptr) {
    TODO_ASSIGN_OR_RETURN(place, options_.limits->Begin(user, kind));
  }
  const absl::Status ready =
      WithoutExceptions([this] { return options_.ready ? options_.ready() : absl::OkStatus(); });
  LogFailure(method_name, ready);
  TODO_RETURN_IF_ERROR(ready);
  return place;
}

absl::StatusOr<UserLimits::Place> Admission::Admit(const Method& method, const KnownCaller& caller,
                                                   const PendingCall& call) const {
  const auto kind = method.streams() ? UserLimits::Kind::kStream : UserLimits::Kind::kCall;
  TODO_ASSIGN_OR_RETURN(UserLimits::Place place,
                        TakePlace(caller.identity.user, kind, method.name));
  if (!HasTimeLeft(call)) return DeadlinePassed();
  return place;
}

void Admission::Submit(const Method& method, KnownCaller caller,
                       std::unique_ptr<PendingUnary> call) const {
  TODO_REQUIRE(!method.streams());
  CallRecord record(method, caller.traceparent);
  const util::WithTrace trace(record.span);
  absl::StatusOr<UserLimits::Place> place = Admit(method, caller, *call);
  if (!place.ok()) {
    record.End(place.status());
    return call->Finish(place.status());
  }
  const std::string user = caller.identity.user.value;
  caller.traceparent = util::FormatTraceparent(record.span.context());
  const auto admitted = std::make_shared<AdmittedUnary>(
      method, std::move(caller), std::move(record), *std::move(place), std::move(call));
  if (!workers_.TrySubmit(user, [admitted] { admitted->Run(); })) admitted->Finish(ServerBusy());
}

void Admission::Submit(const Method& method, KnownCaller caller,
                       std::unique_ptr<PendingStream> call) const {
  TODO_REQUIRE(method.streams());
  CallRecord record(method, caller.traceparent);
  const util::WithTrace trace(record.span);
  absl::StatusOr<UserLimits::Place> place = Admit(method, caller, *call);
  if (!place.ok()) {
    record.End(place.status());
    return call->Finish(place.status());
  }
  call->KeepPlace(*std::move(place));
  const std::string user = caller.identity.user.value;
  caller.traceparent = util::FormatTraceparent(record.span.context());
  const auto admitted = std::make_shared<AdmittedStream>(method, std::move(caller),
                                                         std::move(record), std::move(call));
  admitted->Start(options_.alarms);
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
