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
#include "google/protobuf/message.h"
#include "ports/authenticator.h"
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
/// another, though from different threads, and calls nothing after Finish. Only IsCancelled may
/// also be called beside the others, from any thread.
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

  /// Parses the request into `request`, on a worker. An error is the answer to the call:
  /// kInvalidArgument with a text for the caller.
  virtual absl::Status ParseRequest(google::protobuf::Message& request) = 0;
  /// Encodes the answer, on a worker, for Finish to send. An error, for our log, ends the call as
  /// INTERNAL.
  virtual absl::Status EncodeResponse(const google::protobuf::Message& response) = 0;

  /// Ends the call, from any thread: OK sends the encoded response, else `status` goes to the
  /// caller through EncodeStatus(). Admission calls it exactly once. Never blocks.
  virtual void Finish(const absl::Status& status) = 0;
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
  };

  /// `authenticator` and `workers` must outlive the admission and every submitted call.
  Admission(ports::Authenticator& authenticator, util::WorkerPool& workers, Options options)
      : authenticator_(authenticator), workers_(workers), options_(std::move(options)) {}

  /// Takes one call of `method`, which must outlive the call. Answers through `call`, possibly
  /// before Submit returns.
  void Submit(const Method& method, const CallHeaders& headers,
              std::unique_ptr<PendingCall> call) const;

 private:
  struct Admitted {
    ports::Identity identity;
    UserLimits::Ticket ticket;
  };
  absl::StatusOr<Admitted> Admit(const CallHeaders& headers, const PendingCall& call) const;

  ports::Authenticator& authenticator_;
  util::WorkerPool& workers_;
  const Options options_;
};

/// A fingerprint of a request: bytes that are equal for equal content of the same method, in every
/// process of a version. The field `request_id` is left out.
std::string FingerprintOf(std::string_view method_name, const google::protobuf::Message& request);

}  // namespace todo::api
