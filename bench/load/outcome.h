#pragma once

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace todo::bench {

/// What a caller has seen.
struct Outcome {
  std::vector<std::uint32_t>
      micros;  // from the intended start to the answer, of each answered call
  std::int64_t failures = 0;
  std::string first_failure;
  std::int64_t warm_up_count = 0;  // calls before the measured ones

  void Answered(std::chrono::steady_clock::time_point due) {
    micros.push_back(
        static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                       std::chrono::steady_clock::now() - due)
                                       .count()));
  }
  void Failed(std::string why) {
    if (failures++ == 0) first_failure = std::move(why);
  }
  /// All calls so far were only to warm up.
  void Restart() {
    warm_up_count += static_cast<std::int64_t>(micros.size());
    micros.clear();
  }
  void Add(Outcome&& other) {
    warm_up_count += other.warm_up_count;
    micros.insert(micros.end(), other.micros.begin(), other.micros.end());
    if (failures == 0) first_failure = std::move(other.first_failure);
    failures += other.failures;
  }
};

inline double OwnCpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Tells the harness that the warm-up is over.
inline void PrintBegin() {
  fmt::print("begin\n");
  std::fflush(stdout);
}

/// Prints the line of JSON that the harness reads. `cpu_seconds`: of this program.
inline void Print(Outcome outcome, double seconds, double cpu_seconds) {
  std::ranges::sort(outcome.micros);
  const auto at = [&](double part) {
    if (outcome.micros.empty()) return 0.0;
    const auto last = static_cast<double>(outcome.micros.size() - 1);
    return outcome.micros[static_cast<std::size_t>(part * last)] / 1e3;
  };
  const auto count = static_cast<std::int64_t>(outcome.micros.size());
  if (outcome.failures > 0) fmt::print(stderr, "first failure: {}\n", outcome.first_failure);
  fmt::print(
      R"({{"count": {}, "seconds": {}, "all_count": {}, "failures": {}, "cpu_seconds": {}, "p50_ms": {}, "p90_ms": {}, "p99_ms": {}, "p999_ms": {}, "max_ms": {}}})"
      "\n",
      count, seconds, count + outcome.warm_up_count, outcome.failures, cpu_seconds, at(0.5),
      at(0.9), at(0.99), at(0.999), at(1.0));
}

}  // namespace todo::bench
