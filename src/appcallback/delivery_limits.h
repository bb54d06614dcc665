#pragma once

#include <cstdint>

// How large a call of the sidecar's can become. One that is larger than the server takes is
// repeated by the sidecar for ever, and nothing else of any topic is delivered meanwhile.

namespace todo::appcallback {

/// Of an entry, besides the record: its id, and topic, partition, offset and time in words.
inline constexpr std::int64_t kEntryOverheadBytes = 4'096;
/// Of a call, besides its entries.
inline constexpr std::int64_t kDeliveryOverheadBytes = 64 * 1'024;

/// What a delivery of `batch` records comes to at most, each of up to `record_limit` bytes with its
/// key and headers. The bytes of the value arrive as they are; those of the key are escaped, three
/// for one.
constexpr std::int64_t MaxDeliveryBytes(std::int64_t record_limit, std::int64_t batch) {
  return kDeliveryOverheadBytes + batch * (3 * record_limit + kEntryOverheadBytes);
}

/// What the metadata of such a call comes to: the sidecar repeats there what it says of a record,
/// the key included, and all headers of all records where its component does not leave them out.
constexpr std::int64_t MaxDeliveryMetadataBytes(std::int64_t record_limit) {
  return 8 * 1'024 * 1'024 + 3 * record_limit;
}

}  // namespace todo::appcallback
