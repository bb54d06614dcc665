#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "front/connection.h"

namespace todo::front {

/// The connections of a port, by number, with the choice of those that give way when all places
/// are taken. A connection waits until its client has spoken, and then it is served; for each of
/// the two there are places of their own, so that silent connections cannot displace others.
/// Thread safety: none.
class ConnectionList {
 public:
  using Id = std::uint64_t;
  using Map = std::unordered_map<Id, std::unique_ptr<Connection>>;

  struct Limits {
    std::size_t waiting = 1'024;
    std::size_t served = 1'024;
    std::size_t served_per_peer = 512;
  };

  explicit ConnectionList(Limits limits) : limits_(limits) {}

  /// Adds a connection that waits.
  Id Add(std::unique_ptr<Connection> connection);
  /// From now on the connection, which waited, is served.
  void NoteServed(const Connection& connection);
  /// nullptr: there is none of this number any more.
  Connection* Find(Id id) const;
  void Remove(Id id);
  void Clear();

  /// The waiting connection that must give way before another may come; 0: there is room.
  Id WaitingToGiveWay() const;
  /// The served connection that must give way before one of this peer may be served; 0: there is
  /// room.
  ///
  /// A peer with all the places of a peer gives one of its own, else any peer gives one. Clients
  /// that have begun a call come last, so that a flood of idle connections does not wash them away;
  /// but half of the places is for newcomers. Among equals, connections without a call in progress
  /// go first, and then the one that has been silent longest.
  Id ServedToGiveWay(std::string_view peer_group) const;
  /// The connection that goes first when descriptors are short; 0: there is none.
  Id First() const { return FirstBut(nullptr); }
  /// The same, but not this one.
  Id FirstBut(const Connection* spared) const;

  const Map& all() const { return connections_; }
  std::size_t size() const { return connections_.size(); }

 private:
  Id LongestWaiting(const Connection* spared) const;
  Id ChooseServed(std::string_view peer_group) const;

  const Limits limits_;
  Map connections_;
  std::size_t served_count_ = 0;
  std::map<std::string, std::size_t, std::less<>> served_of_peer_;
  Id last_id_ = 0;
};

}  // namespace todo::front
