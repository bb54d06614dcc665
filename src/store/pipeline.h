#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Inside the room only.

namespace todo::store {

struct Statement;

/// What a prepared statement answered, in the binary form of its columns.
class PipelineRows {
 public:
  explicit PipelineRows(PGresult* result) : result_(result, &PQclear) {}
  int size() const { return PQntuples(result_.get()); }
  bool IsNull(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  /// A text, or the bytes of a value of another type. Empty for null. Lives as long as the rows.
  std::string_view Text(int row, int column) const;
  /// An integer of any size; 0 for null.
  std::int64_t Number(int row, int column) const;
  /// False for null.
  bool Flag(int row, int column) const { return Text(row, column) == std::string_view("\1"); }
  /// What the statement did, for example COMMIT.
  std::string_view command() const { return PQcmdStatus(result_.get()); }

 private:
  std::unique_ptr<PGresult, decltype(&PQclear)> result_;
};

/// Sends several statements over a connection without waiting for the answer of each: one round
/// trip for all that was sent until Finish. After a failed statement the server skips the others
/// until Finish. libpqxx 6.4 cannot do this, so the class uses libpq itself. Thread safety: belongs
/// to one thread at a time. Finish blocks until its deadline at most, also when the server is
/// frozen.
class Pipeline {
 public:
  /// Every table is read through its indexes, because a plan outlives the statistics that it was
  /// made with. The settings of a session.
  static constexpr char kSettings[] =
      "select set_config(name, value, false) from (values ('enable_seqscan', 'off'), "
      "('enable_bitmapscan', 'off'), ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off'), "
      "('plan_cache_mode', 'force_generic_plan')) settings (name, value)";
  /// The same for the rest of a transaction.
  static constexpr char kLocalSettings[] =
      "select set_config(name, value, true) from (values ('enable_seqscan', 'off'), "
      "('enable_bitmapscan', 'off'), ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off'), "
      "('plan_cache_mode', 'force_generic_plan')) settings (name, value)";

  /// `connection` is used by nothing else until Exit, or for ever.
  explicit Pipeline(PGconn* connection);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// Prepares a statement for the session.
  void Prepare(const Statement& statement);
  /// Sends a prepared statement, whose parameters are in the binary form. Statements whose sending
  /// fails fail in Finish.
  void Send(const Statement& statement, std::initializer_list<std::string> parameters);
  /// Sends a statement without parameters.
  void Send(const char* sql);
  /// Waits for the answers of all statements since the last Finish, in their order. kInternal: a
  /// statement failed, the message is its SQLSTATE, and the connection can be used further on.
  /// kUnavailable: the connection is lost; what was sent may have been carried out, or may still
  /// be.
  absl::StatusOr<std::vector<PipelineRows>> Finish(std::chrono::steady_clock::time_point deadline);

  /// Whether the connection can no longer be used. Known after Finish.
  bool lost() const { return lost_; }
  /// Gives the connection back, as it was. Precondition: all that was sent is finished.
  void Exit();

 protected:
  ~Pipeline() = default;

  absl::Status Lost();

 private:
  /// The next result, null at the end of a statement; nullopt: the connection is lost.
  std::optional<PGresult*> Next(std::chrono::steady_clock::time_point deadline);
  void Note(int sent);

  PGconn* const connection_;
  bool lost_ = false;
};

}  // namespace todo::store
