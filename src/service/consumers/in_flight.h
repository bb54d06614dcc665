#pragma once

#include <condition_variable>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "domain/event/event.h"
#include "ports/crash_log.h"
#include "util/guarded.h"

namespace todo::service {

/// The slots of this process in the crash log: one for each thread that applies events.
/// Thread safety: shared by all threads that make an InFlight.
class CrashLogSlots {
 public:
  /// `crashes` must outlive it.
  explicit CrashLogSlots(ports::CrashLog& crashes) : crashes_(crashes) {}

 private:
  friend class InFlight;

  struct State {
    std::vector<bool> used;  // by number
    int used_count = 0;
    int alone_count = 0;  // threads that have the process alone, or wait for it
  };

  /// The number of a free slot, once one may be taken.
  int Take(bool alone);
  void Free(int slot, bool alone);

  ports::CrashLog& crashes_;
  util::Guarded<State> state_;
  std::condition_variable freed_;
};

/// The events that one thread is about to apply. The crash log holds them until they are done or
/// this ends: a crash in between makes them suspects.
/// Thread safety: belongs to one thread.
class InFlight {
 public:
  enum class Company {
    kOthers,  // other threads may apply events meanwhile
    kNobody,  // of all threads, only this one applies events, so that a crash convicts its event
  };

  /// Blocks until a slot may be taken, for kNobody until all others are free.
  InFlight(CrashLogSlots& slots, Company company);
  /// Blocks on the database, unless the events are done.
  ~InFlight();
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

  /// Notes `events` in the crash log, before they are applied by `consumer`. Answers the crashes
  /// that count against the worst suspect among them; 0: there is none. Statuses as
  /// ports::CrashLog::Begin.
  absl::StatusOr<int> Hold(std::string_view consumer,
                           const std::vector<domain::EventHeader>& events);
  /// The inbox has all of the events: there is nothing to take back from the crash log.
  void Done() { holding_ = false; }

 private:
  CrashLogSlots& slots_;
  const bool alone_;
  const int slot_;
  bool holding_ = false;
};

}  // namespace todo::service
