#pragma once

#include <chrono>
#include <cstddef>

#include "util/fault_point.h"

namespace todo::live {

struct FeedOptions {
  std::size_t max_watches = 20'000;  // of all users
  /// Threads that read for watches; each uses a database connection while it reads.
  std::size_t threads = 4;

  // What one read of missed changes may answer; a watcher that missed more gets a snapshot.
  int max_missed_changes = 500;
  std::size_t max_missed_bytes = 512 * 1024;
  int page_size = 100;  // tasks in one part of a snapshot; fewer when they are long
  /// The JSON of the tasks in one part of a snapshot, unless it is a single task: one message,
  /// which common clients take up to 1 MiB.
  std::size_t max_part_bytes = 256 * 1024;

  /// Between two comparisons of all cursors with the database.
  std::chrono::milliseconds check_interval{3'000};
  /// From a comparison with a doubtful result to the next one of that user.
  std::chrono::milliseconds second_look{1'000};
  /// Between two FeedHead of one watch; FeedAlive comes after it if nothing else was sent.
  std::chrono::milliseconds head_interval{15'000};
  /// How long an update that does not follow the last one waits for the updates between.
  std::chrono::milliseconds gap_patience{100};
  // Between two attempts of a failing read; doubles from the first to the last.
  std::chrono::milliseconds min_backoff{250};
  std::chrono::milliseconds max_backoff{5'000};

  /// A mistake on purpose, for tests of tests: a watch is registered 300 ms after its missed
  /// changes were asked for, and takes every update for the next one.
  bool registers_late = TODO_PLANTED("live-late-register");
};

}  // namespace todo::live
