#include "store/session_pipeline.h"

#include <pqxx/except>

#include "util/status.h"

namespace todo::store {
namespace {

/// StatementWatch ends statements that take too long.
constexpr auto kNoDeadline = std::chrono::steady_clock::time_point::max();

class BorrowedPipeline : public Pipeline {
 public:
  using Pipeline::Pipeline;
};

/// As libpqxx would have thrown it.
[[noreturn]] void Throw(const absl::Status& failure) {
  if (absl::IsUnavailable(failure)) throw pqxx::broken_connection();
  const std::string state(util::FromAbsl(failure.message()));
  if (state.starts_with("40")) throw pqxx::transaction_rollback("");
  throw pqxx::sql_error("", "", state.c_str());
}

void PrepareAll(Session& session, Pipeline& pipeline, std::span<const Statement> statements) {
  bool any = false;
  for (const Statement& statement : statements) {
    if (session.pipelined.contains(statement.name)) continue;
    pipeline.Prepare(statement);
    any = true;
  }
  if (!any) return;
  // Nobody knows which of them are prepared, so the session cannot be used again.
  if (!pipeline.Finish(kNoDeadline).ok()) throw pqxx::broken_connection();
  for (const Statement& statement : statements) session.pipelined.insert(statement.name);
}

}  // namespace

std::vector<PipelineRows> SendTogether(Session& session, std::span<const Statement> statements,
                                       const std::function<void(Pipeline&)>& send) {
  session.StartWaiting();
  BorrowedPipeline pipeline(session.connection.raw());
  PrepareAll(session, pipeline, statements);
  send(pipeline);
  absl::StatusOr<std::vector<PipelineRows>> answers = pipeline.Finish(kNoDeadline);
  pipeline.Exit();
  if (pipeline.lost()) throw pqxx::broken_connection();
  if (!answers.ok()) Throw(answers.status());
  return *std::move(answers);
}

PipelineRows SendAlone(Session& session, const Statement& statement,
                       std::initializer_list<std::string> parameters) {
  std::vector<PipelineRows> answers =
      SendTogether(session, std::span(&statement, 1),
                   [&](Pipeline& pipeline) { pipeline.Send(statement, parameters); });
  return std::move(answers.at(0));
}

}  // namespace todo::store
