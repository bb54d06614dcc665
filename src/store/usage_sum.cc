#include "store/usage_sum.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace todo::store {
namespace {

using domain::ChangeKind;
using ports::UsageBreakdown;
using ports::UsageCounts;

std::int64_t QuarterOf(domain::Instant instant) {
  return instant.time_since_epoch() / ports::kUsageQuarter;
}

void Count(const UsageFact& fact, UsageCounts& counts) {
  switch (fact.kind) {
    case ChangeKind::kCreated: ++counts.created; break;
    case ChangeKind::kUpdated: ++counts.updated; break;
    case ChangeKind::kCompleted: ++counts.completed; break;
    case ChangeKind::kUncompleted: ++counts.uncompleted; break;
    case ChangeKind::kDeleted: ++counts.deleted; break;
  }
  if (fact.born) ++counts.born;
}

void Add(UsageCounts& sum, const UsageCounts& counts) {
  sum.created += counts.created;
  sum.updated += counts.updated;
  sum.completed += counts.completed;
  sum.uncompleted += counts.uncompleted;
  sum.deleted += counts.deleted;
  sum.born += counts.born;
  sum.done += counts.done;
}

/// What completing a task again and again comes to: 1, -1, or 0 for other events.
int Done(ChangeKind kind) {
  return kind == ChangeKind::kCompleted ? 1 : kind == ChangeKind::kUncompleted ? -1 : 0;
}

ports::UsageTimes TimesOf(std::vector<std::int64_t>& durations) {
  const std::size_t count = durations.size();
  if (count == 0) return {};
  // The smallest value that `percent` of all do not exceed.
  const auto seconds = [&](std::size_t percent) {
    const auto found =
        durations.begin() + static_cast<std::ptrdiff_t>((count * percent + 99) / 100 - 1);
    std::nth_element(durations.begin(), found, durations.end());
    return static_cast<double>(*found) / 1e6;
  };
  const double p50 = seconds(50);
  return {static_cast<std::int64_t>(count), p50, seconds(90)};
}

}  // namespace

UsageSum::UsageSum(const ports::UsageQuery& query) : query_(query), buckets_(query.borders.size()) {
  borders_.push_back(QuarterOf(query.previous_start.value_or(query.borders.front())));
  for (const domain::Instant border : query.borders) borders_.push_back(QuarterOf(border));
}

int UsageSum::BucketOf(std::int64_t quarter, Found& last) const {
  if (quarter >= last.from && quarter < last.to) return last.bucket;
  const auto next = std::ranges::upper_bound(borders_, quarter);
  if (next == borders_.begin()) {
    last = {std::numeric_limits<std::int64_t>::min(), *next, kNowhere};
  } else if (next == borders_.end()) {
    last = {borders_.back(), std::numeric_limits<std::int64_t>::max(), kNowhere};
  } else {
    last = {*std::prev(next), *next, static_cast<int>(next - borders_.begin()) - 1};
  }
  return last.bucket;
}

void UsageSum::Add(const UsagePack& pack) {
  parts_of_texts_.assign(pack.texts.size(), 0);
  for (const UsageFact& fact : pack.facts) {
    const int bucket = BucketOf(fact.quarter, last_at_);
    if (bucket != kNowhere) {
      Count(fact, buckets_[static_cast<std::size_t>(bucket)]);
      if (fact.duration) durations_[bucket == kPrevious ? 0 : 1].push_back(*fact.duration);
    }
    int done = fact.created ? Done(fact.kind) : 0;
    if (done != 0) {
      const int of_task = BucketOf(*fact.created, last_created_);
      if (of_task != kNowhere) buckets_[static_cast<std::size_t>(of_task)].done += done;
      if (of_task <= kPrevious) done = 0;
    }
    if (bucket > kPrevious || done != 0) AddToParts(pack, fact, bucket > kPrevious, done);
  }
}

void UsageSum::AddToParts(const UsagePack& pack, const UsageFact& fact, bool happened, int done) {
  const auto add = [&](std::size_t part) {
    Sum& sum = parts_[part];
    if (happened) Count(fact, sum.counts);
    if (happened && fact.duration) sum.durations.push_back(*fact.duration);
    sum.counts.done += done;
  };
  switch (query_.breakdown) {
    case UsageBreakdown::kNone: break;
    case UsageBreakdown::kPriority:
      if (fact.priority) add(PartOfPriority(*fact.priority));
      break;
    case UsageBreakdown::kTag:
      for (std::size_t i = 0; i < fact.tags; ++i)
        add(PartOfText(pack, pack.tags[fact.first_tag + i]));
      break;
    case UsageBreakdown::kSeries:
      if (fact.series) add(PartOfText(pack, *fact.series));
      break;
  }
}

std::size_t UsageSum::PartOf(const std::string& key) {
  const auto [entry, is_new] = part_numbers_.emplace(key, parts_.size());
  if (is_new) parts_.emplace_back();
  return entry->second;
}

std::size_t UsageSum::PartOfPriority(domain::Priority priority) {
  std::size_t& known = parts_of_priorities_.at(static_cast<std::size_t>(priority));
  if (known == 0) known = PartOf(std::string(domain::ToString(priority))) + 1;
  return known - 1;
}

std::size_t UsageSum::PartOfText(const UsagePack& pack, std::uint32_t text) {
  std::size_t& known = parts_of_texts_[text];
  if (known == 0) known = PartOf(pack.texts[text]) + 1;
  return known - 1;
}

std::vector<ports::UsagePart> UsageSum::Parts() {
  using Entry = std::pair<const std::string, std::size_t>;
  std::vector<const Entry*> order;
  for (const Entry& entry : part_numbers_) {
    if (parts_[entry.second].counts != UsageCounts{}) order.push_back(&entry);
  }
  std::ranges::stable_sort(order, [&](const Entry* a, const Entry* b) {
    const auto rank = [&](const Entry* entry) {
      const UsageCounts& counts = parts_[entry->second].counts;
      return std::pair(-counts.completed, -counts.created);
    };
    return rank(a) < rank(b);
  });
  order.resize(std::min(order.size(), static_cast<std::size_t>(query_.max_parts)));
  std::vector<ports::UsagePart> parts;
  for (const Entry* entry : order) {
    Sum& sum = parts_[entry->second];
    parts.push_back({.key = entry->first,
                     .title = {},
                     .totals = {.counts = sum.counts, .times = TimesOf(sum.durations)}});
  }
  return parts;
}

void UsageSum::Finish(ports::Usage& usage) {
  usage.buckets.assign(buckets_.begin() + 1, buckets_.end());
  usage.totals = {};
  for (const UsageCounts& counts : usage.buckets) store::Add(usage.totals.counts, counts);
  usage.totals.times = TimesOf(durations_[1]);
  if (query_.previous_start)
    usage.previous = ports::UsageTotals{buckets_[kPrevious], TimesOf(durations_[0])};
  usage.parts = Parts();
}

}  // namespace todo::store
