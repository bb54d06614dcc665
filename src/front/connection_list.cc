#include "front/connection_list.h"

#include <chrono>
#include <tuple>
#include <utility>

namespace todo::front {
namespace {

constexpr std::chrono::seconds kNewFor{2};

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

ConnectionList::Id ConnectionList::MustGiveWay(std::string_view peer_group, SteadyTime now) const {
  const auto count = counts_.find(peer_group);
  if (count != counts_.end() && count->second >= limits_.per_peer) return Choose(peer_group, now);
  return size() >= limits_.total ? Choose({}, now) : 0;
}

ConnectionList::Id ConnectionList::Choose(std::string_view peer_group, SteadyTime now) const {
  Id chosen = 0;
  std::tuple<bool, SteadyTime, Id> least;  // busy, time of the last byte, number
  for (const auto& [id, connection] : connections_) {
    if (!peer_group.empty() && connection->peer().group != peer_group) continue;
    const bool busy = connection->has_calls() || now - connection->accepted_at() < kNewFor;
    const std::tuple rank(busy, connection->last_active(), id);
    if (chosen != 0 && rank >= least) continue;
    chosen = id;
    least = rank;
  }
  return chosen;
}

}  // namespace todo::front
