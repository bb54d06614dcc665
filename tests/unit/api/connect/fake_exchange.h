#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "util/guarded.h"
#include "util/http_exchange.h"

namespace todo::api::connect {

/// What a client has received of an answer so far.
class Received {
 public:
  struct State {
    util::HttpResponseHead head;
    std::string body;
    bool begun = false;
    bool complete = false;
    bool gone = false;    // the client
    bool failed = false;  // a Write
    bool unread = false;  // what was written has not left
    std::function<void()> on_cancel;
    std::function<void()> on_drained;
  };

  /// The answer, when it is complete. Waits for that.
  util::HttpResponse Wait() {
    auto state = state_.Lock();
    changed_.wait(state.lock(), [&] { return state->complete; });
    return {.status = state->head.status, .headers = state->head.headers, .body = state->body};
  }
  /// The body so far, when it has at least `size` bytes. Waits for that.
  std::string WaitForBody(std::size_t size) {
    auto state = state_.Lock();
    changed_.wait(state.lock(), [&] { return state->body.size() >= size; });
    return state->body;
  }
  /// The client closes the connection.
  void Leave() {
    std::function<void()> callback;
    {
      auto state = state_.Lock();
      state->gone = true;
      callback = std::exchange(state->on_cancel, nullptr);
    }
    if (callback) callback();
  }

  /// The client leaves unread what comes from now on.
  void StopReading() { state_.Lock()->unread = true; }
  void ReadOn() {
    std::function<void()> callback;
    {
      auto state = state_.Lock();
      state->unread = false;
      callback = std::exchange(state->on_drained, nullptr);
    }
    if (callback) callback();
  }

  template <typename Change>
  void Update(Change change) {
    change(*state_.Lock());
    changed_.notify_all();
  }
  State Get() { return *state_.Lock(); }

 private:
  util::Guarded<State> state_;
  std::condition_variable changed_;
};

/// The server's side of an exchange without a server. Fails the test when the contract is broken.
class FakeExchange final : public util::HttpExchange {
 public:
  explicit FakeExchange(std::shared_ptr<Received> received) : received_(std::move(received)) {}
  ~FakeExchange() override {
    const Received::State state = received_->Get();
    EXPECT_TRUE(state.complete || state.gone) << "dropped unanswered";
  }

  bool IsCancelled() const override { return received_->Get().gone; }
  void OnCancel(std::function<void()> callback) override {
    if (received_->Get().gone) return callback();
    received_->Update([&](auto& state) { state.on_cancel = std::move(callback); });
  }
  void OnDrained(std::function<void()> callback) override {
    if (!received_->Get().unread) return callback();
    received_->Update([&](auto& state) { state.on_drained = std::move(callback); });
  }
  void Respond(util::HttpResponse response) override {
    received_->Update([&](auto& state) {
      EXPECT_FALSE(state.begun || state.complete);
      state.head = {.status = response.status, .headers = std::move(response.headers)};
      state.body = std::move(response.body);
      state.complete = true;
    });
  }
  void Begin(util::HttpResponseHead head) override {
    received_->Update([&](auto& state) {
      EXPECT_FALSE(state.begun || state.complete);
      state.head = std::move(head);
      state.begun = true;
    });
  }
  bool Write(std::string piece) override {
    bool kept = false;
    received_->Update([&](auto& state) {
      EXPECT_TRUE(state.begun && !state.complete && !state.failed);
      kept = !state.gone;
      state.failed = !kept;
      if (kept) state.body += piece;
    });
    return kept;
  }
  void End() override {
    received_->Update([&](auto& state) {
      EXPECT_TRUE(state.begun && !state.complete);
      state.complete = true;
    });
  }

 private:
  const std::shared_ptr<Received> received_;
};

/// Does what a server does with a request: decides by the head, and hands the body over when the
/// handler takes it.
inline std::shared_ptr<Received> Serve(util::HttpHandler& handler, util::HttpRequestHead head,
                                       std::string body) {
  auto received = std::make_shared<Received>();
  auto exchange = std::make_unique<FakeExchange>(received);
  util::HttpDecision decision = handler.Decide(head);
  if (auto* response = std::get_if<util::HttpResponse>(&decision)) {
    exchange->Respond(std::move(*response));
    return received;
  }
  auto& acceptance = std::get<util::HttpAcceptance>(decision);
  if (body.size() > acceptance.max_body_bytes) {
    exchange->Respond(
        acceptance.too_long.value_or(util::HttpResponse{.status = 413, .headers = {}, .body = {}}));
  } else {
    acceptance.handle(std::move(body), std::move(exchange));
  }
  return received;
}

/// The first value of a header; empty when there is none.
inline std::string HeaderOf(const util::HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return "";
}

}  // namespace todo::api::connect
