#include "store/search_texts.h"

#include <string>
#include <vector>

#include "store/session.h"
#include "store/task_columns.h"
#include "util/status.h"

namespace todo::store {
namespace {

constexpr int kPortion = 200;

constexpr Statement kNotFolded{"not_folded", R"sql(
select user_id, id, title, description from tasks
where search_text is null and id > $1 order by id limit $2 for update skip locked)sql"};

constexpr Statement kFold{"fold", R"sql(
update tasks t set search_text = f.search_text
from unnest($1::text[], $2::bigint[], $3::text[]) f (user_id, id, search_text)
where t.user_id = f.user_id and t.id = f.id)sql"};

}  // namespace

absl::StatusOr<std::int64_t> FoldSearchTexts(ConnectionPool& pool,
                                             const std::function<bool()>& go_on) {
  std::int64_t folded = 0;
  std::int64_t last_id = 0;
  for (bool more = true; more && go_on();) {
    TODO_ASSIGN_OR_RETURN(ConnectionPool::Lease lease, pool.Acquire());
    TODO_ASSIGN_OR_RETURN(
        more, Transact(lease, "fold texts", [&](pqxx::work& work) -> absl::StatusOr<bool> {
          std::vector<std::string> users;
          std::vector<std::string> ids;
          std::vector<std::string> texts;
          for (const pqxx::row& row : Exec(work, kNotFolded, last_id, kPortion)) {
            users.emplace_back(View(row[0]));
            ids.emplace_back(View(row[1]));
            texts.push_back(
                SearchText(View(row[2]), row[3].is_null() ? std::string_view() : View(row[3])));
            last_id = row[1].as<std::int64_t>();
          }
          if (users.empty()) return false;
          lease.session().StartWaiting();
          Exec(work, kFold, ArrayLiteral(users), ArrayLiteral(ids), ArrayLiteral(texts));
          folded += static_cast<std::int64_t>(users.size());
          return true;
        }));
  }
  return folded;
}

}  // namespace todo::store
