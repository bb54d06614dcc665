#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "domain/event/event_writer.h"
#include "ports/change_feed.h"
#include "util/guarded.h"

namespace todo::api {

/// A feed whose messages the test sends. Like every feed it lets go of a sink whose watch has
/// ended, whose Send has failed, or after End. Thread safety: any thread.
class FakeFeed final : public ports::ChangeFeed {
 public:
  using Number = int;  // of a watch, from 0

  absl::StatusOr<std::unique_ptr<ports::FeedWatch>> Watch(
      ports::WatchRequest request, std::shared_ptr<ports::FeedSink> sink) override {
    auto state = state_->Lock();
    if (!state->failure.ok()) return state->failure;
    const auto number = static_cast<Number>(state->requests.size());
    state->requests.push_back(std::move(request));
    state->sinks.emplace(number, std::move(sink));
    changed_->notify_all();
    return std::make_unique<FakeWatch>(state_, changed_, number);
  }

  /// The next watches fail with `status`.
  void Fail(absl::Status status) { state_->Lock()->failure = std::move(status); }

  /// The request of a watch. Waits for it.
  ports::WatchRequest Request(Number number = 0) {
    auto state = state_->Lock();
    changed_->wait(state.lock(),
                   [&] { return state->requests.size() > static_cast<std::size_t>(number); });
    return state->requests[static_cast<std::size_t>(number)];
  }
  std::size_t request_count() { return state_->Lock()->requests.size(); }
  /// What SetExpiry said last.
  std::optional<domain::Instant> expiry(Number number = 0) {
    return state_->Lock()->expiries[number];
  }
  bool is_open(Number number = 0) { return state_->Lock()->sinks.contains(number); }
  void WaitUntilOver(Number number = 0) {
    auto state = state_->Lock();
    changed_->wait(state.lock(), [&] { return !state->sinks.contains(number); });
  }

  /// False: the watch has ended, or its sink takes nothing more.
  bool Send(const ports::FeedMessage& message, Number number = 0) {
    const std::shared_ptr<ports::FeedSink> sink = SinkOf(number);
    if (sink == nullptr) return false;
    if (sink->Send(message)) return true;
    LetGo(number);
    return false;
  }
  /// To all watches of one user. The count of those that took it.
  int SendTo(const std::string& user, const ports::FeedMessage& message) {
    std::vector<Number> numbers;
    {
      auto state = state_->Lock();
      for (const auto& [number, sink] : state->sinks) {
        if (state->requests[static_cast<std::size_t>(number)].user.value == user)
          numbers.push_back(number);
      }
    }
    int count = 0;
    for (const Number number : numbers) count += Send(message, number) ? 1 : 0;
    return count;
  }
  void OnDrained(std::function<void()> callback, Number number = 0) {
    SinkOf(number)->OnDrained(std::move(callback));
  }
  void End(const ports::FeedEnd& end, Number number = 0) {
    SinkOf(number)->End(end);
    LetGo(number);
  }

 private:
  struct State {
    absl::Status failure;
    std::vector<ports::WatchRequest> requests;
    std::map<Number, std::shared_ptr<ports::FeedSink>> sinks;  // of open watches
    std::map<Number, std::optional<domain::Instant>> expiries;
  };
  using Shared = std::shared_ptr<util::Guarded<State>>;
  using Changed = std::shared_ptr<std::condition_variable>;

  class FakeWatch final : public ports::FeedWatch {
   public:
    FakeWatch(Shared state, Changed changed, Number number)
        : state_(std::move(state)), changed_(std::move(changed)), number_(number) {}
    ~FakeWatch() override { Release(*state_, *changed_, number_); }
    FakeWatch(const FakeWatch&) = delete;
    FakeWatch& operator=(const FakeWatch&) = delete;

    void SetExpiry(std::optional<domain::Instant> expiry) override {
      state_->Lock()->expiries[number_] = expiry;
    }

   private:
    const Shared state_;
    const Changed changed_;
    const Number number_;
  };

  static void Release(util::Guarded<State>& guarded, std::condition_variable& changed,
                      Number number) {
    std::shared_ptr<ports::FeedSink> sink;  // released without the lock
    auto state = guarded.Lock();
    if (const auto found = state->sinks.find(number); found != state->sinks.end()) {
      sink = std::move(found->second);
      state->sinks.erase(found);
    }
    state.lock().unlock();
    changed.notify_all();
  }
  void LetGo(Number number) { Release(*state_, *changed_, number); }
  std::shared_ptr<ports::FeedSink> SinkOf(Number number) {
    auto state = state_->Lock();
    const auto found = state->sinks.find(number);
    return found == state->sinks.end() ? nullptr : found->second;
  }

  const Shared state_ = std::make_shared<util::Guarded<State>>();
  const Changed changed_ = std::make_shared<std::condition_variable>();
};

/// The cursor with this number, and an event id that is derived from it.
inline domain::ChangeCursor CursorOf(std::int64_t seq) {
  std::string bytes(16, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[15 - i] = static_cast<char>(seq >> (8 * i));
  return {.seq = seq, .event_id = {domain::Uuid::FromBytes(bytes, 7)}};
}

inline domain::Task TaskOfFeed(std::int64_t id, const std::string& user, const std::string& title) {
  domain::Task task;
  task.id = {id};
  task.user = {user};
  task.fields.title = title;
  task.version = 1;
  task.seq = id;
  task.created_at = task.updated_at = *domain::ParseInstant("2026-10-24T09:00:00Z");
  return task;
}

/// The change with this number, of a task with the same number.
inline std::shared_ptr<const domain::LiveChange> ChangeOfFeed(std::int64_t seq,
                                                              const std::string& user,
                                                              const std::string& title = "title") {
  const domain::Task task = TaskOfFeed(seq, user, title);
  const domain::ChangeCursor cursor = CursorOf(seq);
  return std::make_shared<const domain::LiveChange>(
      domain::Change{.user = {user},
                     .seq = seq,
                     .event_id = cursor.event_id,
                     .kind = domain::ChangeKind::kCreated,
                     .task_id = task.id,
                     .version = task.version,
                     .task_json = domain::FormatTaskJson(task),
                     .at = task.created_at,
                     .traceparent = {},
                     .request_id = {}});
}

}  // namespace todo::api
