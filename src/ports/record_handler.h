#pragma once

#include <vector>

#include "absl/status/status.h"
#include "domain/event/bus_record.h"

namespace todo::ports {

/// Takes the records of the topics that it is subscribed to.
/// Thread safety: Process may be called from many threads at once; it may block.
class RecordHandler {
 public:
  virtual ~RecordHandler() = default;

  /// One status for each of `records`, in order; all records are of one topic. OK: the record is
  /// dealt with and will not be delivered again. Any other status: it will be delivered again.
  [[nodiscard]] virtual std::vector<absl::Status> Process(
      const std::vector<domain::BusRecord>& records) = 0;
};

}  // namespace todo::ports
