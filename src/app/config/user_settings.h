#pragma once

#include <chrono>

namespace todo::app {

/// The settings of what one user may ask for. The table of settings (config/table.cc) says what
/// each one means.
struct UserSettings {
  int user_calls_per_second = 50;
  int user_call_burst = 200;
  int user_calls_at_a_time = 32;
  int user_streams = 16;
  int user_streams_per_second = 5;
  int user_stream_burst = 20;
  int user_open_tasks = 100'000;
  std::chrono::milliseconds search_timeout{2'000};
};

}  // namespace todo::app
