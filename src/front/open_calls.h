#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <tuple>
#include <unordered_map>

namespace todo::front {

/// The calls in progress on all connections of a port, with the choice of the connection that gives
/// way when they are too many. Each call costs the server memory, even one whose request has not
/// come, and so the number of connections alone does not bound the memory.
///
/// The calls of a connection that has ended are leaving until the server has let go of them: a
/// server that is behind still finds them in its socket, and makes them only to cancel them.
/// Thread safety: none.
class OpenCalls {
 public:
  using Id = std::uint64_t;  // of a connection; not 0

  struct Count {
    int calls = 0;
    int requests = 0;  // calls whose request has not ended
    bool operator==(const Count&) const = default;
  };

  explicit OpenCalls(std::size_t limit) : limit_(limit) {}

  /// From now on the connection has so many. A connection that has ended has none.
  void Note(Id connection, Count count);
  /// The connection to end, because there are more calls than the limit; 0: there are not. An
  /// honest client finishes its requests, so the one goes that has most unfinished ones; among
  /// equals the one with most calls, and then the oldest.
  Id ToGiveWay() const;

  std::size_t total() const { return total_; }

  void NoteLeaving(int calls) { leaving_ += static_cast<std::size_t>(calls); }
  void NoteLeft(int calls) { leaving_ -= static_cast<std::size_t>(calls); }
  /// Whether there are a third more calls than the limit, with those that are leaving. Then each
  /// connection waits with any but its first few calls.
  bool full() const { return total_ + leaving_ >= limit_ + limit_ / 3; }

 private:
  using Rank = std::tuple<int, int, Id>;  // the lowest gives way
  static Rank RankOf(Id connection, Count count) {
    return {-count.requests, -count.calls, connection};
  }

  const std::size_t limit_;
  std::size_t total_ = 0;  // without those that are leaving
  std::size_t leaving_ = 0;
  std::unordered_map<Id, Count> counts_;  // of the connections that have calls
  std::set<Rank> ranks_;                  // of the same
};

}  // namespace todo::front
