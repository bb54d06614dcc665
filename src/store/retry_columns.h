#pragma once

#include <nlohmann/json.hpp>
#include <pqxx/pqxx>
#include <string>
#include <string_view>

#include "domain/event/bus_record.h"
#include "domain/ids.h"
#include "domain/time.h"

// Inside the room only: between failed events and the columns of `retries` and `dead_letters`.

namespace todo::store {

/// The inbox partition of an event: the day of its own timestamp, so that a redelivery has the same
/// one.
inline std::string InboxDay(domain::Instant event_at) {
  return domain::FormatInstant(event_at).substr(0, 10);
}

/// The columns that both tables have, without the record's bytes. Text that is not UTF-8 is mended:
/// the bytes keep the original.
nlohmann::json RetryRow(std::string_view consumer, const domain::EventId& event_id,
                        domain::Instant event_at, const domain::UserId& user,
                        domain::TaskId task_id, const domain::BusRecord& record);

/// The record, without its bytes, in the columns topic, partition, offset, record_key and
/// content_type, which start at `first`.
domain::BusRecord RecordOf(const pqxx::row& row, pqxx::row::size_type first);

inline std::string BytesOf(const pqxx::field& bytea) { return pqxx::binarystring(bytea).str(); }

/// `text` as the database can hold it.
std::string Storable(std::string_view text);

}  // namespace todo::store
