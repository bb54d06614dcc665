#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "absl/status/statusor.h"
#include "domain/ids.h"
#include "util/guarded.h"

namespace todo::api {

/// How much one user may ask for. Operators are users too.
struct UserLimitOptions {
  int calls_per_second = 50;   // > 0; in the long run
  int call_burst = 200;        // > 0; calls at once after a pause
  int calls_at_a_time = 32;    // > 0; begun and not answered
  int streams_at_a_time = 16;  // > 0; begun and not ended
  int streams_per_second = 5;  // > 0; new ones, in the long run
  int stream_burst = 20;       // > 0; new ones at once after a pause
  /// So many users are remembered. For more users than that, those whose last call lies furthest
  /// back are forgotten, and so may call as after a pause.
  std::size_t max_users = 50'000;  // > 0
};

/// The rate limits of users. Of a user who has been silent for a while, and of whom no call is in
/// progress, nothing is kept.
/// Thread safety: all methods may be called from many threads at once. None blocks.
class UserLimits {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  explicit UserLimits(UserLimitOptions options,
                      std::function<SteadyTime()> clock = std::chrono::steady_clock::now);
  UserLimits(const UserLimits&) = delete;
  UserLimits& operator=(const UserLimits&) = delete;

  enum class Kind { kCall, kStream };

  /// The place of one call in progress; its end gives the place back.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept
        : limits_(std::exchange(other.limits_, nullptr)),
          user_(std::move(other.user_)),
          kind_(other.kind_) {}
    Place& operator=(Place&& other) noexcept;
    ~Place() { Return(); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    /// Gives the place back now. Twice is harmless.
    void Return();

   private:
    friend class UserLimits;
    Place(UserLimits& limits, domain::UserId user, Kind kind)
        : limits_(&limits), user_(std::move(user)), kind_(kind) {}
    UserLimits* limits_ = nullptr;
    domain::UserId user_;
    Kind kind_ = Kind::kCall;
  };

  /// Counts a call of `user`, who has been identified. A stream counts as a call when it begins,
  /// and has a place among the user's streams until its end. The limits must outlive the place.
  /// kResourceExhausted, with a text for the caller: reason USER_RATE_LIMITED: calls or streams
  /// come too fast; there is room again within a second. Reason USER_BUSY: too many of them are in
  /// progress. A refused call does not count.
  absl::StatusOr<Place> Begin(const domain::UserId& user, Kind kind = Kind::kCall);

  /// Users that are remembered.
  std::size_t user_count() { return state_.Lock()->users.size(); }
  /// Refused calls since the start, by reason.
  std::map<std::string, std::uint64_t> refused();

 private:
  /// A bucket of `burst` tokens, one of which comes back in each interval.
  struct Rate {
    std::chrono::steady_clock::duration interval;
    int burst;
  };
  struct User {
    domain::UserId id;
    SteadyTime rested_at = {};          // when the user may call at full burst again
    SteadyTime streams_rested_at = {};  // when the user may begin streams at full burst again
    int calls = 0;                      // in progress
    int streams = 0;                    // in progress
    int& Of(Kind kind) { return kind == Kind::kCall ? calls : streams; }
  };
  using Users = std::list<User>;
  struct State {
    Users users;                                                  // the first one called last
    std::unordered_map<std::string_view, Users::iterator> by_id;  // keys: the ids in users
    std::uint64_t too_fast_count = 0;
    std::uint64_t too_many_count = 0;
  };

  /// The user's entry, the first of the list from now on.
  User& Remember(State& state, const domain::UserId& user, SteadyTime now) const;
  /// Takes what `kind` costs from the user's buckets. An error: one of them is empty, and nothing
  /// is taken.
  absl::Status Take(User& user, Kind kind, SteadyTime now) const;
  void End(const domain::UserId& user, Kind kind);
  /// Makes room, in a bounded number of steps.
  void Forget(State& state, SteadyTime now) const;

  const UserLimitOptions options_;
  const Rate call_rate_;
  const Rate stream_rate_;
  const std::function<SteadyTime()> clock_;
  util::Guarded<State> state_;
};

}  // namespace todo::api
