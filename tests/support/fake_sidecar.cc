#include "support/fake_sidecar.h"

#include <fmt/format.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_context.h>

#include <stdexcept>
#include <utility>

namespace todo::support {
namespace {

namespace runtime = dapr::proto::runtime::v1;

constexpr std::chrono::seconds kPatience{20};

FakeSidecar::Call CallOf(const grpc::CallbackServerContext& context, std::string method) {
  FakeSidecar::Call call;
  call.method = std::move(method);
  for (const auto& [key, value] : context.client_metadata()) {
    call.metadata.emplace(std::string(key.data(), key.size()),
                          std::string(value.data(), value.size()));
  }
  call.time_left = std::chrono::duration_cast<std::chrono::milliseconds>(
      context.deadline() - std::chrono::system_clock::now());
  return call;
}

}  // namespace

/// Answers one call, at once or when the test says. Deletes itself.
class FakeSidecar::Reactor : public grpc::ServerUnaryReactor {
 public:
  explicit Reactor(FakeSidecar& sidecar) : sidecar_(sidecar) {}

  std::function<void(State&)> answer;  // finishes this, after which it may be gone any time

  void OnCancel() override {
    if (sidecar_.TakeBack(this)) Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  FakeSidecar& sidecar_;
};

class FakeSidecar::Service : public runtime::Dapr::CallbackService {
 public:
  explicit Service(FakeSidecar& sidecar) : sidecar_(sidecar) {}

  grpc::ServerUnaryReactor* PublishEvent(grpc::CallbackServerContext* context,
                                         const runtime::PublishEventRequest* request,
                                         google::protobuf::Empty* /*response*/) override {
    Call call = CallOf(*context, "PublishEvent");
    call.single = *request;
    return sidecar_.Accept(std::move(call), [](const State& state, Reactor& reactor) {
      reactor.Finish(state.answer);
    });
  }

  grpc::ServerUnaryReactor* BulkPublishEvent(grpc::CallbackServerContext* context,
                                             const runtime::BulkPublishRequest* request,
                                             runtime::BulkPublishResponse* response) override {
    return Bulk(CallOf(*context, "BulkPublishEvent"), request, response);
  }

  grpc::ServerUnaryReactor* BulkPublishEventAlpha1(
      grpc::CallbackServerContext* context, const runtime::BulkPublishRequest* request,
      runtime::BulkPublishResponse* response) override {
    return Bulk(CallOf(*context, "BulkPublishEventAlpha1"), request, response);
  }

  grpc::ServerUnaryReactor* ScheduleJob(grpc::CallbackServerContext* context,
                                        const runtime::ScheduleJobRequest* request,
                                        runtime::ScheduleJobResponse*) override {
    return Schedule(CallOf(*context, "ScheduleJob"), *request);
  }
  grpc::ServerUnaryReactor* ScheduleJobAlpha1(grpc::CallbackServerContext* context,
                                              const runtime::ScheduleJobRequest* request,
                                              runtime::ScheduleJobResponse*) override {
    return Schedule(CallOf(*context, "ScheduleJobAlpha1"), *request);
  }
  grpc::ServerUnaryReactor* DeleteJob(grpc::CallbackServerContext* context,
                                      const runtime::DeleteJobRequest* request,
                                      runtime::DeleteJobResponse*) override {
    return Delete(CallOf(*context, "DeleteJob"), *request);
  }
  grpc::ServerUnaryReactor* DeleteJobAlpha1(grpc::CallbackServerContext* context,
                                            const runtime::DeleteJobRequest* request,
                                            runtime::DeleteJobResponse*) override {
    return Delete(CallOf(*context, "DeleteJobAlpha1"), *request);
  }

  grpc::ServerUnaryReactor* GetMetadata(grpc::CallbackServerContext* context,
                                        const runtime::GetMetadataRequest* /*request*/,
                                        runtime::GetMetadataResponse* response) override {
    return sidecar_.Accept(CallOf(*context, "GetMetadata"),
                           [response](const State& state, Reactor& reactor) {
                             *response = state.metadata;
                             reactor.Finish(state.answer);
                           });
  }

  grpc::ServerUnaryReactor* GetState(grpc::CallbackServerContext* context,
                                     const runtime::GetStateRequest* request,
                                     runtime::GetStateResponse* response) override {
    return sidecar_.Accept(CallOf(*context, "GetState"),
                           [request, response](State& state, Reactor& reactor) {
                             const auto found = state.values.find(request->key());
                             if (found != state.values.end()) {
                               response->set_data(found->second.first);
                               response->set_etag(fmt::format("e{}", found->second.second));
                             }
                             reactor.Finish(state.answer);
                           });
  }

  grpc::ServerUnaryReactor* GetBulkState(grpc::CallbackServerContext* context,
                                         const runtime::GetBulkStateRequest* request,
                                         runtime::GetBulkStateResponse* response) override {
    return sidecar_.Accept(CallOf(*context, "GetBulkState"),
                           [request, response](State& state, Reactor& reactor) {
                             for (const std::string& key : request->keys()) {
                               auto& item = *response->add_items();
                               item.set_key(key);
                               const auto found = state.values.find(key);
                               if (key == "broken") item.set_error("cannot be read");
                               if (found == state.values.end()) continue;
                               item.set_data(found->second.first);
                               item.set_etag(fmt::format("e{}", found->second.second));
                             }
                             reactor.Finish(state.answer);
                           });
  }

  grpc::ServerUnaryReactor* SaveState(grpc::CallbackServerContext* context,
                                      const runtime::SaveStateRequest* request,
                                      google::protobuf::Empty* /*response*/) override {
    Call call = CallOf(*context, "SaveState");
    call.save = *request;
    return sidecar_.Accept(std::move(call), [request](State& state, Reactor& reactor) {
      const auto& item = request->states(0);
      const auto found = state.values.find(item.key());
      const std::string current =
          found == state.values.end() ? "" : fmt::format("e{}", found->second.second);
      if (!state.answer.ok()) {
        reactor.Finish(state.answer);
      } else if (item.etag().value() != current) {
        // As a real one with PostgreSQL says it.
        reactor.Finish(item.has_etag() ? grpc::Status(grpc::StatusCode::ABORTED, "etag mismatch")
                                       : grpc::Status(grpc::StatusCode::INTERNAL, "failed saving"));
      } else {
        auto& value = state.values[item.key()];
        value = {item.value(), value.second + 1};
        reactor.Finish(grpc::Status::OK);
      }
    });
  }

  grpc::ServerUnaryReactor* GetSecret(grpc::CallbackServerContext* context,
                                      const runtime::GetSecretRequest* /*request*/,
                                      runtime::GetSecretResponse* response) override {
    return sidecar_.Accept(
        CallOf(*context, "GetSecret"), [response](State& state, Reactor& reactor) {
          response->mutable_data()->insert(state.secrets.begin(), state.secrets.end());
          reactor.Finish(state.answer);
        });
  }

  grpc::ServerUnaryReactor* ConverseAlpha2(grpc::CallbackServerContext* context,
                                           const runtime::ConversationRequestAlpha2* request,
                                           runtime::ConversationResponseAlpha2* response) override {
    Call call = CallOf(*context, "ConverseAlpha2");
    call.converse = *request;
    return sidecar_.Accept(std::move(call), [response](const State& state, Reactor& reactor) {
      *response = state.conversation;
      reactor.Finish(state.answer);
    });
  }

 private:
  grpc::ServerUnaryReactor* Schedule(Call call, const runtime::ScheduleJobRequest& request) {
    call.schedule = request;
    return Plain(std::move(call));
  }
  grpc::ServerUnaryReactor* Delete(Call call, const runtime::DeleteJobRequest& request) {
    call.remove = request;
    return Plain(std::move(call));
  }
  grpc::ServerUnaryReactor* Plain(Call call) {
    return sidecar_.Accept(std::move(call), [](const State& state, Reactor& reactor) {
      reactor.Finish(state.answer);
    });
  }
  grpc::ServerUnaryReactor* Bulk(Call call, const runtime::BulkPublishRequest* request,
                                 runtime::BulkPublishResponse* response) {
    call.bulk = *request;
    return sidecar_.Accept(std::move(call), [response](const State& state, Reactor& reactor) {
      reactor.Finish(state.bulk_answer ? state.bulk_answer(*response) : state.answer);
    });
  }

  FakeSidecar& sidecar_;
};

FakeSidecar::FakeSidecar() : service_(std::make_unique<Service>(*this)) { Start(); }

FakeSidecar::~FakeSidecar() {
  Stop();
  // Stop has waited for all callbacks, which ThreadSanitizer cannot see: gRPC is not compiled for
  // it.
  static_cast<void>(state_.Lock());
}

void FakeSidecar::Start() {
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(endpoint(), grpc::InsecureServerCredentials(), &port_);
  builder.RegisterService(service_.get());
  server_ = builder.BuildAndStart();
  if (!server_) throw std::runtime_error("fake sidecar: cannot listen");
}

void FakeSidecar::Stop() {
  if (!server_) return;
  server_->Shutdown(std::chrono::system_clock::now());
  server_.reset();
}

std::string FakeSidecar::endpoint() const { return fmt::format("127.0.0.1:{}", port_); }

void FakeSidecar::SetUnimplemented(std::set<std::string> methods, grpc::Status answer) {
  auto state = state_.Lock();
  state->unimplemented = std::move(methods);
  state->unknown_method = std::move(answer);
}

void FakeSidecar::SetMetadata(runtime::GetMetadataResponse metadata) {
  state_.Lock()->metadata = std::move(metadata);
}

void FakeSidecar::SetConversation(runtime::ConversationResponseAlpha2 conversation) {
  state_.Lock()->conversation = std::move(conversation);
}

void FakeSidecar::SetSecrets(std::map<std::string, std::string> secrets) {
  state_.Lock()->secrets = std::move(secrets);
}

void FakeSidecar::SetAnswer(grpc::Status status) { state_.Lock()->answer = std::move(status); }

void FakeSidecar::SetBulkAnswer(BulkAnswer answer) {
  state_.Lock()->bulk_answer = std::move(answer);
}

void FakeSidecar::Hold() { state_.Lock()->holding = true; }

void FakeSidecar::AnswerNext() {
  auto state = state_.Lock();
  Reactor* reactor = state->held.front();
  state->held.pop_front();
  std::exchange(reactor->answer, {})(*state);
}

bool FakeSidecar::WaitForCalls(std::size_t count) {
  auto state = state_.Lock();
  return changed_.wait_for(state.lock(), kPatience, [&] { return state->calls.size() >= count; });
}

std::vector<FakeSidecar::Call> FakeSidecar::calls() { return state_.Lock()->calls; }

FakeSidecar::Reactor* FakeSidecar::Accept(Call call, std::function<void(State&, Reactor&)> answer) {
  auto* reactor = new Reactor(*this);
  reactor->answer = [reactor, answer = std::move(answer)](State& state) {
    answer(state, *reactor);
  };
  auto state = state_.Lock();
  const bool known = !state->unimplemented.contains(call.method);
  state->calls.push_back(std::move(call));
  if (!known) {
    reactor->Finish(state->unknown_method);
  } else if (state->holding) {
    state->held.push_back(reactor);
  } else {
    std::exchange(reactor->answer, {})(*state);
  }
  changed_.notify_all();
  return reactor;
}

bool FakeSidecar::TakeBack(Reactor* reactor) {
  return std::erase(state_.Lock()->held, reactor) > 0;
}

}  // namespace todo::support
