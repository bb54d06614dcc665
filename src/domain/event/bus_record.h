#pragma once

#include <cstdint>
#include <string>

namespace todo::domain {

/// One record of a topic, byte for byte as the bus holds it.
struct BusRecord {
  std::string topic;
  int partition = -1;        // -1: the bus has no partitions
  std::int64_t offset = -1;  // -1: the bus has no offsets
  std::string key;
  std::string content_type;
  std::string bytes;
};

}  // namespace todo::domain
