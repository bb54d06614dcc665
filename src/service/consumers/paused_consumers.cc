#include "service/consumers/paused_consumers.h"

#include <algorithm>
#include <chrono>

#include "ports/failure.h"
#include "util/log.h"

namespace todo::service {
namespace {

using domain::Instant;
using util::Severity;

constexpr std::chrono::seconds kPause{2};

}  // namespace

bool PausedConsumers::MayTry(std::string_view consumer) {
  auto paused_until = paused_until_.Lock();
  const auto until = paused_until->find(consumer);
  if (until == paused_until->end()) return true;
  const Instant now = clock_.Now();
  if (now < until->second) return false;
  until->second = now + kPause;  // one try at a time
  return true;
}

void PausedConsumers::Note(std::string_view consumer, const absl::Status& status) {
  const bool pauses = ports::IsTemporary(status);
  bool was_paused = false;
  {
    auto paused_until = paused_until_.Lock();
    const auto until = paused_until->find(consumer);
    was_paused = until != paused_until->end();
    if (pauses) {
      paused_until->insert_or_assign(std::string(consumer), clock_.Now() + kPause);
    } else if (was_paused) {
      paused_until->erase(until);
    }
  }
  if (pauses == was_paused) return;
  util::Log(pauses ? Severity::kWarning : Severity::kInfo,
            pauses ? "consumer_waits" : "consumer_goes_on",
            {{"consumer", std::string(consumer)}, {"status", status.ToString()}});
}

std::vector<std::string> PausedConsumers::Active(const std::vector<std::string>& consumers) const {
  auto paused_until = paused_until_.Lock();
  const Instant now = clock_.Now();
  std::vector<std::string> active;
  for (const std::string& consumer : consumers) {
    const auto until = paused_until->find(consumer);
    if (until == paused_until->end() || until->second <= now) active.push_back(consumer);
  }
  return active;
}

std::optional<Instant> PausedConsumers::NextTry() const {
  auto paused_until = paused_until_.Lock();
  const Instant now = clock_.Now();
  std::optional<Instant> next;
  for (const auto& [consumer, until] : *paused_until) {
    if (until > now) next = std::min(next.value_or(until), until);
  }
  return next;
}

}  // namespace todo::service
