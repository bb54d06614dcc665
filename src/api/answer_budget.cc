#include "api/answer_budget.h"

#include <algorithm>
#include <utility>

#include "util/sleep.h"

namespace todo::api {
namespace {

/// An honest client reads an answer within this time, so a holder with older ones goes first.
constexpr std::chrono::seconds kFresh{1};

}  // namespace

AnswerBudget::AnswerBudget(Options options)
    : options_(std::move(options)), ticker_([this](const std::stop_token& stop) {
        while (util::SleepFor(stop, options_.tick)) CancelOverdue();
      }) {}

AnswerBudget::~AnswerBudget() = default;

std::shared_ptr<AnswerBudget::Held> AnswerBudget::Hold(std::string holder, std::size_t bytes,
                                                       std::function<void()> cancel) {
  const std::shared_ptr<Held> held(new Held(*this, std::move(holder), bytes, std::move(cancel)));
  std::vector<std::shared_ptr<Held>> give_way;
  {
    auto state = state_.Lock();
    if (bytes > 0) Enter(*state, held);
    give_way = TakeLargest(*state);
  }
  for (const auto& one : give_way) one->Cancel();
  return held;
}

void AnswerBudget::Enter(State& state, const std::shared_ptr<Held>& held) const {
  held->began_ = options_.clock();
  held->number_ = ++state.last_number;
  Holder& own = state.holders[held->holder_];
  own.bytes += held->bytes_;
  own.answers.emplace(held->number_, held);
  state.answers.emplace(held->number_, held);
  state.bytes += held->bytes_;
}

std::vector<std::shared_ptr<AnswerBudget::Held>> AnswerBudget::TakeLargest(State& state) const {
  std::vector<std::shared_ptr<Held>> taken;
  const SteadyTime fresh_since = options_.clock() - kFresh;
  while (state.bytes > options_.max_bytes) {
    const auto largest =
        std::ranges::max_element(state.holders, {}, [fresh_since](const auto& entry) {
          const Holder& holder = entry.second;
          return std::pair(holder.answers.begin()->second->began_ < fresh_since, holder.bytes);
        });
    taken.push_back(largest->second.answers.begin()->second);
    ForgetForGood(state, *taken.back());
    ++state.cancelled_count;
  }
  return taken;
}

void AnswerBudget::Forget(State& state, Held& held) {
  if (state.answers.erase(held.number_) == 0) return;
  state.bytes -= held.bytes_;
  const auto holder = state.holders.find(held.holder_);
  holder->second.bytes -= held.bytes_;
  holder->second.answers.erase(held.number_);
  if (holder->second.answers.empty()) state.holders.erase(holder);
  held.number_ = 0;
}

void AnswerBudget::ForgetForGood(State& state, Held& held) {
  Forget(state, held);
  held.over_ = true;
}

void AnswerBudget::CancelOverdue() {
  const SteadyTime limit = options_.clock() - options_.patience;
  std::vector<std::shared_ptr<Held>> overdue;
  {
    auto state = state_.Lock();
    while (!state->answers.empty() && state->answers.begin()->second->began_ < limit) {
      overdue.push_back(state->answers.begin()->second);
      ForgetForGood(*state, *overdue.back());
      ++state->cancelled_count;
    }
  }
  for (const auto& one : overdue) one->Cancel();
}

std::size_t AnswerBudget::held_bytes() { return state_.Lock()->bytes; }

std::uint64_t AnswerBudget::cancelled_count() { return state_.Lock()->cancelled_count; }

void AnswerBudget::Held::Add(std::size_t bytes) {
  std::vector<std::shared_ptr<Held>> give_way;
  {
    auto state = budget_.state_.Lock();
    if (over_) return;
    bytes_ += bytes;
    if (number_ == 0) {
      budget_.Enter(*state, shared_from_this());
    } else {
      state->bytes += bytes;
      state->holders.at(holder_).bytes += bytes;
    }
    give_way = budget_.TakeLargest(*state);
  }
  for (const auto& one : give_way) one->Cancel();
}

void AnswerBudget::Held::Remove(std::size_t bytes) {
  auto state = budget_.state_.Lock();
  if (over_) return;
  const std::shared_ptr<Held> self = shared_from_this();
  Forget(*state, *this);
  bytes_ -= bytes;
  if (bytes_ > 0) budget_.Enter(*state, self);
}

void AnswerBudget::Held::End() {
  {
    const std::lock_guard lock(mutex_);
    cancel_ = nullptr;
  }
  ForgetForGood(*budget_.state_.Lock(), *this);
}

void AnswerBudget::Held::Cancel() {
  const std::lock_guard lock(mutex_);
  if (const std::function<void()> cancel = std::exchange(cancel_, nullptr)) cancel();
}

}  // namespace todo::api
