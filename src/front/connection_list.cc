#include "front/connection_list.h"

#include <tuple>
#include <utility>

namespace todo::front {
namespace {

/// One place of so many is for clients that have not begun a call.
constexpr std::size_t kNewcomersShare = 2;

}  // namespace

ConnectionList::Id ConnectionList::Add(std::unique_ptr<Connection> connection) {
  connections_.emplace(++last_id_, std::move(connection));
  return last_id_;
}

void ConnectionList::NoteServed(const Connection& connection) {
  ++served_count_;
  ++served_of_peer_[connection.peer().group];
}

Connection* ConnectionList::Find(Id id) const {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.get();
}

void ConnectionList::Remove(Id id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  if (found->second->reached_server()) {
    --served_count_;
    const auto of_peer = served_of_peer_.find(found->second->peer().group);
    if (--of_peer->second == 0) served_of_peer_.erase(of_peer);
  }
  connections_.erase(found);
}

void ConnectionList::Clear() {
  connections_.clear();
  served_of_peer_.clear();
  served_count_ = 0;
}

ConnectionList::Id ConnectionList::WaitingToGiveWay() const {
  return size() - served_count_ >= limits_.waiting ? LongestWaiting(nullptr) : 0;
}

ConnectionList::Id ConnectionList::ServedToGiveWay(std::string_view peer_group) const {
  const auto of_peer = served_of_peer_.find(peer_group);
  if (of_peer != served_of_peer_.end() && of_peer->second >= limits_.served_per_peer)
    return ChooseServed(peer_group);
  return served_count_ >= limits_.served ? ChooseServed({}) : 0;
}

ConnectionList::Id ConnectionList::FirstBut(const Connection* spared) const {
  const Id waiting = LongestWaiting(spared);
  return waiting != 0 ? waiting : ChooseServed({});
}

ConnectionList::Id ConnectionList::LongestWaiting(const Connection* spared) const {
  Id longest = 0;
  for (const auto& [id, connection] : connections_) {
    if (connection->reached_server() || connection.get() == spared) continue;
    if (longest == 0 || id < longest) longest = id;
  }
  return longest;
}

ConnectionList::Id ConnectionList::ChooseServed(std::string_view peer_group) const {
  // Of each kind: clients that have begun a call, and newcomers.
  struct Kind {
    std::size_t count = 0;
    std::tuple<bool, SteadyTime, Id> first;  // calls in progress, time of the last byte, number
  };
  Kind known;
  Kind newcomers;
  for (const auto& [id, connection] : connections_) {
    if (!connection->reached_server()) continue;
    if (!peer_group.empty() && connection->peer().group != peer_group) continue;
    Kind& kind = connection->has_called() ? known : newcomers;
    const std::tuple rank(connection->has_calls(), connection->last_active(), id);
    if (kind.count++ == 0 || rank < kind.first) kind.first = rank;
  }
  const bool many = newcomers.count * kNewcomersShare > known.count + newcomers.count;
  return std::get<Id>(many || known.count == 0 ? newcomers.first : known.first);
}

}  // namespace todo::front
