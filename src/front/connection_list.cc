#include "front/connection_list.h"

#include <tuple>
#include <utility>

namespace todo::front {
namespace {

/// One place of so many is for clients that have not begun a call.
constexpr std::size_t kNewcomersShare = 4;

}  // namespace

ConnectionList::Id ConnectionList::Add(std::unique_ptr<Connection> connection) {
  ++counts_[connection->peer().group];
  connections_.emplace(++last_id_, std::move(connection));
  return last_id_;
}

Connection* ConnectionList::Find(Id id) const {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.get();
}

void ConnectionList::Remove(Id id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  const auto count = counts_.find(found->second->peer().group);
  if (--count->second == 0) counts_.erase(count);
  connections_.erase(found);
}

void ConnectionList::Clear() {
  connections_.clear();
  counts_.clear();
}

ConnectionList::Id ConnectionList::MustGiveWay(std::string_view peer_group) const {
  const auto count = counts_.find(peer_group);
  if (count != counts_.end() && count->second >= limits_.per_peer) return Choose(peer_group);
  return size() >= limits_.total ? Choose({}) : 0;
}

ConnectionList::Id ConnectionList::Choose(std::string_view peer_group) const {
  // Of each kind: clients that have begun a call, and newcomers.
  struct Kind {
    std::size_t count = 0;
    std::tuple<bool, SteadyTime, Id> first;  // calls in progress, time of the last byte, number
  };
  Kind known;
  Kind newcomers;
  for (const auto& [id, connection] : connections_) {
    if (!peer_group.empty() && connection->peer().group != peer_group) continue;
    Kind& kind = connection->has_called() ? known : newcomers;
    const std::tuple rank(connection->has_calls(), connection->last_active(), id);
    if (kind.count++ == 0 || rank < kind.first) kind.first = rank;
  }
  const bool many = newcomers.count * kNewcomersShare > known.count + newcomers.count;
  return std::get<Id>(many || known.count == 0 ? newcomers.first : known.first);
}

}  // namespace todo::front
