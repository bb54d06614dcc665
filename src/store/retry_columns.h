#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "domain/event/received_event.h"
#include "domain/ids.h"
#include "domain/time.h"

// Inside the room only: between failed events and the columns of retries and dead_letters.

namespace todo::store {

/// The inbox partition of an event: from its own timestamp, so the same on every delivery.
inline std::string InboxDay(domain::Instant event_at) {
  return domain::FormatInstant(event_at).substr(0, 10);
}

/// The columns that both tables have, all but the record's bytes. Text that is no UTF-8 is mended:
/// the bytes keep it.
nlohmann::json RetryRow(std::string_view consumer, const domain::EventId& event_id,
                        domain::Instant event_at, const domain::UserId& user,
                        domain::TaskId task_id, const domain::BusRecord& record);

/// `text` as the database can hold it.
std::string Storable(std::string_view text);

}  // namespace todo::store
