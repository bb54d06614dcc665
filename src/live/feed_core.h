#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <random>

#include "absl/status/statusor.h"
#include "domain/event/update_reader.h"
#include "live/audiences.h"
#include "live/counters.h"
#include "live/cursor_check.h"
#include "live/options.h"
#include "live/outage_log.h"
#include "live/reader.h"
#include "live/watch.h"
#include "live/workplace.h"
#include "ports/change_feed.h"
#include "ports/clock.h"
#include "ports/live_log.h"
#include "ports/task_store.h"
#include "util/guarded.h"

namespace todo::live {

/// What a feed works with. All must outlive it.
struct FeedParts {
  ports::LiveLog& log;
  ports::TaskStore& tasks;
  const ports::Clock& clock;
  std::function<SteadyTime()> steady_clock = std::chrono::steady_clock::now;
};

/// All of the feed but its threads; see Feed.
/// Thread safety: any thread; nothing blocks but the checks.
class FeedCore final : public ports::ChangeFeed, private WatchServices {
 public:
  /// `workplace` outlives the core, but does nothing of the core's after it.
  FeedCore(const FeedParts& parts, Workplace& workplace, const FeedOptions& options);
  /// Closes all watches.
  ~FeedCore() override;

  absl::StatusOr<std::unique_ptr<ports::FeedWatch>> Watch(
      ports::WatchRequest request, std::shared_ptr<ports::FeedSink> sink) override;
  void Publish(domain::TaskUpdate update);
  bool PassOver(const domain::UserId& user);
  void End();
  FeedStats stats();

  /// Blocks on the database; to be called by one thread.
  CursorCheck& check() { return check_; }
  /// Called when a user's watches should be checked before the next regular check. To be set
  /// before the first watch.
  void OnDoubt(std::function<void()> callback) { on_doubt_ = std::move(callback); }

 private:
  class Handle;

  void PublishChange(domain::Change change);
  void RegisterLate(std::shared_ptr<live::Watch> watch);

  // WatchServices
  void ReadMissed(std::shared_ptr<live::Watch> watch, const MissedWanted& wanted) override;
  void ReadPage(std::shared_ptr<live::Watch> watch) override;
  void CheckSoon(const domain::UserId& user) override;
  void Remove(const std::shared_ptr<live::Watch>& watch) override { audiences_->Remove(watch); }
  util::Alarm CallAfter(std::chrono::milliseconds delay, std::function<void()> callback) override {
    return workplace_.CallAfter(delay, std::move(callback));
  }
  domain::Instant Now() const override { return parts_.clock.Now(); }
  SteadyTime SteadyNow() const override { return parts_.steady_clock(); }
  Counters& counters() override { return counters_; }

  const FeedParts parts_;
  Workplace& workplace_;
  const FeedOptions options_;
  Counters counters_;
  OutageLog outages_;
  const std::shared_ptr<Audiences> audiences_;  // shared with the handles of watches
  Reader reader_;
  CursorCheck check_;
  std::function<void()> on_doubt_ = [] {};
  util::Guarded<std::mt19937> random_;
};

}  // namespace todo::live
