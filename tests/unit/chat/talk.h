#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../service/fixtures.h"
#include "chat/conversation.h"
#include "support/delegating_task_store.h"
#include "support/fake_database.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_senders.h"
#include "support/fake_task_finder.h"
#include "support/fake_task_store.h"
#include "support/status_matchers.h"

namespace todo::chat {

/// The store in memory, where something may happen before each list of changes is written.
class MeddledStore final : public support::DelegatingTaskStore {
 public:
  using DelegatingTaskStore::DelegatingTaskStore;

  absl::StatusOr<std::vector<ports::MutationResult>> ApplyAll(
      const ports::MutationList& list) override {
    if (before_apply) std::exchange(before_apply, {})();
    return DelegatingTaskStore::ApplyAll(list);
  }

  std::function<void()> before_apply;  // called once
};

/// The state store in memory, where something may happen before a write or after it.
class MeddledState final : public ports::StateStore {
 public:
  explicit MeddledState(support::FakeStateStore& store) : store_(store) {}
  absl::StatusOr<std::map<std::string, ports::StateValue>> Read(
      const std::vector<std::string>& keys) override {
    return store_.Read(keys);
  }
  absl::Status Write(const std::string& key, const std::string& data, const std::string& etag,
                     std::optional<std::chrono::seconds> ttl) override {
    if (before_write) std::exchange(before_write, {})();
    const absl::Status written = store_.Write(key, data, etag, ttl);
    if (after_write) std::exchange(after_write, {})();
    return written;
  }

  std::function<void()> before_write;  // called once
  std::function<void()> after_write;   // called once

 private:
  support::FakeStateStore& store_;
};

/// A conversation on the fakes. Now is Thursday, 26 November 2026, 10:00 in UTC.
class Talk : public testing::Test {
 protected:
  explicit Talk(ports::LanguageModel* model = nullptr)
      : conversation_({.tasks = tasks_,
                       .finder = finder_,
                       .state = meddled_state_,
                       .clock = clock_,
                       .ids = ids_,
                       .preferences = [this](const domain::UserId&)
                           -> absl::StatusOr<domain::NotificationPreferences> {
                         if (!preferences_failure_.ok()) return preferences_failure_;
                         return preferences_;
                       },
                       .usage = [this](const domain::UserId&, const domain::TimeZone&,
                                       std::optional<service::UsageDays> days)
                           -> absl::StatusOr<service::UsageSummary> {
                         usage_days_ = days;
                         return usage_;
                       },
                       .model = model}) {}

  static service::CallContext Call(std::string_view text, std::string user = "ada") {
    return {.user = {std::move(user)},
            .request_id = {},
            .fingerprint = std::string(text),
            .traceparent = {}};
  }
  /// A call that may be repeated.
  static service::CallContext Named(int number, std::string_view text) {
    service::CallContext call = Call(text);
    std::string bytes(16, 'r');
    bytes.back() = static_cast<char>('0' + number);
    call.request_id = domain::RequestId{domain::Uuid::FromBytes(bytes, 4)};
    return call;
  }

  absl::StatusOr<Reply> Send(const service::CallContext& call, std::string_view text) {
    return conversation_.Send(call, {.text = std::string(text), .time_zone = {}});
  }
  Reply Say(std::string_view text, std::string user = "ada") {
    return Said(Send(Call(text, std::move(user)), text), text);
  }
  Reply SayNamed(int number, std::string_view text) {
    return Said(Send(Named(number, text), text), text);
  }

  domain::Task Add(std::string title, std::optional<std::string> due_local = {},
                   std::optional<std::string> rule = {}, std::string user = "ada") {
    service::CreateTaskInput input;
    input.title = std::move(title);
    input.due.due_local = std::move(due_local);
    input.recurrence_rule = std::move(rule);
    const auto task = tasks_.Create(Call("", std::move(user)), input);
    EXPECT_TRUE(task.ok()) << task.status();
    return task.value_or(domain::Task());
  }
  domain::Task Get(domain::TaskId id) {
    const auto task = tasks_.Get({"ada"}, id);
    EXPECT_TRUE(task.ok()) << task.status();
    return task.value_or(domain::Task());
  }
  bool IsDeleted(domain::TaskId id) { return absl::IsNotFound(tasks_.Get({"ada"}, id).status()); }
  std::vector<std::string> Titles(std::string user = "ada") {
    const auto page = tasks_.List({std::move(user)}, {});
    EXPECT_TRUE(page.ok()) << page.status();
    std::vector<std::string> titles;
    if (page.ok())
      for (const domain::Task& task : page->tasks) titles.push_back(task.fields.title);
    return titles;
  }
  std::size_t ChangeCount() { return database_.Read()->changes.size(); }

  service::SetClock clock_{"2026-11-26T10:00:00Z"};
  service::CountedIds ids_;
  support::FakeDatabase database_;
  support::FakeTaskStore fake_store_{database_};
  MeddledStore store_{fake_store_};
  support::FakePreferredZones zones_{database_};
  support::FakeTaskFinder finder_{database_};
  support::FakeStateStore state_;
  MeddledState meddled_state_{state_};
  service::TaskService tasks_{store_, zones_, clock_, ids_};
  domain::NotificationPreferences preferences_;
  absl::Status preferences_failure_;
  std::optional<service::UsageDays> usage_days_;  // that were asked for last
  service::UsageSummary usage_{
      .created = 5, .completed = 4, .open = 3, .overdue = 2, .streak_days = 6};
  Conversation conversation_;

 private:
  static Reply Said(const absl::StatusOr<Reply>& reply, std::string_view text) {
    EXPECT_TRUE(reply.ok()) << text << ": " << reply.status();
    return reply.value_or(Reply());
  }
};

}  // namespace todo::chat
