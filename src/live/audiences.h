#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "domain/ids.h"
#include "live/watch.h"
#include "util/guarded.h"

namespace todo::live {

/// The watches of each user. A list of watches never changes: another one takes its place. So
/// publishing holds the lock for a look-up only, however many watches there are.
/// Thread safety: any thread; nothing blocks.
class Audiences {
 public:
  using List = std::shared_ptr<const std::vector<std::shared_ptr<Watch>>>;

  explicit Audiences(std::size_t max_watches) : max_watches_(max_watches) {}

  /// One string for all watches of a user.
  std::shared_ptr<const domain::UserId> NameOf(const domain::UserId& user);

  /// kResourceExhausted with reason TOO_MANY_SCREENS: there are max_watches. kUnavailable with
  /// reason SERVER_STOPPING: after Close.
  absl::Status Add(const std::shared_ptr<Watch>& watch);
  /// Harmless if it is not there.
  void Remove(const std::shared_ptr<Watch>& watch);

  /// Null: the user has none.
  List Find(const domain::UserId& user);
  std::vector<List> All();
  /// No watch is added any more.
  void Close();

  std::size_t watch_count();
  std::size_t user_count();

 private:
  struct Audience {
    std::shared_ptr<const domain::UserId> user;
    List watches;
  };
  struct State {
    std::unordered_map<std::string_view, Audience> by_user;  // the key is in the value
    std::size_t count = 0;
    bool closed = false;
  };

  const std::size_t max_watches_;
  util::Guarded<State> state_;
};

}  // namespace todo::live
