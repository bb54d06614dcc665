#include "edge/places.h"

#include <utility>
#include <vector>

namespace todo::edge {
namespace {

using std::chrono::steady_clock;

/// An answer that has waited for its reader this long makes room before others.
constexpr std::chrono::seconds kSlowAfter{1};

/// One in so many places is for guests that have not had the time to prove themselves.
constexpr int kPlacesPerNewcomer = 4;

bool MayLeave(const Guest& guest) { return guest.standing() != Guest::Standing::kBusy; }

/// The order in which guests that may leave are asked to.
int RankOf(const Guest& guest, bool newcomers_first) {
  if (!guest.proven()) return newcomers_first ? 0 : 3;
  return guest.standing() == Guest::Standing::kIdle ? 1 : 2;
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

void Places::Pass(Guest& from, Guest& to) {
  auto place = guests_.extract(&from);
  if (place.empty()) return;
  place.key() = &to;
  guests_.insert(std::move(place));
}

bool Places::FreeOne() {
  return Free([](const Guest&, const std::string&) { return true; });
}

bool Places::FreeUnsent() {
  const steady_clock::time_point now = steady_clock::now();
  Guest* chosen = nullptr;
  std::pair<bool, std::size_t> most{false, 0};
  for (const auto& [guest, peer] : guests_) {
    const std::pair key{now - guest->since() >= kSlowAfter, guest->unsent_bytes()};
    if (key.second == 0 || key <= most) continue;
    chosen = guest;
    most = key;
  }
  if (chosen == nullptr) return false;
  chosen->Leave();
  return true;
}

bool Places::Free(const Filter& filter) {
  int count = 0;
  int newcomers = 0;
  for (const auto& [guest, peer] : guests_) {
    if (!filter(*guest, peer)) continue;
    ++count;
    if (!guest->proven()) ++newcomers;
  }
  const bool newcomers_first = newcomers * kPlacesPerNewcomer >= count;
  Guest* chosen = nullptr;
  std::pair<int, steady_clock::time_point> least;
  for (const auto& [guest, peer] : guests_) {
    if (!filter(*guest, peer) || !MayLeave(*guest)) continue;
    const std::pair key{RankOf(*guest, newcomers_first), guest->since()};
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
