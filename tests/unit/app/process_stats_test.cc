#include "app/process_stats.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <vector>

namespace todo::app {
namespace {

TEST(ProcessStatsTest, CountsOpenDescriptors) {
  const std::int64_t before = ReadProcessStats().open_descriptors;
  EXPECT_GE(before, 3);
  const int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(ReadProcessStats().open_descriptors, before + 1);
  close(descriptor);
  EXPECT_EQ(ReadProcessStats().open_descriptors, before);
  EXPECT_GE(ReadProcessStats().max_descriptors, before);
}

TEST(ProcessStatsTest, TellsMemoryTimeAndThreads) {
  const ProcessStats before = ReadProcessStats();
  EXPECT_GE(before.threads, 1);
  EXPECT_GT(before.resident_bytes, 1'000'000);
  EXPECT_GT(before.virtual_bytes, before.resident_bytes);

  constexpr std::size_t kBytes = 64UL * 1024 * 1024;
  const std::vector<char> memory(kBytes, 'x');
  EXPECT_GE(ReadProcessStats().resident_bytes, before.resident_bytes + 32L * 1024 * 1024);

  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (ReadProcessStats().cpu_seconds <= before.cpu_seconds &&
         std::chrono::steady_clock::now() < deadline) {
  }
  EXPECT_GT(ReadProcessStats().cpu_seconds, before.cpu_seconds);
  EXPECT_LT(ReadProcessStats().cpu_seconds, 3'600);
}

TEST(ProcessStatsTest, TellsTheTimeOfTheStart) {
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_LE(ReadProcessStats().started_at, now + 2);  // the kernel counts whole seconds
  EXPECT_GE(ReadProcessStats().started_at, now - 3'600);
  EXPECT_EQ(ReadProcessStats().started_at, ReadProcessStats().started_at);
}

}  // namespace
}  // namespace todo::app
