#pragma once

#include <memory>
#include <stop_token>
#include <thread>

#include "absl/status/statusor.h"
#include "domain/event/update_reader.h"
#include "live/counters.h"
#include "live/feed_core.h"
#include "live/feed_threads.h"
#include "live/options.h"
#include "ports/change_feed.h"
#include "util/bell.h"

namespace todo::live {

/// The changes of all users as they happen; the contract is that of ports::ChangeFeed. Updates come
/// from the bus by Publish; the log in the database decides what is right.
///
/// Its threads read missed changes and snapshots, check cursors, and end watches whose time is up.
/// While the database is away watches stay, and updates go on.
///
/// The doors end before the feed: no sink may call back afterwards. Handles of watches may outlive
/// it. Thread safety: any thread. Nothing blocks but the destructor, which waits for queries.
class Feed final : public ports::ChangeFeed {
 public:
  Feed(const FeedParts& parts, const FeedOptions& options);
  ~Feed() override;

  absl::StatusOr<std::unique_ptr<ports::FeedWatch>> Watch(
      ports::WatchRequest request, std::shared_ptr<ports::FeedSink> sink) override {
    return core_.Watch(std::move(request), std::move(sink));
  }

  /// An update from the bus, for all watches of its user. Updates of one user may come in any order
  /// and from several threads at once; repeats are harmless. A change's JSON is made once, and only
  /// if its user has a watch.
  void Publish(domain::TaskUpdate update) { core_.Publish(std::move(update)); }

  /// Whether the user has no watch. The update from the bus for which this is asked counts as
  /// published then: it need not be read.
  bool PassOver(const domain::UserId& user) { return core_.PassOver(user); }

  /// The server stops: ends every watch with SERVER_STOPPING, and refuses new ones. The watchers
  /// are told to come back at random times within a second, or more if there are more than 200, at
  /// most 30 s. Repeating it is harmless.
  void End() { core_.End(); }

  FeedStats stats() { return core_.stats(); }

 private:
  void RunChecks(const std::stop_token& stop);

  const FeedOptions options_;
  FeedThreads threads_;
  FeedCore core_;
  util::Bell doubt_;
  std::jthread checker_;
};

}  // namespace todo::live
