#include "live/feed_core.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "domain/event/live_change.h"
#include "util/status.h"

namespace todo::live {
namespace {

using std::chrono::milliseconds;

/// The time over which `count` watchers come back after the end of a server: about 200 a second.
milliseconds SpreadOf(std::size_t count) {
  constexpr std::size_t kWatchersPerSecond = 200;
  const auto spread = milliseconds(1'000 * count / kWatchersPerSecond);
  return std::clamp<milliseconds>(spread, std::chrono::seconds(1), std::chrono::seconds(30));
}

}  // namespace

/// What a door holds of a watch.
class FeedCore::Handle final : public ports::FeedWatch {
 public:
  Handle(std::shared_ptr<Audiences> audiences, std::shared_ptr<live::Watch> watch)
      : audiences_(std::move(audiences)), watch_(std::move(watch)) {}
  ~Handle() override {
    watch_->Close();
    audiences_->Remove(watch_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  void SetExpiry(std::optional<domain::Instant> expiry) override { watch_->SetExpiry(expiry); }

 private:
  const std::shared_ptr<Audiences> audiences_;
  const std::shared_ptr<live::Watch> watch_;
};

FeedCore::FeedCore(const FeedParts& parts, Workplace& workplace, const FeedOptions& options)
    : parts_(parts),
      workplace_(workplace),
      options_(options),
      audiences_(std::make_shared<Audiences>(options.max_watches)),
      reader_(parts.log, parts.tasks, workplace, counters_, outages_, options),
      check_(parts.log, *audiences_, counters_, outages_),
      random_(std::mt19937(std::random_device()())) {}

FeedCore::~FeedCore() {
  audiences_->Close();
  for (const Audiences::List& watches : audiences_->All()) {
    for (const auto& watch : *watches) watch->Close();
  }
}

absl::StatusOr<std::unique_ptr<ports::FeedWatch>> FeedCore::Watch(
    ports::WatchRequest request, std::shared_ptr<ports::FeedSink> sink) {
  const live::Watch::Options options{.head_interval = options_.head_interval,
                                     .registers_late = options_.registers_late};
  WatchServices& services = *this;
  auto watch = std::make_shared<live::Watch>(audiences_->NameOf(request.user), request,
                                             std::move(sink), options, services);
  // First the registration, then the read: an update that the read does not see comes as an update.
  if (options_.registers_late) {
    RegisterLate(watch);
  } else {
    TODO_RETURN_IF_ERROR(audiences_->Add(watch));
  }
  watch->Start(request.expiry);
  return std::make_unique<Handle>(audiences_, std::move(watch));
}

void FeedCore::RegisterLate(std::shared_ptr<live::Watch> watch) {
  const domain::UserId& user = watch->user();
  workplace_.RunAfter(milliseconds(300), user, [this, watch = std::move(watch)] {
    if (watch->is_open()) audiences_->Add(watch).IgnoreError();
  });
}

void FeedCore::Publish(domain::TaskUpdate update) {
  ++counters_.updates;
  if (auto* change = std::get_if<domain::Change>(&update)) {
    return PublishChange(std::move(*change));
  }
  if (const auto* notice = std::get_if<domain::NotificationUpdate>(&update)) {
    const Audiences::List watches = audiences_->Find(notice->user);
    if (!watches) return;
    const ports::FeedNotification notification{notice->notification_id, notice->task_id,
                                               notice->at};
    for (const auto& watch : *watches) watch->TakeNotification(notification);
    return;
  }
  const Audiences::List watches = audiences_->Find(std::get<domain::OtherUpdate>(update).user);
  if (!watches) return;
  for (const auto& watch : *watches) watch->TakeHint();
}

bool FeedCore::PassOver(const domain::UserId& user) {
  if (audiences_->Find(user)) return false;
  ++counters_.updates;
  return true;
}

void FeedCore::PublishChange(domain::Change change) {
  counters_.NoteLag(parts_.clock.Now() - change.at);
  const Audiences::List watches = audiences_->Find(change.user);
  if (!watches) return;
  const auto shared = std::make_shared<const domain::LiveChange>(std::move(change));
  for (const auto& watch : *watches) watch->TakeChange(shared);
}

void FeedCore::End() {
  audiences_->Close();
  const milliseconds spread = SpreadOf(audiences_->watch_count());
  for (const Audiences::List& watches : audiences_->All()) {
    for (const auto& watch : *watches) {
      std::uniform_int_distribution<milliseconds::rep> pick(0, spread.count());
      const milliseconds retry_after(pick(*random_.Lock()));
      watch->End({.status = util::WithReason(absl::UnavailableError("the server stops"),
                                             "SERVER_STOPPING"),
                  .retry_after = retry_after});
    }
  }
}

FeedStats FeedCore::stats() {
  FeedStats stats = counters_.Read();
  stats.watches = audiences_->watch_count();
  stats.users = audiences_->user_count();
  return stats;
}

void FeedCore::ReadMissed(std::shared_ptr<live::Watch> watch, const MissedWanted& wanted) {
  reader_.ReadMissed(std::move(watch), wanted);
}

void FeedCore::ReadPage(std::shared_ptr<live::Watch> watch) { reader_.ReadPage(std::move(watch)); }

void FeedCore::CheckSoon(const domain::UserId& user) {
  check_.Ask(user);
  on_doubt_();
}

}  // namespace todo::live
