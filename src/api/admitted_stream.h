#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "absl/status/status.h"
#include "api/admission.h"
#include "api/admission_parts.h"
#include "api/method.h"
#include "google/protobuf/message.h"
#include "util/alarms.h"
#include "util/guarded.h"

namespace todo::api {

/// An admitted call of a method that streams: first on its way through the queue, then in the hands
/// of the handler. Ends by itself when the deadline passes or the caller's identity expires.
/// Destroying it unfinished finishes it. Thread safety: see ResponseStream.
class AdmittedStream final : public ResponseStream,
                             public std::enable_shared_from_this<AdmittedStream> {
 public:
  /// `method` must outlive the stream. `record` is the call's, and ends with it.
  AdmittedStream(const Method& method, KnownCaller caller, CallRecord record,
                 std::unique_ptr<PendingStream> call)
      : method_(method),
        caller_(std::move(caller)),
        record_(std::move(record)),
        call_(std::move(call)) {}
  ~AdmittedStream() override;

  /// Begins to look after the end of the stream. To be called once, before Run. `alarms` may be
  /// null: then the stream ends in time only when something is sent.
  void Start(util::Alarms* alarms);
  /// Runs the handler, on a worker.
  void Run();

  bool Send(const google::protobuf::Message& message) override;
  bool IsCancelled() const override;
  void OnCancel(std::function<void()> callback) override;
  void OnDrained(std::function<void()> callback) override;
  void Finish(const absl::Status& status) override;

 private:
  using Callback = std::function<void()>;
  struct State {
    bool cut = false;  // over, and not because its holder has ended it
    Callback on_cancel;
    Callback on_drained;
    bool asking = false;   // the door is being asked to call when all has left
    bool drained = false;  // and has called meanwhile
    util::Alarm alarm;
  };

  /// The deadline, or the expiry of the identity, if that comes first.
  std::chrono::system_clock::time_point TimeLimit() const;
  /// OK before the time limit; then the status to end with.
  absl::Status CheckTime() const;
  /// Ends the stream, unless it has ended.
  void End(const absl::Status& status);
  /// The stream is over for its holder, who is told so.
  void Cut();
  void Drained();
  void OnAlarm(util::Alarms& alarms);
  void SetAlarm(util::Alarms& alarms);

  const Method& method_;
  const KnownCaller caller_;
  CallRecord record_;
  const std::unique_ptr<PendingStream> call_;
  std::mutex door_;  // held for calls of call_: the alarm comes beside the holder
  std::atomic<bool> finished_ = false;
  util::Guarded<State> state_;
};

}  // namespace todo::api
