#include "util/alarms.h"

#include <utility>

namespace todo::util {

void Alarm::Cancel() {
  const std::shared_ptr<State> state = std::exchange(state_, {}).lock();
  if (!state) return;
  // What the callback holds is released without the lock: it may set or cancel alarms.
  std::function<void()> callback;
  auto plan = state->plan.Lock();
  const auto found = plan->alarms.find(key_);
  if (found == plan->alarms.end()) return;
  callback = std::move(found->second);
  plan->alarms.erase(found);
  plan.lock().unlock();
}

Alarms::Alarms() : state_(std::make_shared<Alarm::State>()), thread_([this] { Run(); }) {}

void Alarms::Stop() {
  std::map<Alarm::Key, std::function<void()>> cancelled;  // released without the lock
  {
    auto plan = state_->plan.Lock();
    plan->stopped = true;
    cancelled.swap(plan->alarms);
  }
  state_->changed.notify_all();
  if (thread_.joinable()) thread_.join();
}

Alarm Alarms::At(Time time, std::function<void()> callback) {
  return {state_, Set(time, std::move(callback))};
}

Alarm::Key Alarms::Set(Time time, std::function<void()> callback) {
  bool is_first = false;
  Alarm::Key key;
  {
    auto plan = state_->plan.Lock();
    if (plan->stopped) return key;
    key = {time, ++plan->last_number};
    const auto [place, added] = plan->alarms.emplace(key, std::move(callback));
    is_first = place == plan->alarms.begin();
  }
  if (is_first) state_->changed.notify_all();
  return key;
}

std::size_t Alarms::count() { return state_->plan.Lock()->alarms.size(); }

void Alarms::Run() {
  auto plan = state_->plan.Lock();
  while (!plan->stopped) {
    if (plan->alarms.empty()) {
      state_->changed.wait(plan.lock());
      continue;
    }
    const auto first = plan->alarms.begin();
    const Time time = first->first.first;
    if (time > std::chrono::steady_clock::now()) {
      state_->changed.wait_until(plan.lock(), time);
      continue;
    }
    std::function<void()> callback = std::move(first->second);
    plan->alarms.erase(first);
    plan.lock().unlock();
    callback();
    callback = nullptr;  // what it holds is released without the lock
    plan.lock().lock();
  }
}

}  // namespace todo::util
