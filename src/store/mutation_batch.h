#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/ids.h"
#include "domain/task/task.h"
#include "ports/task_store.h"
#include "store/change_rows.h"
#include "store/pipeline_connection.h"

// Inside the room only.

namespace todo::store {

struct Statement;

/// A mutation of a batch, and what became of it.
struct BatchItem {
  enum class Verdict {
    kAlone,     // the batch did nothing for it: its own statement has to
    kInDoubt,   // the same, but the batch may have been carried out: its request id tells
    kAnswered,  // `result` is the answer
  };
  const ports::Mutation* mutation = nullptr;
  Verdict verdict = Verdict::kAlone;
  absl::StatusOr<ports::MutationResult> result = absl::UnknownError("");
};

/// Whether a batch can carry out `mutation`. The others are rare: what changes or carries the
/// values of later occurrences, and what restores a task.
bool FitsBatch(const ports::Mutation& mutation);

/// Mutations of different calls in one transaction, in two round trips: the first locks the users
/// and reads their tasks; then the outcome of each mutation is decided here, as apply_change
/// (db/functions) decides it; the second writes everything and commits. A user whose row is locked
/// is passed over, so a batch that holds locks waits for nobody. One call; used once.
class MutationBatch {
 public:
  /// All that it sends, to be prepared by its connection.
  static std::span<const Statement> Statements();

  /// `items`, which must outlive the batch, are in the order of arrival. No two of them have the
  /// same task or the same request id, so that triggers see each change.
  MutationBatch(std::span<BatchItem* const> items, std::optional<std::int64_t> open_task_limit,
                std::chrono::steady_clock::time_point deadline)
      : items_(items), open_task_limit_(open_task_limit), deadline_(deadline) {}

  /// Sets the verdict of each item. Answers the shards that have something new; also where the
  /// outcome is in doubt. Blocks until the deadline of the batch at most.
  /// `on_read` is called before the second round trip, if there is one.
  std::set<int> Run(PipelineConnection& connection, const std::function<void()>& on_read);

 private:
  /// A row of requests. `seq` or `answer`.
  struct Request {
    const ports::Mutation* mutation = nullptr;
    std::optional<std::int64_t> seq;
    std::optional<std::string> answer;
  };

  absl::Status Read(PipelineConnection& connection);
  void Decide(BatchItem& item);
  /// The change of a task of `user`, after all checks but that of the limit.
  void Change(BatchItem& item, UserRow& user, bool was_open, domain::Task after);
  absl::Status Write(PipelineConnection& connection);
  void SendRequests(PipelineConnection& connection) const;
  void SetVerdicts(BatchItem::Verdict verdict);

  const std::span<BatchItem* const> items_;
  const std::optional<std::int64_t> open_task_limit_;
  const std::chrono::steady_clock::time_point deadline_;

  UserRows users_;  // those that are locked
  std::set<std::pair<std::string, std::string>> known_requests_;
  std::map<std::pair<std::string, std::int64_t>, absl::StatusOr<domain::Task>> tasks_;
  std::vector<std::int64_t> free_ids_;
  std::set<std::pair<std::string, domain::Uuid>> changed_series_;  // by user
  ChangeRows changes_;
  std::vector<Request> requests_;
};

}  // namespace todo::store
