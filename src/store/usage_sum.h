#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ports/usage_store.h"
#include "store/usage_pack.h"

// Inside the room only: the numbers of a user, from their events.

namespace todo::store {

/// Adds events up to the answer of a query about one user. Not thread-safe.
class UsageSum {
 public:
  /// `query` must outlive it.
  explicit UsageSum(const ports::UsageQuery& query);

  /// Counts those that the query asks for. Different events, each in one call.
  void Add(const UsagePack& pack);
  /// Fills buckets, totals, previous and parts; series have no title yet. To be called once.
  void Finish(ports::Usage& usage);

 private:
  struct Sum {
    ports::UsageCounts counts;
    std::vector<std::int64_t> durations;  // microseconds
  };
  /// The bucket that the last search found.
  struct Found {
    std::int64_t from = 0;
    std::int64_t to = 0;  // exclusive
    int bucket = kNowhere;
  };
  static constexpr int kNowhere = -1;
  static constexpr int kPrevious = 0;  // the period before the range; the buckets follow

  int BucketOf(std::int64_t quarter, Found& last) const;
  void AddToParts(const UsagePack& pack, const UsageFact& fact, bool happened, int done);
  std::size_t PartOf(const std::string& key);
  std::size_t PartOfPriority(domain::Priority priority);
  std::size_t PartOfText(const UsagePack& pack, std::uint32_t text);
  std::vector<ports::UsagePart> Parts();

  const ports::UsageQuery& query_;
  std::vector<std::int64_t> borders_;        // quarters; first the begin of the period before
  std::vector<ports::UsageCounts> buckets_;  // kPrevious, and those of the range
  std::array<std::vector<std::int64_t>, 2> durations_;  // of the period before, of the range
  std::map<std::string, std::size_t> part_numbers_;
  std::vector<Sum> parts_;
  // The number of each part and 1; 0: not known yet. The texts are those of the pack that is added.
  std::array<std::size_t, 3> parts_of_priorities_ = {};
  std::vector<std::size_t> parts_of_texts_;
  Found last_at_;
  Found last_created_;
};

}  // namespace todo::store
