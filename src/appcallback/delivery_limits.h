#pragma once

#include <cstdint>

// The largest size of a call from the sidecar. The sidecar repeats a call that is larger than the
// server accepts for ever, and delivers nothing else of any topic meanwhile.

namespace todo::appcallback {

/// The size of an entry besides its record: the id, and the topic, partition, offset and time as
/// text.
inline constexpr std::int64_t kEntryOverheadBytes = 4'096;
/// The size of a call besides its entries.
inline constexpr std::int64_t kDeliveryOverheadBytes = 64 * 1'024;

/// The largest size of a call with `batch` records, each of up to `record_limit` bytes including
/// key and headers. The value arrives as it is; a byte of the key becomes up to three (escaping).
constexpr std::int64_t MaxDeliveryBytes(std::int64_t record_limit, std::int64_t batch) {
  return kDeliveryOverheadBytes + batch * (3 * record_limit + kEntryOverheadBytes);
}

/// How many records of up to `record_limit` bytes fit into a call of `max_bytes`; 0: none.
constexpr std::int64_t MaxDeliveryBatch(std::int64_t record_limit, std::int64_t max_bytes) {
  return (max_bytes - kDeliveryOverheadBytes) / (3 * record_limit + kEntryOverheadBytes);
}

/// The largest size of the metadata of such a call. The sidecar repeats the metadata of a record
/// there, including its key, and the headers of all records unless its component omits them.
constexpr std::int64_t MaxDeliveryMetadataBytes(std::int64_t record_limit) {
  return 8 * 1'024 * 1'024 + 3 * record_limit;
}

}  // namespace todo::appcallback
