#pragma once

#include <string>

namespace todo::app {

/// The settings of live screens. The table of settings (config/table.cc) says what each one means.
struct LiveSettings {
  int live_max_screens = 0;      // default: three quarters of web_max_connections
  std::string ticket_key_entry;  // empty: a random key of this process
};

}  // namespace todo::app
