#include "store/statement_watch.h"

#include <sys/socket.h>

#include <algorithm>

#include "store/session.h"
#include "util/log.h"
#include "util/sleep.h"

namespace todo::store {

using std::chrono::milliseconds;

StatementWatch::StatementWatch(milliseconds limit) : limit_(limit) {
  if (limit > milliseconds(0)) {
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }
}

StatementWatch::~StatementWatch() = default;

void StatementWatch::Add(const Session& session) {
  const std::lock_guard<std::mutex> lock(mutex_);
  sessions_.insert(&session);
}

void StatementWatch::Remove(const Session& session) {
  const std::lock_guard<std::mutex> lock(mutex_);
  sessions_.erase(&session);
}

void StatementWatch::Run(const std::stop_token& stop) {
  const milliseconds interval = std::clamp(limit_ / 8, milliseconds(10), milliseconds(500));
  while (util::SleepFor(stop, interval)) {
    int ended_count = 0;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      for (const Session* session : sessions_) {
        if (session->waiting_time() < limit_) continue;
        shutdown(session->socket(), SHUT_RDWR);
        ++ended_count;
      }
    }
    if (ended_count == 0) continue;
    util::Log(util::Severity::kWarning, "database_does_not_answer",
              {{"connections_ended", ended_count}});
  }
}

}  // namespace todo::store
