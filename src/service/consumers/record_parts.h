#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "domain/event/bus_record.h"

namespace todo::service {

/// The size of records that are processed together. There are several copies of them meanwhile.
inline constexpr std::size_t kPartBytes = 8 * 1'024 * 1'024;

/// How many of the first of `records` are processed together: at least one. `records` is not empty.
inline std::size_t CountOfPart(std::span<const domain::BusRecord> records) {
  std::size_t bytes = 0;
  const auto end = std::ranges::find_if(records, [&bytes](const domain::BusRecord& record) {
    bytes += record.bytes.size();
    return bytes > kPartBytes;
  });
  return static_cast<std::size_t>(std::max<std::ptrdiff_t>(end - records.begin(), 1));
}

}  // namespace todo::service
