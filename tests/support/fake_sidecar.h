#pragma once

#include <grpcpp/server.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dapr/proto/runtime/v1/dapr.grpc.pb.h"
#include "util/guarded.h"

namespace todo::support {

/// A sidecar on a loopback port of its own that takes publishes and jobs, keeps state and secrets,
/// converses and tells metadata, remembers what it was asked, and answers as and when the test
/// says. Thread safety: may be used from many threads at once, except Start and Stop.
class FakeSidecar {
 public:
  struct Call {
    std::string method;  // such as "BulkPublishEvent"
    std::map<std::string, std::string> metadata;
    std::chrono::milliseconds time_left{
        0};  // until the caller's deadline; days when there was none
    dapr::proto::runtime::v1::BulkPublishRequest bulk;
    dapr::proto::runtime::v1::PublishEventRequest single;
    dapr::proto::runtime::v1::ScheduleJobRequest schedule;
    dapr::proto::runtime::v1::DeleteJobRequest remove;
    dapr::proto::runtime::v1::SaveStateRequest save;
    dapr::proto::runtime::v1::ConversationRequestAlpha2 converse;
  };
  using BulkAnswer = std::function<grpc::Status(dapr::proto::runtime::v1::BulkPublishResponse&)>;

  FakeSidecar();  // started
  ~FakeSidecar();
  FakeSidecar(const FakeSidecar&) = delete;
  FakeSidecar& operator=(const FakeSidecar&) = delete;

  void Stop();   // gone: calls are refused, held ones cancelled
  void Start();  // back, on the same port
  std::string endpoint() const;

  /// From now on these methods are unknown, which is answered in this way; others are not.
  void SetUnimplemented(std::set<std::string> methods,
                        grpc::Status answer = {grpc::StatusCode::UNIMPLEMENTED, "unknown method"});
  void SetMetadata(dapr::proto::runtime::v1::GetMetadataResponse metadata);
  /// The keys of any secret.
  void SetSecrets(std::map<std::string, std::string> secrets);
  /// The answer of any language model.
  void SetConversation(dapr::proto::runtime::v1::ConversationResponseAlpha2 conversation);
  /// How all other calls are answered from now on; OK at first.
  void SetAnswer(grpc::Status status);
  void SetBulkAnswer(BulkAnswer answer);

  /// Publishes are kept unanswered until AnswerNext, oldest first.
  void Hold();
  /// Answers the oldest held call. Precondition: there is one.
  void AnswerNext();

  /// Waits until `count` calls have come in all; false when they did not within a generous time.
  bool WaitForCalls(std::size_t count);
  std::vector<Call> calls();

 private:
  class Service;
  class Reactor;
  struct State {
    std::vector<Call> calls;
    std::set<std::string> unimplemented;
    grpc::Status unknown_method;
    dapr::proto::runtime::v1::GetMetadataResponse metadata;
    grpc::Status answer;
    std::map<std::string, std::string> secrets;
    std::map<std::string, std::pair<std::string, int>> values;  // data and the number in its etag
    dapr::proto::runtime::v1::ConversationResponseAlpha2 conversation;
    BulkAnswer bulk_answer;
    bool holding = false;
    std::deque<Reactor*> held;
  };

  Reactor* Accept(Call call, std::function<void(State&, Reactor&)> answer);
  bool TakeBack(Reactor* reactor);

  util::Guarded<State> state_;
  std::condition_variable changed_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace todo::support
