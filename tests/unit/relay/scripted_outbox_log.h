#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ports/outbox_log.h"
#include "util/guarded.h"

namespace todo::relay {

/// An outbox whose every answer the test decides. A cursor's position is the number of changes
/// before it. Thread safety: may be used from many threads at once, except `on_call`, which is to
/// be set before.
class ScriptedOutboxLog final : public ports::OutboxLog {
 public:
  struct Shard {
    std::int64_t epoch = 1;
    bool ours = true;
    std::vector<domain::Change> changes;
    std::vector<ports::OutboxMessage>
        messages;  // with every batch until the message position moves
    ports::OutboxCursor durable;
    std::string snapshot;  // what Read says of an empty batch; empty: such a batch is left out
  };
  struct Write {
    std::string call;  // "Advance" or "Release"
    std::vector<ports::OutboxShard> shards;
  };
  struct State {
    std::map<int, Shard> shards;
    int fair_share = 1'000;
    absl::Status failure;  // of every call
    int renew_count = 0;
    int read_count = 0;
    std::vector<Write> writes;
  };

  /// Called at the start of each call with its name.
  std::function<void(const std::string&)> on_call = [](const std::string&) {};

  util::Guarded<State>::Handle Lock() { return state_.Lock(); }

  /// Commits `count` changes of the user "u<shard>" and answers nothing to anybody.
  void Commit(int shard, int count) {
    auto state = state_.Lock();
    auto& changes = state->shards[shard].changes;
    for (int i = 0; i < count; ++i) {
      domain::Change change;
      change.user.value = fmt::format("u{}", shard);
      change.seq = static_cast<std::int64_t>(changes.size()) + 1;
      change.event_id.uuid = *domain::Uuid::Parse(
          fmt::format("00000000-0000-7000-8000-{:06}{:06}", shard, change.seq));
      change.task_id.value = change.seq;
      change.version = 1;
      change.task_json = "{}";
      changes.push_back(change);
    }
  }

  /// Waits until `condition` holds after a call; false when it does not within a generous time.
  bool WaitUntil(const std::function<bool(const State&)>& condition) {
    auto state = state_.Lock();
    return called_.wait_for(state.lock(), std::chrono::seconds(20),
                            [&] { return condition(*state); });
  }

  absl::StatusOr<ports::OutboxShards> Renew(const std::string& /*owner*/,
                                            std::chrono::milliseconds /*lease*/) override {
    on_call("Renew");
    auto state = state_.Lock();
    ++state->renew_count;
    called_.notify_all();
    if (!state->failure.ok()) return state->failure;
    ports::OutboxShards answer;
    answer.fair_share = state->fair_share;
    for (const auto& [number, shard] : state->shards) {
      if (shard.ours) answer.owned.push_back({number, shard.epoch, shard.durable, shard.durable});
    }
    return answer;
  }

  absl::StatusOr<std::vector<ports::OutboxBatch>> Read(
      const std::vector<ports::OutboxShard>& shards, int limit) override {
    on_call("Read");
    auto state = state_.Lock();
    ++state->read_count;
    called_.notify_all();
    if (!state->failure.ok()) return state->failure;
    std::vector<ports::OutboxBatch> batches;
    for (const ports::OutboxShard& asked : shards) {
      const Shard& shard = state->shards.at(asked.number);
      ports::OutboxBatch batch;
      batch.shard = asked.number;
      const auto begin = static_cast<std::size_t>(asked.cursor.position);
      const auto end = std::min(shard.changes.size(), begin + static_cast<std::size_t>(limit));
      for (std::size_t i = begin; i < end; ++i) batch.changes.push_back(shard.changes[i]);
      batch.next.position = static_cast<std::int64_t>(end);
      if (asked.cursor.message_position == 0) batch.messages = shard.messages;
      batch.next.message_position = static_cast<std::int64_t>(shard.messages.size());
      batch.next.snapshot = shard.snapshot;
      if (!batch.changes.empty() || !batch.messages.empty() || !shard.snapshot.empty())
        batches.push_back(batch);
    }
    return batches;
  }

  absl::StatusOr<std::vector<int>> Advance(const std::vector<ports::OutboxShard>& shards) override {
    on_call("Advance");
    auto state = state_.Lock();
    called_.notify_all();
    if (!state->failure.ok()) return state->failure;
    return WriteLocked(*state, "Advance", shards);
  }

  absl::Status Release(const std::vector<ports::OutboxShard>& shards) override {
    on_call("Release");
    auto state = state_.Lock();
    called_.notify_all();
    if (!state->failure.ok()) return state->failure;
    WriteLocked(*state, "Release", shards);
    for (const ports::OutboxShard& shard : shards) state->shards.at(shard.number).ours = false;
    return absl::OkStatus();
  }

 private:
  static std::vector<int> WriteLocked(State& state, const std::string& call,
                                      const std::vector<ports::OutboxShard>& shards) {
    state.writes.push_back({call, shards});
    std::vector<int> lost;
    for (const ports::OutboxShard& written : shards) {
      Shard& shard = state.shards.at(written.number);
      const bool as_known = shard.durable == written.stored || shard.durable == written.cursor;
      if (shard.ours && shard.epoch == written.epoch && as_known) {
        shard.durable = written.cursor;
      } else {
        lost.push_back(written.number);
      }
    }
    return lost;
  }

  util::Guarded<State> state_;
  std::condition_variable called_;
};

}  // namespace todo::relay
