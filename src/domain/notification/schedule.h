#pragma once

#include <chrono>
#include <optional>

#include "domain/event/event.h"
#include "domain/ids.h"
#include "domain/notification/preferences.h"
#include "domain/time.h"

// When notifications are sent, and when a failed delivery is sent again.

namespace todo::domain {

/// A reminder that is taken later than this after its time is late.
inline constexpr std::chrono::minutes kLateAfter{5};
/// Late reminders are sent in one message. Each waits this long for the next one; reminders that
/// are due within that time go with it.
inline constexpr std::chrono::seconds kGroupingTime{10};
/// The longest wait of a late reminder, however many follow it.
inline constexpr std::chrono::seconds kMaxGroupingTime{60};
/// A delivery that was queued longer ago than this is given up.
inline constexpr std::chrono::hours kMaxDeliveryAge{48};

/// Whether `event` is late at `now`: see kLateAfter.
bool IsLate(const ReminderEvent& event, Instant now);

/// `now`, or the end of the user's quiet hours when `now` is within them.
Instant DisturbAt(const NotificationPreferences& preferences, Instant now);

/// The wait between the failed attempt number `failures` (the first is 1) of `delivery` and its
/// next attempt. nullopt: that was the last attempt. Each delivery has waits of its own, up to a
/// fifth shorter or longer than those of others, and always the same.
std::optional<std::chrono::milliseconds> DeliveryDelay(int failures, const Uuid& delivery);

}  // namespace todo::domain
