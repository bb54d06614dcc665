#include "edge/places.h"

#include <utility>
#include <vector>

namespace todo::edge {
namespace {

using std::chrono::steady_clock;

/// A client that moved bytes this recently is not stuck.
constexpr std::chrono::seconds kSlowAfter{1};

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
    return &guest != &except && guest.standing() == Guest::Standing::kSlow;
  });
}

bool Places::Free(const Filter& filter) {
  const auto now = steady_clock::now();
  Guest* chosen = nullptr;
  std::pair<Guest::Standing, steady_clock::time_point> least;
  for (const auto& [guest, peer] : guests_) {
    const std::pair rank{guest->standing(), guest->since()};
    if (rank.first == Guest::Standing::kBusy || !filter(*guest, peer)) continue;
    if (rank.first == Guest::Standing::kSlow && now - rank.second < kSlowAfter) continue;
    if (chosen != nullptr && least <= rank) continue;
    chosen = guest;
    least = rank;
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
