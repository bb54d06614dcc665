#include "store/pg_usage_store.h"

#include <fmt/format.h>

#include <array>
#include <bitset>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "domain/time.h"
#include "store/row_values.h"
#include "store/session.h"
#include "store/usage_pack.h"
#include "store/usage_sum.h"
#include "util/require.h"
#include "util/status.h"

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

// Of one snapshot, because it is one statement.
constexpr Statement kReadUser{"usage_read_user", R"sql(
select null::text, null::bytea, read_usage_of($1, $2::timestamptz, $3::date)::text
union all
select fact, pack, null from read_usage_events($1, $4::timestamptz, $5::timestamptz))sql"};

constexpr Statement kReadTitles{"usage_read_titles", R"sql(
select (select t.title from tasks t where t.user_id = $1 and t.series_id = s.id::uuid order by t.occurrence desc limit 1)
from unnest($2::text[]) with ordinality s (id, number) order by s.number)sql"};

constexpr Statement kReadAll{"usage_read_all", R"sql(
select read_all_usage($1::timestamptz[], $2, $3, $4::timestamptz, $5::date, $6::timestamptz[])::text)sql"};

constexpr Statement kStart{"usage_start_rebuild", "select start_usage_rebuild($1::timestamptz)"};

constexpr Statement kReadRebuild{"usage_read_rebuild", R"sql(
select next_totals is not null, micros(started_at), micros(finished_at), counted, last_added from usage_state)sql"};

constexpr Statement kContinue{"usage_continue_rebuild",
                              "select continue_usage_rebuild($1, $2::timestamptz)"};

constexpr Statement kTake{"usage_take_events", R"sql(
select account, day, created_from, facts from take_usage_events($1, $2::timestamptz))sql"};

constexpr Statement kStorePack{"usage_store_pack", R"sql(
insert into usage_packs (account, day, created_from, data) values ($1, $2::date, $3::timestamptz, $4::bytea))sql"};

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

/// The quarters of rows of a day and its bits, in ascending order.
std::vector<Instant> QuartersIn(const json& days) {
  constexpr std::size_t kQuarters = 96;
  // A user has two rows for a day: own tasks, and tasks of other programs.
  std::map<std::int64_t, std::bitset<kQuarters>> bits;
  for (const json& row : days)
    bits[row[0].get<std::int64_t>()] |=
        std::bitset<kQuarters>(row[1].get_ref<const std::string&>());
  std::vector<Instant> quarters;
  for (const auto& [day, of_day] : bits) {
    Instant quarter{std::chrono::microseconds(day)};
    // The text has the first quarter first, and so as the highest bit.
    for (std::size_t i = kQuarters; i-- > 0; quarter += ports::kUsageQuarter) {
      if (of_day[i]) quarters.push_back(quarter);
    }
  }
  return quarters;
}

/// Megabytes come this way, and the library's own decoding takes several times as long.
std::string BytesIn(const pqxx::field& bytea) {
  const std::string_view text = View(bytea);
  return text.starts_with("\\x") ? absl::HexStringToBytes(std::string(text.substr(2)))
                                 : pqxx::binarystring(bytea).str();
}

/// What is found beside the counts.
void DecodeState(const json& found, Usage& usage) {
  usage.open = Number(found, "open");
  usage.overdue = Number(found, "overdue");
  usage.completed_quarters = QuartersIn(Rows(found, "days"));
  usage.as_of_seq = Number(found, "as_of_seq");
  usage.uncounted_events = Number(found, "uncounted");
  for (const json& users : Rows(found, "active"))
    usage.active_users.push_back(users.get<std::int64_t>());
}

Usage DecodeAll(const UsageQuery& query, const json& found) {
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
  usage.totals.times = times[true];
  if (usage.previous) usage.previous->times = times[false];

  auto part_times = TimesByKey(Rows(found, "part_bins"));
  for (const json& row : Rows(found, "parts")) {
    ports::UsagePart& part = usage.parts.emplace_back();
    part.key = row[0].get<std::string>();
    part.totals.counts = CountsIn(row, 1);
    part.totals.times = part_times[row[0]];
  }
  DecodeState(found, usage);
  return usage;
}

/// Rows of kReadUser.
absl::StatusOr<Usage> DecodeUser(const UsageQuery& query, const pqxx::result& rows) {
  Usage usage;
  UsageSum sum(query);
  std::string facts;
  for (const pqxx::row& row : rows) {
    if (!row[1].is_null()) {
      TODO_ASSIGN_OR_RETURN(const UsagePack pack, DecodeUsagePack(BytesIn(row[1])));
      sum.Add(pack);
    } else if (!row[0].is_null()) {
      facts += facts.empty() ? '[' : ',';
      facts += View(row[0]);
    } else {
      DecodeState(json::parse(View(row[2])), usage);
    }
  }
  if (!facts.empty()) {
    TODO_ASSIGN_OR_RETURN(const UsagePack pack, ParseUsageFacts(facts + ']'));
    sum.Add(pack);
  }
  sum.Finish(usage);
  return usage;
}

void AddTitles(pqxx::transaction_base& transaction, const domain::UserId& user,
               std::vector<ports::UsagePart>& parts) {
  const std::string ids = ArrayLiteralOf(parts, [](const auto& part) { return part.key; });
  const pqxx::result titles = Exec(transaction, kReadTitles, user.value, ids);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const pqxx::field title = titles[static_cast<pqxx::result::size_type>(i)][0];
    if (!title.is_null()) parts[i].title = View(title);
  }
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

absl::StatusOr<Usage> ReadUser(pqxx::transaction_base& transaction, const UsageQuery& query) {
  const Instant from = query.previous_start.value_or(query.borders.front());
  TODO_ASSIGN_OR_RETURN(
      Usage usage,
      DecodeUser(query, Exec(transaction, kReadUser, query.user->value, FormatInstant(query.now),
                             FormatDay(query.today), FormatInstant(from),
                             FormatInstant(query.borders.back()))));
  if (query.breakdown == ports::UsageBreakdown::kSeries && !usage.parts.empty())
    AddTitles(transaction, *query.user, usage.parts);
  return usage;
}

absl::StatusOr<Usage> ReadAll(pqxx::transaction_base& transaction, const UsageQuery& query) {
  std::vector<Instant> borders = {query.previous_start.value_or(query.borders.front())};
  borders.insert(borders.end(), query.borders.begin(), query.borders.end());
  const pqxx::result result =
      Exec(transaction, kReadAll, ArrayLiteralOf(borders, FormatInstant),
           static_cast<int>(query.breakdown), query.max_parts, FormatInstant(query.now),
           FormatDay(query.today), ArrayLiteralOf(query.active_since, FormatInstant));
  return DecodeAll(query, json::parse(View(result[0][0])));
}

}  // namespace

absl::StatusOr<Usage> PgUsageStore::Read(const UsageQuery& query) {
  TODO_REQUIRE(query.borders.size() >= 2);
  TODO_REQUIRE(query.user || query.breakdown != ports::UsageBreakdown::kSeries);
  return ReadWhileWanted(pool_, query.cancellation, options_.read_timeout, "read usage",
                         [&](pqxx::transaction_base& transaction) {
                           return query.user ? ReadUser(transaction, query)
                                             : ReadAll(transaction, query);
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

absl::StatusOr<bool> PgUsageStore::Pack(Instant now) {
  return Transact(pool_, "pack usage", [&](pqxx::work& transaction) -> absl::StatusOr<bool> {
    const pqxx::result taken = Exec(transaction, kTake, options_.pack_events, FormatInstant(now));
    for (const pqxx::row& row : taken) {
      TODO_ASSIGN_OR_RETURN(const UsagePack pack, ParseUsageFacts(View(row[3])));
      const std::optional<std::string> created_from =
          row[2].is_null() ? std::nullopt : std::optional(row[2].as<std::string>());
      Exec(transaction, kStorePack, row[0].as<std::int64_t>(), row[1].as<std::string>(),
           created_from, ByteaLiteral(EncodeUsagePack(pack)));
    }
    return !taken.empty();
  });
}

}  // namespace todo::store
