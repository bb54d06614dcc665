#include "service/consumers/in_flight.h"

#include <algorithm>

#include "util/status.h"

namespace todo::service {

int CrashLogSlots::Take(bool alone) {
  auto state = state_.Lock();
  // Counted while it waits, so that no new company comes meanwhile.
  if (alone) ++state->alone_count;
  freed_.wait(state.lock(),
              [&] { return alone ? state->used_count == 0 : state->alone_count == 0; });
  const auto free = std::find(state->used.begin(), state->used.end(), false);
  const auto slot = static_cast<int>(free - state->used.begin());
  if (free == state->used.end()) {
    state->used.push_back(true);
  } else {
    *free = true;
  }
  ++state->used_count;
  return slot;
}

void CrashLogSlots::Free(int slot, bool alone) {
  {
    auto state = state_.Lock();
    state->used[static_cast<std::size_t>(slot)] = false;
    --state->used_count;
    if (alone) --state->alone_count;
  }
  freed_.notify_all();
}

InFlight::InFlight(CrashLogSlots& slots, Company company)
    : slots_(slots), alone_(company == Company::kNobody), slot_(slots.Take(alone_)) {}

InFlight::~InFlight() {
  // Takes the events back, since they are not applied now. Should this fail, the only harm is that
  // a later crash makes them suspects.
  if (holding_) slots_.crashes_.Begin(slot_, "", {}).status().IgnoreError();
  slots_.Free(slot_, alone_);
}

absl::StatusOr<int> InFlight::Hold(std::string_view consumer,
                                   const std::vector<domain::EventHeader>& events) {
  TODO_ASSIGN_OR_RETURN(const auto suspects, slots_.crashes_.Begin(slot_, consumer, events));
  holding_ = true;
  int worst = 0;
  for (const auto& [event, crashes] : suspects) worst = std::max(worst, crashes);
  return worst;
}

}  // namespace todo::service
