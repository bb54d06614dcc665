#include "store/pg_usage_store.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "domain/time.h"
#include "store/row_values.h"
#include "store/session.h"
#include "util/require.h"

namespace todo::store {
namespace {

using domain::FormatInstant;
using domain::Instant;
using nlohmann::json;
using ports::Usage;
using ports::UsageCounts;
using ports::UsageQuery;
using ports::UsageRebuild;
using ports::UsageTimes;

constexpr Statement kRead{
    "usage_read",
    "select read_usage($1, $2::timestamptz[], $3, $4, $5::timestamptz, $6::date)::text"};

constexpr Statement kReadAll{"usage_read_all", R"sql(
select read_all_usage($1::timestamptz[], $2, $3, $4::timestamptz, $5::date, $6::timestamptz[])::text)sql"};

constexpr Statement kStart{"usage_start_rebuild", "select start_usage_rebuild($1::timestamptz)"};

constexpr Statement kReadRebuild{"usage_read_rebuild", R"sql(
select next_totals is not null, micros(started_at), micros(finished_at), counted, last_added from usage_state)sql"};

constexpr Statement kContinue{"usage_continue_rebuild",
                              "select continue_usage_rebuild($1, $2::timestamptz)"};

/// The middle of a bin (see the database function usage_bin).
double SecondsOf(int bin) { return 0.001 * std::pow(1.1, bin + 0.5); }

/// The numbers of `row` from the element `first` on.
UsageCounts CountsIn(const json& row, std::size_t first) {
  const auto number = [&](std::size_t i) { return row[first + i].get<std::int64_t>(); };
  return {.created = number(0),
          .updated = number(1),
          .completed = number(2),
          .uncompleted = number(3),
          .deleted = number(4),
          .born = number(5),
          .done = number(6)};
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

/// The elements of `object[key]`; none: it is null or missing.
const json& Rows(const json& object, const char* key) {
  static const json none = json::array();
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? none : *found;
}

std::int64_t Number(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? 0 : found->get<std::int64_t>();
}

/// Count, p50 and p90 from the element `first` of `row` on. Of no completions the two are null.
UsageTimes TimesIn(const json& row, std::size_t first) {
  const auto seconds = [&](std::size_t i) {
    return row[first + i].is_null() ? 0 : row[first + i].get<double>();
  };
  return {row[first].get<std::int64_t>(), seconds(1), seconds(2)};
}

/// Times by key, from rows of key, bin and count.
std::map<json, UsageTimes> TimesByKey(const json& bins) {
  std::map<json, UsageTimes> times;
  std::map<json, std::map<int, std::int64_t>> histograms;
  for (const json& row : bins) histograms[row[0]][row[1].get<int>()] += row[2].get<std::int64_t>();
  for (const auto& [key, histogram] : histograms) {
    UsageTimes& of_key = times[key];
    for (const auto& [bin, count] : histogram) of_key.count += count;
    std::int64_t passed = 0;
    for (const auto& [bin, count] : histogram) {
      const auto before = static_cast<double>(passed);
      passed += count;
      const auto reaches = [&, after = static_cast<double>(passed)](double share) {
        const double rank = share * static_cast<double>(of_key.count);
        return before < rank && after >= rank;
      };
      if (reaches(0.5)) of_key.p50 = SecondsOf(bin);
      if (reaches(0.9)) of_key.p90 = SecondsOf(bin);
    }
  }
  return times;
}

/// The quarters of rows of a day and its bits.
std::vector<Instant> QuartersIn(const json& days) {
  std::vector<Instant> quarters;
  for (const json& row : days) {
    Instant quarter{std::chrono::microseconds(row[0].get<std::int64_t>())};
    for (const char bit : row[1].get_ref<const std::string&>()) {
      // A user has two rows for a day: own tasks, and tasks of other programs.
      if (bit == '1') quarters.push_back(quarter);
      quarter += ports::kUsageQuarter;
    }
  }
  std::sort(quarters.begin(), quarters.end());
  quarters.erase(std::unique(quarters.begin(), quarters.end()), quarters.end());
  return quarters;
}

Usage Decode(const UsageQuery& query, const json& found) {
  Usage usage;
  usage.buckets.resize(query.borders.size() - 1);
  if (query.previous_start) usage.previous.emplace();
  for (const json& row : Rows(found, "counts")) {
    const auto number = row[0].get<std::size_t>();
    const UsageCounts counts = CountsIn(row, 1);
    if (number == 1) {
      if (usage.previous) usage.previous->counts = counts;
    } else {
      usage.buckets.at(number - 2) = counts;
      Add(usage.totals.counts, counts);
    }
  }
  auto times = TimesByKey(Rows(found, "bins"));
  for (const json& row : Rows(found, "times")) times[row[0]] = TimesIn(row, 1);
  usage.totals.times = times[true];
  if (usage.previous) usage.previous->times = times[false];

  auto part_times = TimesByKey(Rows(found, "part_bins"));
  for (const json& row : Rows(found, "parts")) {
    ports::UsagePart& part = usage.parts.emplace_back();
    part.key = row[0].get<std::string>();
    if (row[1].is_string()) part.title = row[1].get<std::string>();
    part.totals.counts = CountsIn(row, 2);
    part.totals.times = query.user ? TimesIn(row, 9) : part_times[row[0]];
  }
  usage.open = Number(found, "open");
  usage.overdue = Number(found, "overdue");
  usage.completed_quarters = QuartersIn(Rows(found, "days"));
  usage.as_of_seq = Number(found, "as_of_seq");
  usage.uncounted_events = Number(found, "uncounted");
  for (const json& users : Rows(found, "active"))
    usage.active_users.push_back(users.get<std::int64_t>());
  return usage;
}

UsageRebuild Decode(const pqxx::row& row) {
  return {.running = row[0].as<bool>(),
          .started_at = MaybeInstant(row[1]),
          .finished_at = MaybeInstant(row[2]),
          .counted_changes = row[3].as<std::int64_t>(),
          .added_events = row[4].as<std::int64_t>()};
}

std::string FormatDay(absl::CivilDay day) {
  return fmt::format("{:04}-{:02}-{:02}", day.year(), day.month(), day.day());
}

}  // namespace

absl::StatusOr<Usage> PgUsageStore::Read(const UsageQuery& query) {
  TODO_REQUIRE(query.borders.size() >= 2);
  TODO_REQUIRE(query.user || query.breakdown != ports::UsageBreakdown::kSeries);
  std::vector<Instant> borders = {query.previous_start.value_or(query.borders.front())};
  borders.insert(borders.end(), query.borders.begin(), query.borders.end());
  const int dimension = static_cast<int>(query.breakdown);
  return ReadWhileWanted(
      pool_, query.cancellation, options_.read_timeout, "read usage",
      [&](pqxx::transaction_base& transaction) -> absl::StatusOr<Usage> {
        const std::string border_array = ArrayLiteralOf(borders, FormatInstant);
        const pqxx::result result =
            query.user ? Exec(transaction, kRead, query.user->value, border_array, dimension,
                              query.max_parts, FormatInstant(query.now), FormatDay(query.today))
                       : Exec(transaction, kReadAll, border_array, dimension, query.max_parts,
                              FormatInstant(query.now), FormatDay(query.today),
                              ArrayLiteralOf(query.active_since, FormatInstant));
        return Decode(query, json::parse(View(result[0][0])));
      });
}

absl::StatusOr<UsageRebuild> PgUsageStore::StartRebuild(Instant now) {
  return Once(pool_, "start the rebuild of usage",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<UsageRebuild> {
                Exec(transaction, kStart, FormatInstant(now));
                return Decode(Exec(transaction, kReadRebuild)[0]);
              });
}

absl::StatusOr<UsageRebuild> PgUsageStore::ReadRebuild() {
  return store::Read(pool_, "read the rebuild of usage",
                     [&](pqxx::transaction_base& transaction) -> absl::StatusOr<UsageRebuild> {
                       return Decode(Exec(transaction, kReadRebuild)[0]);
                     });
}

absl::StatusOr<bool> PgUsageStore::ContinueRebuild(Instant now) {
  return Once(pool_, "continue the rebuild of usage",
              [&](pqxx::transaction_base& transaction) -> absl::StatusOr<bool> {
                return Exec(transaction, kContinue, options_.step_changes, FormatInstant(now))[0][0]
                    .as<bool>();
              });
}

}  // namespace todo::store
