// What recurrence rules cost, in CPU time, beside a reference loop that tells machines apart:
//   recurrence_bench [RULES] [SEED]
// Prints one line each for what users do often, for rules made to be slow, accepted and refused,
// and for RULES random ones (default 20,000), of which the slowest are named. Exit code 1:
// something took longer than it may, or a rule was taken for what it is not.

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "domain/recurrence/recurrence.h"

namespace {

using todo::domain::Instant;
using todo::domain::Recurrence;
using todo::domain::TimeZone;

double CpuMicros() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

/// The median of five runs.
template <typename Work>
double Micros(const Work& work) {
  std::vector<double> times;
  for (int i = 0; i < 5; ++i) {
    const double begin = CpuMicros();
    work();
    times.push_back(CpuMicros() - begin);
  }
  std::sort(times.begin(), times.end());
  return times[2];
}

/// Ten million steps that no compiler can leave out or do ahead.
double ReferenceMicros() {
  return Micros([] {
    std::uint64_t state = 88'172'645'463'325'252;
    for (int i = 0; i < 10'000'000; ++i) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
    }
    volatile std::uint64_t sink = state;
    (void)sink;
  });
}

const absl::CivilSecond kEpoch(1970);

struct Question {
  std::string rule;
  absl::CivilSecond anchor{2026, 1, 31, 9, 0, 0};
  std::string zone = "Europe/Berlin";
};

struct Cost {
  bool accepted = false;
  double parse = 0;  // to accept or refuse it
  double next =
      0;  // the dearest of: the next, one far ahead, a hundred, after a completion, warnings
};

Cost CostOf(const Question& question) {
  const TimeZone zone = *TimeZone::Load(question.zone);
  Cost cost;
  cost.parse = Micros([&] {
    cost.accepted = Recurrence::Parse({question.rule, question.anchor, zone}).ok();
  });
  if (!cost.accepted) return cost;
  const Recurrence series = *Recurrence::Parse({question.rule, question.anchor, zone});
  const Instant anchor = zone.ToInstant(question.anchor);
  const Instant far = zone.ToInstant(absl::CivilSecond(2390));
  cost.next = std::max({Micros([&] { (void)series.NextAfter(anchor); }),
                        Micros([&] { (void)series.NextAfter(far); }),
                        Micros([&] { (void)series.Upcoming(anchor, 100); }),
                        Micros([&] { (void)series.Warnings(); }),
                        Micros([&] { (void)series.NextAfterCompletion(far, 1); })});
  return cost;
}

constexpr double kMaxNext = 1'000;       // of a daily rule, far from its anchor
constexpr double kMaxAccepted = 50'000;  // of whatever is done with an accepted rule
constexpr double kMaxRefused = 100'000;
bool all_held = true;

void Print(std::string_view what, double micros, double reference, double limit,
           std::string_view wrong = "") {
  if (wrong.empty() && micros > limit) wrong = "TOO SLOW";
  all_held = all_held && wrong.empty();
  fmt::print("{:<64} {:>10.1f} us {:>8.3f} of the loop {}\n", what, micros, micros / reference,
             wrong);
}

const std::vector<Question> kSlow = {
    {"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", kEpoch},
    {"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;COUNT=10000", kEpoch},
    {"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,"
     "18,19,20,21,22,23;BYSETPOS=-1",
     kEpoch},
    {"FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,"
     "19,20,21,22,23;BYSETPOS=366",
     kEpoch},
    {"FREQ=YEARLY;BYMONTHDAY=29;BYMONTH=2;BYDAY=SU;INTERVAL=4", absl::CivilSecond(1972, 2, 29)},
    {"FREQ=YEARLY;BYYEARDAY=366,-366;BYDAY=FR", kEpoch},
    {"FREQ=DAILY;BYMONTHDAY=29,30,31,-29,-30,-31;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,"
     "17,18,"
     "19,20,21,22,23;BYSETPOS=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24",
     kEpoch},
    {"RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=29,30,31;BYHOUR=0,6,12,18;SKIP=FORWARD;COUNT=10000",
     kEpoch + 30 * 86'400},
    {"FREQ=YEARLY;BYWEEKNO=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,"
     "28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,-1,-2,-3;BYDAY="
     "MO,TU,WE,TH,FR,SA,SU;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23",
     kEpoch},
    {"FREQ=DAILY;BYHOUR=2;BYMINUTE=0,10,20,30,40,50;COUNT=10000", kEpoch, "Africa/Casablanca"},
};

const std::vector<Question> kRefused = {
    {"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", kEpoch},
    {"FREQ=DAILY;BYHOUR=7,15;BYSETPOS=-5", kEpoch},
    {"FREQ=DAILY;INTERVAL=9973;BYMONTH=2;BYMONTHDAY=29", kEpoch},
    {"FREQ=MONTHLY;BYSETPOS=300;BYDAY=MO", kEpoch},
    {"FREQ=MONTHLY;BYSETPOS=32;BYDAY=MO,TU,WE,TH,FR,SA,SU", kEpoch},
    {"FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYMONTH=1,3;BYSETPOS=366", kEpoch},
    {"FREQ=YEARLY;BYYEARDAY=60;BYMONTH=1,4,5,6,7,8,9,10,11,12", kEpoch},
    {"FREQ=YEARLY;BYDAY=53MO,53TU,53WE,53TH,53FR,53SA,53SU;BYMONTHDAY=15", kEpoch},
    {"RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=31;BYDAY=5MO;BYSETPOS=9;SKIP=FORWARD", kEpoch},
    {"FREQ=YEARLY;BYWEEKNO=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,-1,"
     "-2,-3,-4,-5,-6,-7,-8,-9,-10,-11,-12,-13,-14,-15,-16,-17,-18,-19;BYYEARDAY=366,-366;"
     "BYMONTHDAY=15",
     kEpoch},
    {"FREQ=DAILY;UNTIL=19700101", kEpoch},
};

std::string RandomRule(std::mt19937_64& random) {
  const auto pick = [&random](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  const auto list = [&](int low, int high, bool from_end) {
    std::string text;
    for (int i = pick(1, 4); i > 0; --i) {
      const int number = pick(low, high);
      text += fmt::format("{}{}", text.empty() ? "" : ",",
                          from_end && pick(0, 1) == 0 ? -std::max(1, number) : number);
    }
    return text;
  };
  const int frequency = pick(0, 3);
  constexpr std::string_view kFrequencies[] = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"};
  constexpr std::string_view kDays[] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};
  std::string rule = fmt::format("FREQ={}", kFrequencies[frequency]);
  if (pick(0, 2) == 0) rule += fmt::format(";INTERVAL={}", pick(1, pick(0, 1) == 0 ? 4 : 10'000));
  if (pick(0, 3) == 0) rule += fmt::format(";COUNT={}", pick(2, 10'000));
  if (pick(0, 2) == 0) rule += ";BYMONTH=" + list(1, 12, false);
  if (frequency != 1 && pick(0, 1) == 0) rule += ";BYMONTHDAY=" + list(1, 31, true);
  if (frequency == 3 && pick(0, 1) == 0) rule += ";BYYEARDAY=" + list(1, 366, true);
  const bool weeks = frequency == 3 && pick(0, 3) == 0;
  if (weeks) rule += ";BYWEEKNO=" + list(1, 53, true);
  if (pick(0, 1) == 0) {
    rule += ";BYDAY=";
    for (int i = pick(1, 3); i > 0; --i) {
      if (frequency > 1 && !weeks && pick(0, 1) == 0) rule += fmt::format("{}", pick(1, 5));
      rule += fmt::format("{}{}", kDays[pick(0, 6)], i > 1 ? "," : "");
    }
  }
  if (pick(0, 2) == 0) rule += ";BYHOUR=" + list(0, 23, false);
  if (rule.find(";BY") != std::string::npos && pick(0, 2) == 0)
    rule += ";BYSETPOS=" + list(1, pick(0, 1) == 0 ? 4 : 366, true);
  return rule;
}

}  // namespace

int main(int argc, char** argv) {
  const int rules = argc > 1 ? std::atoi(argv[1]) : 20'000;
  const auto seed = static_cast<std::uint64_t>(argc > 2 ? std::atoll(argv[2]) : 1);
  const double reference = ReferenceMicros();
  Print("reference loop, 10,000,000 steps", reference, reference, reference);

  const TimeZone berlin = *TimeZone::Load("Europe/Berlin");
  const absl::CivilSecond anchor(1970, 1, 1, 9, 0, 0);
  const Recurrence daily = *Recurrence::Parse({"FREQ=DAILY", anchor, berlin});
  const Recurrence counted = *Recurrence::Parse({"FREQ=WEEKLY;BYDAY=MO,WE,FR", anchor, berlin});
  const Instant far = berlin.ToInstant(anchor + std::int64_t{40'000} * 24 * 60 * 60);
  Print("accept FREQ=DAILY", Micros([&] {
          (void)Recurrence::Parse({"FREQ=DAILY", anchor, berlin});
        }),
        reference, kMaxAccepted);
  Print("next of FREQ=DAILY 40,000 days after its anchor",
        Micros([&] { (void)daily.NextAfter(far); }), reference, kMaxNext);
  Print("next of FREQ=WEEKLY;BYDAY=MO,WE,FR 40,000 days after",
        Micros([&] { (void)counted.NextAfter(far); }), reference, kMaxNext);
  Print("a hundred of FREQ=DAILY", Micros([&] { (void)daily.Upcoming(far, 100); }), reference,
        kMaxAccepted);

  fmt::print("\nmade to be slow, and accepted\n");
  for (const Question& question : kSlow) {
    const Cost cost = CostOf(question);
    Print(fmt::format("{:.60}", question.rule), std::max(cost.parse, cost.next), reference,
          kMaxAccepted, cost.accepted ? "" : "REFUSED");
  }
  fmt::print("\nrefused\n");
  for (const Question& question : kRefused) {
    const Cost cost = CostOf(question);
    Print(fmt::format("{:.60}", question.rule), cost.parse, reference, kMaxRefused,
          cost.accepted ? "ACCEPTED" : "");
  }

  std::mt19937_64 random(seed);
  std::vector<std::pair<double, std::string>> accepted;
  std::vector<std::pair<double, std::string>> refused;
  for (int i = 0; i < rules; ++i) {
    Question question{RandomRule(random)};
    question.anchor = absl::CivilSecond(1970 + static_cast<int>(random() % 80), 1, 31, 9, 0, 0);
    const Cost cost = CostOf(question);
    (cost.accepted ? accepted : refused)
        .emplace_back(cost.accepted ? std::max(cost.parse, cost.next) : cost.parse,
                      std::move(question.rule));
  }
  for (auto* all : {&accepted, &refused}) {
    fmt::print("\n{} of {} random rules {}, seed {}; the slowest\n", all->size(), rules,
               all == &accepted ? "accepted" : "refused", seed);
    std::sort(all->rbegin(), all->rend());
    for (std::size_t i = 0; i < std::min<std::size_t>(3, all->size()); ++i) {
      Print(fmt::format("{:.60}", (*all)[i].second), (*all)[i].first, reference,
            all == &accepted ? kMaxAccepted : kMaxRefused);
    }
  }
  return all_held ? 0 : 1;
}
