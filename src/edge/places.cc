#include "edge/places.h"

#include <optional>
#include <utility>
#include <vector>

namespace todo::edge {
namespace {

using std::chrono::steady_clock;

/// A guest that came or moved bytes this recently is not stuck.
constexpr std::chrono::seconds kStuckAfter{1};

/// The order in which guests are asked to leave; nullopt: never.
std::optional<int> RankOf(const Guest& guest, steady_clock::time_point now) {
  const bool stuck = now - guest.since() >= kStuckAfter;
  if (guest.standing() == Guest::Standing::kBusy) return std::nullopt;
  if (!guest.proven()) return 0;
  if (guest.standing() == Guest::Standing::kIdle) return 1;
  if (stuck) return 2;
  return std::nullopt;
}

}  // namespace

bool Places::Take(Guest& guest, const std::string& peer) {
  const auto found = count_of_peer_.find(peer);
  if (max_per_peer_ > 0 && found != count_of_peer_.end() && found->second >= max_per_peer_ &&
      !Free([&](const Guest&, const std::string& other) { return other == peer; }))
    return false;
  if (count() >= max_ && !FreeOne()) return false;
  guests_.emplace(&guest, peer);
  ++count_of_peer_[peer];
  return true;
}

void Places::Give(Guest& guest) {
  const auto found = guests_.find(&guest);
  if (found == guests_.end()) return;
  const auto peer = count_of_peer_.find(found->second);
  if (--peer->second == 0) count_of_peer_.erase(peer);
  guests_.erase(found);
}

bool Places::FreeOne() {
  return Free([](const Guest&, const std::string&) { return true; });
}

bool Places::FreeSlow(const Guest& except) {
  return Free([&](const Guest& guest, const std::string&) {
    return &guest != &except && guest.standing() == Guest::Standing::kSlow &&
           steady_clock::now() - guest.since() >= kStuckAfter;
  });
}

bool Places::Free(const Filter& filter) {
  const auto now = steady_clock::now();
  Guest* chosen = nullptr;
  std::pair<int, steady_clock::time_point> least;
  for (const auto& [guest, peer] : guests_) {
    const std::optional<int> rank = RankOf(*guest, now);
    if (!rank || !filter(*guest, peer)) continue;
    const std::pair key{*rank, guest->since()};
    if (chosen != nullptr && least <= key) continue;
    chosen = guest;
    least = key;
  }
  if (chosen == nullptr) return false;
  chosen->Leave();
  return true;
}

void Places::ForEach(const std::function<void(Guest&)>& visit) {
  std::vector<Guest*> guests;
  for (const auto& [guest, peer] : guests_) guests.push_back(guest);
  for (Guest* guest : guests) {
    if (guests_.contains(guest)) visit(*guest);
  }
}

}  // namespace todo::edge
