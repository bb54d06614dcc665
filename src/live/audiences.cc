#include "live/audiences.h"

#include <algorithm>
#include <utility>

#include "util/status.h"

namespace todo::live {

std::shared_ptr<const domain::UserId> Audiences::NameOf(const domain::UserId& user) {
  {
    auto state = state_.Lock();
    const auto found = state->by_user.find(user.value);
    if (found != state->by_user.end()) return found->second.user;
  }
  return std::make_shared<const domain::UserId>(user);
}

absl::Status Audiences::Add(const std::shared_ptr<Watch>& watch) {
  List old;  // released without the lock
  auto state = state_.Lock();
  if (state->closed) {
    return util::WithReason(absl::UnavailableError("the server stops"), "SERVER_STOPPING");
  }
  if (state->count >= max_watches_) {
    return util::WithReason(absl::ResourceExhaustedError("the server has too many screens"),
                            "TOO_MANY_SCREENS");
  }
  auto found = state->by_user.find(watch->user().value);
  if (found == state->by_user.end()) {
    auto user = watch->name();
    const std::string_view key = user->value;
    found = state->by_user.emplace(key, Audience{std::move(user), nullptr}).first;
  }
  old = std::move(found->second.watches);
  std::vector<std::shared_ptr<Watch>> watches;
  watches.reserve((old ? old->size() : 0) + 1);
  if (old) watches = *old;
  watches.push_back(watch);
  found->second.watches =
      std::make_shared<const std::vector<std::shared_ptr<Watch>>>(std::move(watches));
  ++state->count;
  state.lock().unlock();
  return absl::OkStatus();
}

void Audiences::Remove(const std::shared_ptr<Watch>& watch) {
  Audience old;  // released without the lock
  auto state = state_.Lock();
  const auto found = state->by_user.find(watch->user().value);
  if (found == state->by_user.end()) return;
  old = found->second;
  if (std::find(old.watches->begin(), old.watches->end(), watch) == old.watches->end()) return;
  --state->count;
  if (old.watches->size() == 1) {
    state->by_user.erase(found);
  } else {
    std::vector<std::shared_ptr<Watch>> watches;
    watches.reserve(old.watches->size() - 1);
    std::copy_if(old.watches->begin(), old.watches->end(), std::back_inserter(watches),
                 [&](const auto& other) { return other != watch; });
    found->second.watches =
        std::make_shared<const std::vector<std::shared_ptr<Watch>>>(std::move(watches));
  }
  state.lock().unlock();
}

Audiences::List Audiences::Find(const domain::UserId& user) {
  auto state = state_.Lock();
  const auto found = state->by_user.find(user.value);
  return found == state->by_user.end() ? nullptr : found->second.watches;
}

std::vector<Audiences::List> Audiences::All() {
  std::vector<List> all;
  auto state = state_.Lock();
  all.reserve(state->by_user.size());
  for (const auto& [user, audience] : state->by_user) all.push_back(audience.watches);
  return all;
}

void Audiences::Close() { state_.Lock()->closed = true; }

std::size_t Audiences::watch_count() { return state_.Lock()->count; }

std::size_t Audiences::user_count() { return state_.Lock()->by_user.size(); }

}  // namespace todo::live
