#include "store/search_index.h"

#include "store/session.h"

namespace todo::store {
namespace {

constexpr Statement kMake{"make_search_index", "select coalesce(make_search_index(), '')"};

}  // namespace

absl::StatusOr<std::string> MakeSearchIndex(ConnectionPool& pool) {
  return Once(pool, "make the search index",
              [](pqxx::transaction_base& transaction) -> absl::StatusOr<std::string> {
                return Exec(transaction, kMake)[0][0].as<std::string>();
              });
}

}  // namespace todo::store
