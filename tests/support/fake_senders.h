#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ports/notification_senders.h"
#include "ports/state_store.h"
#include "util/guarded.h"

namespace todo::support {

/// Remembers the messages. Each gets the outcome that the test has set, kDelivered at first. Thread
/// safety: may be used from many threads at once.
template <typename Port, typename Message>
class FakeSender : public Port {
 public:
  ports::SendOutcome Send(const Message& message) override {
    auto state = state_.Lock();
    state->sent.push_back(message);
    if (state->on_send) state->on_send();
    return state->outcome;
  }
  void Answer(ports::SendOutcome outcome) { state_.Lock()->outcome = std::move(outcome); }
  /// Called in each Send, such as to let time pass.
  void OnSend(std::function<void()> on_send) { state_.Lock()->on_send = std::move(on_send); }
  std::vector<Message> sent() { return state_.Lock()->sent; }

 private:
  struct State {
    std::vector<Message> sent;
    ports::SendOutcome outcome{.kind = ports::SendOutcome::Kind::kDelivered,
                               .status_code = 200,
                               .detail = {},
                               .retry_after = {}};
    std::function<void()> on_send;
  };
  util::Guarded<State> state_;
};
using FakeMailer = FakeSender<ports::Mailer, ports::MailMessage>;

/// A sender to endpoints that users name: URLs that begin with "http:" are always refused.
template <typename Port, typename Message>
class FakeGuardedSender final : public FakeSender<Port, Message> {
 public:
  absl::Status Check(const std::string& url) const override {
    return url.starts_with("http:") ? absl::PermissionDeniedError("fake sender: not there")
                                    : absl::OkStatus();
  }
};
using FakeWebhookSender = FakeGuardedSender<ports::WebhookSender, ports::WebhookMessage>;
using FakePushSender = FakeGuardedSender<ports::PushSender, ports::PushMessage>;

/// StateStore in memory. Thread safety: as the port says.
class FakeStateStore final : public ports::StateStore {
 public:
  absl::StatusOr<std::map<std::string, ports::StateValue>> Read(
      const std::vector<std::string>& keys) override {
    auto state = state_.Lock();
    if (!state->failure.ok()) return state->failure;
    std::map<std::string, ports::StateValue> found;
    for (const std::string& key : keys) {
      const auto value = state->values.find(key);
      if (value != state->values.end()) found.insert(*value);
    }
    return found;
  }
  absl::Status Write(const std::string& key, const std::string& data, const std::string& etag,
                     std::optional<std::chrono::seconds> ttl = std::nullopt) override {
    auto state = state_.Lock();
    if (!state->failure.ok()) return state->failure;
    state->last_ttl = ttl;
    const auto value = state->values.find(key);
    if ((value == state->values.end() ? "" : value->second.etag) != etag)
      return absl::AbortedError("fake state: changed since");
    state->values[key] = {data, std::string("e").append(std::to_string(++state->writes))};
    if (state->on_written) state->on_written();
    return absl::OkStatus();
  }
  /// Of the last write.
  std::optional<std::chrono::seconds> last_ttl() { return state_.Lock()->last_ttl; }
  /// As when its ttl has passed.
  void Expire(const std::string& key) { state_.Lock()->values.erase(key); }
  void FailWith(absl::Status status) { state_.Lock()->failure = std::move(status); }
  /// Called after each write; must not call the store.
  void OnWritten(std::function<void()> on_written) {
    state_.Lock()->on_written = std::move(on_written);
  }

 private:
  struct State {
    std::map<std::string, ports::StateValue> values;
    absl::Status failure;
    std::function<void()> on_written;
    int writes = 0;
    std::optional<std::chrono::seconds> last_ttl;
  };
  util::Guarded<State> state_;
};

}  // namespace todo::support
