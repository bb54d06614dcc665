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

steady_clock::duration IntervalOf(int per_second) {
  return steady_clock::duration(std::chrono::seconds(1)) / std::max(per_second, 1);
}

absl::Status TooFast(const UserLimitOptions& options) {
  return util::WithReason(
      absl::ResourceExhaustedError(fmt::format("more than {} calls per second: retry in a second",
                                               options.calls_per_second)),
      kTooFast);
}

absl::Status StreamsTooFast(const UserLimitOptions& options) {
  return util::WithReason(
      absl::ResourceExhaustedError(
          fmt::format("more than {} new streams per second: keep those that you have, or retry in "
                      "a second",
                      options.streams_per_second)),
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
      call_rate_{IntervalOf(options.calls_per_second), options.call_burst},
      stream_rate_{IntervalOf(options.streams_per_second), options.stream_burst},
      clock_(std::move(clock)) {
  TODO_REQUIRE(options_.calls_per_second > 0 && options_.call_burst > 0);
  TODO_REQUIRE(options_.streams_per_second > 0 && options_.stream_burst > 0);
  TODO_REQUIRE(options_.max_users > 0);
  TODO_REQUIRE(options_.calls_at_a_time > 0 && options_.streams_at_a_time > 0);
}

UserLimits::Place& UserLimits::Place::operator=(Place&& other) noexcept {
  if (this == &other) return *this;
  Return();
  limits_ = std::exchange(other.limits_, nullptr);
  user_ = std::move(other.user_);
  kind_ = other.kind_;
  return *this;
}

void UserLimits::Place::Return() {
  if (UserLimits* const limits = std::exchange(limits_, nullptr)) limits->End(user_, kind_);
}

absl::StatusOr<UserLimits::Place> UserLimits::Begin(const domain::UserId& user, Kind kind) {
  const SteadyTime now = clock_();
  const bool is_call = kind == Kind::kCall;
  auto state = state_.Lock();
  User& known = Remember(*state, user, now);
  if (known.Of(kind) >= (is_call ? options_.calls_at_a_time : options_.streams_at_a_time)) {
    ++state->too_many_count;
    return is_call ? TooManyCalls(options_) : TooManyStreams(options_);
  }
  if (absl::Status taken = Take(known, kind, now); !taken.ok()) {
    ++state->too_fast_count;
    return taken;
  }
  ++known.Of(kind);
  return Place(*this, user, kind);
}

UserLimits::User& UserLimits::Remember(State& state, const domain::UserId& user,
                                       SteadyTime now) const {
  if (const auto found = state.by_id.find(user.value); found != state.by_id.end()) {
    state.users.splice(state.users.begin(), state.users, found->second);
    return *found->second;
  }
  Forget(state, now);
  User& added = state.users.emplace_front(User{.id = user});
  state.by_id.emplace(added.id.value, state.users.begin());
  return added;
}

absl::Status UserLimits::Take(User& user, Kind kind, SteadyTime now) const {
  // A bucket is kept as the moment at which it is full again: a token moves the moment by one
  // interval, and the bucket is empty when it lies a whole burst ahead.
  const auto after = [now](SteadyTime full_at, const Rate& rate) {
    return std::max(full_at, now) + rate.interval;
  };
  const auto is_empty = [now](SteadyTime full_at, const Rate& rate) {
    return full_at - now > rate.interval * rate.burst;
  };
  const SteadyTime rested_at = after(user.rested_at, call_rate_);
  if (is_empty(rested_at, call_rate_)) return TooFast(options_);
  if (kind == Kind::kStream) {
    const SteadyTime streams_rested_at = after(user.streams_rested_at, stream_rate_);
    if (is_empty(streams_rested_at, stream_rate_)) return StreamsTooFast(options_);
    user.streams_rested_at = streams_rested_at;
  }
  user.rested_at = rested_at;
  return absl::OkStatus();
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
    if (std::max(last->rested_at, last->streams_rested_at) > now &&
        state.users.size() < options_.max_users) {
      return;
    }
    state.by_id.erase(last->id.value);
    state.users.erase(last);
  }
}

}  // namespace todo::api
