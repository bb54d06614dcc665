#include "relay/mailbox.h"

#include <utility>

namespace todo::relay {

bool Mailbox::Wake(int shard, SteadyTime now) {
  auto state = state_.Lock();
  if (now >= state->lease_until || !state->held.contains(shard)) return false;
  if (state->letters.woken.insert(shard).second) Post(std::move(state));
  return true;
}

void Mailbox::Complete(Completion completion) {
  auto state = state_.Lock();
  state->letters.completions.push_back(std::move(completion));
  Post(std::move(state));
}

void Mailbox::Stop(SteadyTime deadline) {
  auto state = state_.Lock();
  state->letters.stop_at = deadline;
  Post(std::move(state));
}

void Mailbox::SetHeld(std::set<int> shards, SteadyTime lease_until) {
  auto state = state_.Lock();
  state->held = std::move(shards);
  state->lease_until = lease_until;
}

Letters Mailbox::Take() {
  auto state = state_.Lock();
  state->posted = false;
  return std::exchange(state->letters, {});
}

void Mailbox::Wait(SteadyTime::duration limit) {
  auto state = state_.Lock();
  something_posted_.wait_for(state.lock(), limit, [&] { return state->posted; });
}

void Mailbox::Post(util::Guarded<State>::Handle state) {
  if (std::exchange(state->posted, true)) return;
  state.lock().unlock();
  something_posted_.notify_one();
}

}  // namespace todo::relay
