#include "front/open_calls.h"

#include <utility>

namespace todo::front {

void OpenCalls::Note(Id connection, Count count) {
  const auto known = counts_.find(connection);
  const Count before = known == counts_.end() ? Count{} : known->second;
  if (count == before) return;
  total_ += static_cast<std::size_t>(count.calls);
  total_ -= static_cast<std::size_t>(before.calls);
  if (known == counts_.end()) {
    counts_.emplace(connection, count);
    ranks_.insert(RankOf(connection, count));
    return;
  }
  auto rank = ranks_.extract(RankOf(connection, before));
  if (count == Count{}) {
    counts_.erase(known);
    return;
  }
  known->second = count;
  rank.value() = RankOf(connection, count);
  ranks_.insert(std::move(rank));
}

OpenCalls::Id OpenCalls::ToGiveWay() const {
  return total_ > limit_ ? std::get<Id>(*ranks_.begin()) : 0;
}

}  // namespace todo::front
