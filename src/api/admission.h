#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/method.h"
#include "api/user_limits.h"
#include "domain/ids.h"
#include "google/protobuf/message.h"
#include "ports/authenticator.h"
#include "ports/watch_tickets.h"
#include "util/alarms.h"
#include "util/worker_pool.h"

// The decision about every call of the API, the same for all doors.

namespace todo::api {

/// The parts of a call's headers that the API looks at.
struct CallHeaders {
  ports::Credentials credentials;
  std::string traceparent;  // W3C, in the form of version 00, or empty
};

/// All values that a call sent for the header `name` (lower case), in their order.
using HeaderValues = std::function<std::vector<std::string>(std::string_view name)>;

/// Reads the headers of a call. A traceparent that is malformed, or was sent twice, counts as none.
CallHeaders ReadHeaders(const HeaderValues& values);

/// One call that waits for its answer, as its door holds it. A door implements it: the request as
/// the door received it, and the way back to the caller. Admission calls the functions one after
/// another, though from different threads. After Finish it calls at most IsCancelled,
/// which may also be called beside the others, from any thread.
class PendingCall {
 public:
  PendingCall() = default;
  virtual ~PendingCall() = default;
  PendingCall(const PendingCall&) = delete;
  PendingCall& operator=(const PendingCall&) = delete;

  /// Whether the caller has gone. Never blocks.
  virtual bool IsCancelled() const = 0;
  /// The moment after which the caller waits no longer; time_point::max() when there is none. Never
  /// blocks.
  virtual std::chrono::system_clock::time_point Deadline() const = 0;

  /// Parses the request into `request`, on a worker. An error is the answer to the call, with a
  /// text for the caller.
  virtual absl::Status ParseRequest(google::protobuf::Message& request) = 0;

  /// Ends the call, from any thread: OK sends what was encoded, else `status` goes to the caller
  /// through EncodeStatus(). Admission calls it exactly once. Never blocks.
  virtual void Finish(const absl::Status& status) = 0;
};

/// A call with one answer.
class PendingUnary : public PendingCall {
 public:
  /// Encodes the answer, on a worker, for Finish to send. An error, for our log, ends the call as
  /// INTERNAL.
  virtual absl::Status EncodeResponse(const google::protobuf::Message& response) = 0;
};

/// A call with a stream of answers.
class PendingStream : public PendingCall {
 public:
  /// Encodes one answer and queues it, from any thread. An error ends the stream: kCancelled, the
  /// caller has gone; kResourceExhausted, the caller leaves too much unread. Never blocks.
  virtual absl::Status Send(const google::protobuf::Message& response) = 0;
  /// `callback` is called once, from any thread, when the caller goes before Finish; at once when
  /// the caller has gone already. It must not block. The door drops the callback at Finish.
  virtual void OnCancel(std::function<void()> callback) = 0;
  /// `callback` is called once, from any thread, when everything that was queued has left, or the
  /// caller has gone; at once when that is so already. It must not block. A second callback takes
  /// the place of the first.
  virtual void OnDrained(std::function<void()> callback) = 0;
  /// Gives the place back when the stream holds nothing any more: after Finish, when the caller has
  /// read everything or has gone, as far as the door can tell. Called at most once, before Send.
  virtual void KeepPlace(UserLimits::Place place) = 0;
};

/// A caller whose credentials were accepted, and the trace of the call.
struct KnownCaller {
  ports::Identity identity;
  std::string traceparent;  // as CallHeaders'
};

/// The only way from a door to a handler. It checks every call in this order: the caller is known
/// and within its limits, the server is ready, there is time left, the queue has room. Then a
/// worker parses the request and runs the handler, unless the caller has gone meanwhile. Users take
/// turns in the queue, as the pool's share says. Every call is answered exactly once, also when its
/// handler throws or the worker pool stops. Thread safety: may be used from many threads at once.
/// Never blocks: the pool does the work.
class Admission {
 public:
  struct Options {
    /// Not OK: calls are refused with this status. Must not block. Empty: always ready.
    std::function<absl::Status()> ready;
    /// Of every user; must outlive the admission and every submitted call. nullptr: no limits.
    UserLimits* limits = nullptr;
    /// Ends silent streams at their deadlines, and when the caller's token expires; must outlive
    /// the admission and every submitted call. nullptr: such a stream ends when something is sent.
    util::Alarms* alarms = nullptr;
    /// Must outlive the admission. nullptr: no ticket counts.
    const ports::WatchTickets* tickets = nullptr;
  };

  /// `authenticator` and `workers` must outlive the admission and every submitted call.
  Admission(ports::Authenticator& authenticator, util::WorkerPool& workers, Options options)
      : authenticator_(authenticator), workers_(workers), options_(std::move(options)) {}

  /// The first check alone, for a door that has the headers before the request. An error is the
  /// answer to the call.
  absl::StatusOr<KnownCaller> Identify(const Method& method, const CallHeaders& headers) const;

  /// Takes one call of `method`, a unary method that must outlive the call, by a caller that
  /// Identify accepted. Answers through `call`, possibly before Submit returns.
  void Submit(const Method& method, KnownCaller caller, std::unique_ptr<PendingUnary> call) const;
  /// The same for a method that streams.
  void Submit(const Method& method, KnownCaller caller, std::unique_ptr<PendingStream> call) const;

  /// All checks at once, for a door that has everything.
  template <typename Call>
  void Submit(const Method& method, const CallHeaders& headers, std::unique_ptr<Call> call) const {
    absl::StatusOr<KnownCaller> caller = Identify(method, headers);
    if (!caller.ok()) return call->Finish(caller.status());
    Submit(method, *std::move(caller), std::move(call));
  }

  // The same checks for doors that are no calls of a method: /ws and /events.

  /// The watcher with these credentials, or, unless it is empty, with this ticket; kInvalidArgument
  /// when there are both. An error is the answer.
  absl::StatusOr<ports::Identity> IdentifyWatcher(const ports::Credentials& credentials,
                                                  std::string_view ticket) const;

  /// The place of a new watch among the user's streams, for the watch to keep: the user is within
  /// the limits and the server is ready. An error is the answer.
  absl::StatusOr<UserLimits::Place> AdmitWatch(const domain::UserId& user) const;

 private:
  absl::StatusOr<ports::Identity> Authenticate(const ports::Credentials& credentials,
                                               std::string_view method_name) const;
  absl::StatusOr<UserLimits::Place> TakePlace(const domain::UserId& user, UserLimits::Kind kind,
                                              std::string_view method_name) const;
  /// The checks between the first and the last. The place among the user's calls in progress.
  absl::StatusOr<UserLimits::Place> Admit(const Method& method, const KnownCaller& caller,
                                          const PendingCall& call) const;

  ports::Authenticator& authenticator_;
  util::WorkerPool& workers_;
  const Options options_;
};

/// A fingerprint of a request: bytes that are equal for equal content of the same method, in every
/// process of a version. The field `request_id` is left out.
std::string FingerprintOf(std::string_view method_name, const google::protobuf::Message& request);

}  // namespace todo::api
