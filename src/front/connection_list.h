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

/// The connections of a port, by number, with the choice of the one that gives way when all places
/// are taken. Thread safety: none.
class ConnectionList {
 public:
  using Id = std::uint64_t;
  using Map = std::unordered_map<Id, std::unique_ptr<Connection>>;

  struct Limits {
    std::size_t total = 1'024;
    std::size_t per_peer = 512;
  };

  explicit ConnectionList(Limits limits) : limits_(limits) {}

  Id Add(std::unique_ptr<Connection> connection);
  /// nullptr: there is none of this number any more.
  Connection* Find(Id id) const;
  void Remove(Id id);
  void Clear();

  /// The connection that must give way before one of this peer may come; 0: there is room.
  ///
  /// A peer with all the places of a peer gives one of its own, else any peer gives one. Clients
  /// that have begun a call come last, so that a flood of empty connections does not wash them
  /// away; but a quarter of the places is for newcomers. Among equals, connections without a call
  /// in progress go first, and then the one that has been silent longest.
  Id MustGiveWay(std::string_view peer_group) const;
  /// The connection that goes first when descriptors are short; 0: there is none.
  Id First() const { return Choose({}); }

  const Map& all() const { return connections_; }
  std::size_t size() const { return connections_.size(); }

 private:
  Id Choose(std::string_view peer_group) const;

  const Limits limits_;
  Map connections_;
  std::map<std::string, std::size_t, std::less<>> counts_;  // of connections, by peer
  Id last_id_ = 0;
};

}  // namespace todo::front
