#include "store/database_clock.h"

#include <algorithm>
#include <utility>

#include "store/session.h"
#include "util/log.h"

namespace todo::store {
namespace {

constexpr std::chrono::seconds kMaxDifference{1};
constexpr std::chrono::minutes kComplaintInterval{10};

constexpr Statement kAsk{"clock",
                         "select (extract(epoch from clock_timestamp()) * 1000000)::bigint"};

std::chrono::microseconds SinceStart(DatabaseClock::SteadyTime time) {
  return std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch());
}

std::int64_t Milliseconds(std::chrono::microseconds duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

}  // namespace

DatabaseClock::DatabaseClock(const ports::Clock& machine, SteadyClock steady)
    : machine_(machine), steady_(std::move(steady)) {}

domain::Instant DatabaseClock::Now() const {
  const std::int64_t offset = offset_;
  if (offset == kUnknown) return machine_.Now();
  return domain::Instant(SinceStart(steady_()) + Duration(offset));
}

absl::Status DatabaseClock::Measure(ConnectionPool& pool) {
  return Once(pool, "read the clock", [&](pqxx::transaction_base& transaction) {
    const SteadyTime sent = steady_();
    const Duration shown(Exec(transaction, kAsk)[0][0].as<std::int64_t>());
    Note(sent, domain::Instant(shown));
    return absl::OkStatus();
  });
}

void DatabaseClock::Note(SteadyTime sent, domain::Instant database) {
  const Duration round_trip = SinceStart(steady_()) - SinceStart(sent);
  const Duration most = database.time_since_epoch() - SinceStart(sent);
  const Duration least = most - round_trip;
  const std::int64_t known = offset_;
  offset_ = known == kUnknown ? (least + round_trip / 2).count()
                              : std::clamp(known, least.count(), most.count());

  const Duration ahead = machine_.Now() - database;  // now, and the database's clock went on since
  CompareMachine(ahead - round_trip, ahead);
}

void DatabaseClock::CompareMachine(Duration least, Duration most) {
  const SteadyTime now = steady_();
  if (least > kMaxDifference || most < -kMaxDifference) {
    if (complained_at_ && now - *complained_at_ < kComplaintInterval) return;
    complained_at_ = now;
    util::Log(util::Severity::kError, "clock_differs",
              {{"ahead_of_database_ms", Milliseconds(least > kMaxDifference ? least : most)},
               {"round_trip_ms", Milliseconds(most - least)}});
  } else if (complained_at_ && least >= -kMaxDifference && most <= kMaxDifference) {
    complained_at_.reset();
    util::Log(util::Severity::kInfo, "clock_agrees");
  }
}

}  // namespace todo::store
