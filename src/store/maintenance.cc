#include "store/maintenance.h"

#include "store/session.h"
#include "util/status.h"

namespace todo::store {
namespace {

// Making a partition locks the whole inbox: rather not at all today than in everybody's way.
constexpr char kLockTimeout[] = "set local lock_timeout = 500";
constexpr Statement kMaintainInbox{"maintain_inbox", "call maintain_inbox($1::date, $2::int)"};

constexpr Statement kForgetRequests{"forget_requests", R"sql(
delete from requests r
using (select user_id, request_id from requests where at < $1 limit 1000) o
where r.user_id = o.user_id and r.request_id = o.request_id)sql"};
constexpr pqxx::result::size_type kPortion = 1000;
constexpr int kPortionsPerCall = 2000;

}  // namespace

absl::Status MaintainInbox(ConnectionPool& pool, domain::Instant now,
                           const MaintenanceOptions& options) {
  TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool.Acquire());
  return Run(lease, "maintain the inbox", [&](pqxx::connection& connection) {
    {
      pqxx::work transaction(connection);
      transaction.exec(kLockTimeout);
      Exec(transaction, kMaintainInbox, domain::FormatInstant(now).substr(0, 10),
           options.keep_inbox_days);
      transaction.commit();
    }
    const std::string before =
        domain::FormatInstant(std::max(now - options.keep_requests, domain::kMinInstant));
    pqxx::nontransaction transaction(connection);
    for (int portion = 0; portion < kPortionsPerCall; ++portion) {
      lease.session().StartWaiting();
      if (Exec(transaction, kForgetRequests, before).affected_rows() < kPortion) break;
    }
    return absl::OkStatus();
  });
}

}  // namespace todo::store
