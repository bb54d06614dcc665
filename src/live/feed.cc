#include "live/feed.h"

#include <algorithm>
#include <chrono>

namespace todo::live {

using std::chrono::steady_clock;

Feed::Feed(const FeedParts& parts, const FeedOptions& options)
    : options_(options),
      // Each watch has one read at most; reads of watches that have gone may wait as well.
      threads_(options.threads, 2 * options.max_watches + 1'000),
      core_(parts, threads_, options) {
  core_.OnDoubt([this] { doubt_.Ring(); });
  checker_ = std::jthread([this](const std::stop_token& stop) { RunChecks(stop); });
}

Feed::~Feed() {
  checker_ = {};
  threads_.Stop();
}

void Feed::RunChecks(const std::stop_token& stop) {
  CursorCheck& check = core_.check();
  steady_clock::time_point next_full = steady_clock::now() + options_.check_interval;
  while (!stop.stop_requested()) {
    const auto heard = doubt_.rings();
    if (steady_clock::now() >= next_full) {
      check.CheckAll();
      next_full = steady_clock::now() + options_.check_interval;
    } else {
      check.CheckAsked();
    }
    const auto until_full = std::max(next_full - steady_clock::now(), steady_clock::duration(0));
    const auto second_look = std::min<steady_clock::duration>(options_.second_look, until_full);
    doubt_.Wait(stop, heard, check.has_asked() ? second_look : until_full, second_look);
  }
}

}  // namespace todo::live
