#pragma once

#include <libpq-fe.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace todo::bench {

/// Writes the rows that an event leaves behind which has no effect: one for each consumer, for many
/// events in one statement and one commit. The least that an exactly-once consumer must write.
/// For one thread.
class InboxWriter {
 public:
  /// Makes the table. `consumers`: rows for each event; 0: nothing is written.
  InboxWriter(const std::string& url, int consumers) : consumers_(std::to_string(consumers)) {
    if (consumers == 0) return;
    connection_.reset(PQconnectdb(url.c_str()));
    Check(PQexec(connection_.get(),
                 "create table if not exists inbox (consumer text not null, day date not null, "
                 "event_id uuid not null, state text not null default 'done', "
                 "received_at timestamptz not null default now(), identity bigint, "
                 "primary key (consumer, day, event_id))"),
          PGRES_COMMAND_OK);
    Check(
        PQprepare(connection_.get(), "write",
                  "insert into inbox (consumer, day, event_id, identity) "
                  "select 'consumer-' || c, current_date, e, 1 from generate_series(1, $2::int) c, "
                  "unnest($1::uuid[]) e order by 1, 3 on conflict do nothing",
                  2, nullptr),
        PGRES_COMMAND_OK);
  }

  void Add(std::string_view record) {
    if (!connection_) return;
    ids_ += ids_.empty() ? '{' : ',';
    ids_ += IdOf(record);
  }

  /// Commits what was added.
  void Write() {
    if (ids_.empty()) return;
    ids_ += '}';
    const char* values[] = {ids_.c_str(), consumers_.c_str()};
    Check(PQexecPrepared(connection_.get(), "write", 2, values, nullptr, nullptr, 0),
          PGRES_COMMAND_OK);
    ids_.clear();
  }

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };

  /// The id of a CloudEvent, without parsing the rest.
  static std::string_view IdOf(std::string_view record) {
    constexpr std::size_t kIdBytes = 36;
    const std::size_t key = record.find("\"id\"");
    const std::size_t begin = key == record.npos ? key : record.find('"', key + 4);
    if (begin == record.npos || begin + 1 + kIdBytes > record.size())
      throw std::runtime_error("a record without an id");
    return record.substr(begin + 1, kIdBytes);
  }

  void Check(PGresult* result, ExecStatusType wanted) {
    const ExecStatusType got = PQresultStatus(result);
    PQclear(result);
    if (got != wanted) throw std::runtime_error(PQerrorMessage(connection_.get()));
  }

  const std::string consumers_;
  std::unique_ptr<PGconn, Finish> connection_;
  std::string ids_;
};

}  // namespace todo::bench
