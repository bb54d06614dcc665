#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/time.h"
#include "util/histogram.h"

namespace todo::service {

/// What became of an event for one consumer.
enum class EventResult {
  kApplied,   // had its effect
  kRepeated,  // had it before, or waits for its turn in the retry queue: another copy came
  kFailed,    // an attempt failed, and another one follows
  kWaiting,   // put into the retry queue, because a service that the consumer needs is away
  kDead,      // became a dead letter
};

/// Counts of events by consumer and result, and how long after the change they had their effect.
/// Thread safety: may be used from many threads at once; nothing blocks.
class EventFigures {
 public:
  struct Consumer {
    std::map<std::string, std::uint64_t> results;  // every result, by name
    util::HistogramValues lag;                     // of applied events, since their own time
  };

  /// All names that the other functions will be called with.
  explicit EventFigures(const std::vector<std::string>& consumers);

  void Note(std::string_view consumer, EventResult result, std::size_t count = 1);
  /// Of `batch_size` events those of the times `applied` had their effect, now.
  void NoteApplied(std::string_view consumer, const std::vector<domain::Instant>& applied,
                   std::size_t batch_size, domain::Instant now);

  std::map<std::string, Consumer> Read() const;

 private:
  struct Counts {
    std::array<std::atomic<std::uint64_t>, 5> results{};
    util::Histogram lag;
    Counts();
  };

  std::map<std::string, std::unique_ptr<Counts>, std::less<>> consumers_;  // never changes
};

}  // namespace todo::service
