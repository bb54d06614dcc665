#include "app/process_stats.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

namespace todo::app {
namespace {

std::string ContentOf(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::int64_t CountDescriptors() {
  std::error_code error;
  std::filesystem::directory_iterator entry("/proc/self/fd", error);
  if (error) return 0;
  std::int64_t count = -1;  // one of them is that of this look
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) ++count;
  return count;
}

/// When the machine was started, in seconds since 1970.
double BootTime() {
  std::istringstream lines(ContentOf("/proc/stat"));
  for (std::string line; std::getline(lines, line);) {
    constexpr char kName[] = "btime ";
    if (line.starts_with(kName)) return std::stod(line.substr(sizeof kName - 1));
  }
  return 0;
}

/// The fields of /proc/self/stat behind the name of the program, which may contain anything. The
/// first is the state, field 3 of proc(5).
void ReadStat(ProcessStats& stats) {
  const std::string stat = ContentOf("/proc/self/stat");
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return;
  std::istringstream fields(stat.substr(name_end + 1));
  std::string field;
  double user_ticks = 0;
  double system_ticks = 0;
  double start_ticks = 0;
  std::int64_t resident_pages = 0;
  constexpr int kState = 3;
  constexpr int kResident = 24;
  for (int number = kState; number <= kResident && fields >> field; ++number) {
    switch (number) {
      case 14: user_ticks = std::stod(field); break;
      case 15: system_ticks = std::stod(field); break;
      case 20: stats.threads = std::stoll(field); break;
      case 22: start_ticks = std::stod(field); break;
      case 23: stats.virtual_bytes = std::stoll(field); break;
      case kResident: resident_pages = std::stoll(field); break;
      default: break;
    }
  }
  const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  static const double boot_time = BootTime();
  stats.cpu_seconds = (user_ticks + system_ticks) / ticks_per_second;
  stats.resident_bytes = resident_pages * sysconf(_SC_PAGESIZE);
  stats.started_at = boot_time + start_ticks / ticks_per_second;
}

}  // namespace

ProcessStats ReadProcessStats() {
  ProcessStats stats;
  ReadStat(stats);
  stats.open_descriptors = CountDescriptors();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
    stats.max_descriptors = static_cast<std::int64_t>(limit.rlim_cur);
  return stats;
}

}  // namespace todo::app
