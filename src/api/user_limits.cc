#include "api/user_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "util/require.h"
#include "util/status.h"

namespace todo::api {
namespace {

using std::chrono::steady_clock;

/// Users that one call looks at to make room. Two would do: each call adds one user at most.
constexpr int kForgetSteps = 4;

constexpr char kTooFast[] = "USER_RATE_LIMITED";
constexpr char kTooMany[] = "USER_BUSY";

absl::Status TooFast(const UserLimitOptions& options) {
  return util::WithReason(
      absl::ResourceExhaustedError(fmt::format("more than {} calls per second: retry in a second",
                                               options.calls_per_second)),
      kTooFast);
}

absl::Status TooManyCalls(const UserLimitOptions& options) {
  return util::WithReason(
      absl::ResourceExhaustedError(
          fmt::format("{} of your calls are in progress: wait until some of them are answered",
                      options.calls_at_a_time)),
      kTooMany);
}

absl::Status TooManyStreams(const UserLimitOptions& options) {
  return util::WithReason(
      absl::ResourceExhaustedError(
          fmt::format("{} of your streams are open: end some of them", options.streams_at_a_time)),
      kTooMany);
}

}  // namespace

UserLimits::UserLimits(UserLimitOptions options, std::function<SteadyTime()> clock)
    : options_(options),
      interval_(steady_clock::duration(std::chrono::seconds(1)) /
                std::max(options.calls_per_second, 1)),
      clock_(std::move(clock)) {
  TODO_REQUIRE(options_.calls_per_second > 0 && options_.call_burst > 0);
  TODO_REQUIRE(options_.max_users > 0);
  TODO_REQUIRE(options_.calls_at_a_time > 0 && options_.streams_at_a_time > 0);
}

UserLimits::Ticket& UserLimits::Ticket::operator=(Ticket&& other) noexcept {
  if (this == &other) return *this;
  Return();
  limits_ = std::exchange(other.limits_, nullptr);
  user_ = std::move(other.user_);
  kind_ = other.kind_;
  return *this;
}

void UserLimits::Ticket::Return() {
  if (UserLimits* const limits = std::exchange(limits_, nullptr)) limits->End(user_, kind_);
}

absl::StatusOr<UserLimits::Ticket> UserLimits::Begin(const domain::UserId& user, Kind kind) {
  const SteadyTime now = clock_();
  auto state = state_.Lock();
  const auto found = state->by_id.find(user.value);
  if (found == state->by_id.end()) {
    Forget(*state, now);
    User& added = state->users.emplace_front(User{.id = user, .rested_at = now + interval_});
    state->by_id.emplace(added.id.value, state->users.begin());
    ++added.Of(kind);
    return Ticket(*this, user, kind);
  }
  User& known = *found->second;
  state->users.splice(state->users.begin(), state->users, found->second);
  const bool is_call = kind == Kind::kCall;
  if (known.Of(kind) >= (is_call ? options_.calls_at_a_time : options_.streams_at_a_time)) {
    ++state->too_many_count;
    return is_call ? TooManyCalls(options_) : TooManyStreams(options_);
  }
  // A bucket of `call_burst` tokens, as the moment at which it is full again: each call moves the
  // moment by one interval, and the bucket is empty when it lies a whole burst ahead.
  const SteadyTime rested_at = std::max(known.rested_at, now) + interval_;
  if (rested_at - now > interval_ * options_.call_burst) {
    ++state->too_fast_count;
    return TooFast(options_);
  }
  known.rested_at = rested_at;
  ++known.Of(kind);
  return Ticket(*this, user, kind);
}

std::map<std::string, std::uint64_t> UserLimits::refused() {
  auto state = state_.Lock();
  return {{kTooFast, state->too_fast_count}, {kTooMany, state->too_many_count}};
}

void UserLimits::End(const domain::UserId& user, Kind kind) {
  auto state = state_.Lock();
  const auto found = state->by_id.find(user.value);
  TODO_REQUIRE(found != state->by_id.end());  // a user with a call in progress is kept
  --found->second->Of(kind);
}

void UserLimits::Forget(State& state, SteadyTime now) const {
  for (int step = 0; step < kForgetSteps && !state.users.empty(); ++step) {
    const auto last = std::prev(state.users.end());
    if (last->calls + last->streams > 0) {  // its calls take long; others may be idle
      state.users.splice(state.users.begin(), state.users, last);
      continue;
    }
    if (last->rested_at > now && state.users.size() < options_.max_users) return;
    state.by_id.erase(last->id.value);
    state.users.erase(last);
  }
}

}  // namespace todo::api
