#include "store/list_query.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>

#include "absl/strings/escaping.h"
#include "domain/time.h"
#include "util/digest.h"
#include "util/status.h"
#include "util/utf8.h"

namespace todo::store {
namespace {

using ports::TaskOrder;

/// The sort key of each order, as the indexes on tasks have it. Never null.
struct OrderKey {
  std::string_view sql;
  std::string_view type;
};

OrderKey KeyOf(const ports::TaskQuery& query) {
  switch (query.order) {
    case TaskOrder::kCreatedAt: break;
    case TaskOrder::kDueDate:
      return {
          query.descending ? "coalesce(t.due_at, '-infinity')" : "coalesce(t.due_at, 'infinity')",
          "timestamptz"};
    case TaskOrder::kPriority: return {"t.priority", "smallint"};
    case TaskOrder::kTitle: return {"t.title collate title_order", "text"};
    case TaskOrder::kUpdatedAt: return {"t.updated_at", "timestamptz"};
  }
  return {"t.created_at", "timestamptz"};
}

nlohmann::json KeyOf(TaskOrder order, const domain::Task& task) {
  switch (order) {
    case TaskOrder::kCreatedAt: return task.created_at.time_since_epoch().count();
    case TaskOrder::kDueDate:
      if (task.fields.due.kind == domain::DueKind::kNone) return nullptr;
      return task.fields.due.at.time_since_epoch().count();
    case TaskOrder::kPriority: return static_cast<int>(task.fields.priority);
    case TaskOrder::kTitle: return task.fields.title;
    case TaskOrder::kUpdatedAt: return task.updated_at.time_since_epoch().count();
  }
  return nullptr;
}

/// Equal for equal users and queries, on every page.
std::string FingerprintOf(const domain::UserId& user, const ports::TaskQuery& query) {
  const auto instant = [](const std::optional<domain::Instant>& at) {
    return at ? nlohmann::json(at->time_since_epoch().count()) : nlohmann::json();
  };
  const nlohmann::json parts = {
      user.value,
      query.completed ? nlohmann::json(*query.completed) : nlohmann::json(),
      query.priority ? nlohmann::json(static_cast<int>(*query.priority)) : nlohmann::json(),
      query.tag ? nlohmann::json(*query.tag) : nlohmann::json(),
      instant(query.due_from),
      instant(query.due_before),
      query.text,
      static_cast<int>(query.order),
      query.descending,
  };
  const std::string text = parts.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const std::string digest = util::Sha256(text).substr(0, 12);
  std::string encoded;
  absl::WebSafeBase64Escape(util::ToAbsl(digest), &encoded);
  return encoded;
}

absl::Status ForeignCursor() {
  return util::WithReason(
      absl::InvalidArgumentError(
          "the page token is not one of this list: repeat the call that gave it with only the "
          "page token changed, or start again without one"),
      "INVALID_PAGE_TOKEN");
}

}  // namespace

std::string EncodeCursor(const domain::UserId& user, const ports::TaskQuery& query,
                         const domain::Task& last) {
  const nlohmann::json cursor = {
      {"k", KeyOf(query.order, last)}, {"i", last.id.value}, {"q", FingerprintOf(user, query)}};
  std::string encoded;
  absl::WebSafeBase64Escape(
      util::ToAbsl(cursor.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)),
      &encoded);
  return encoded;
}

absl::StatusOr<ListPosition> DecodeCursor(const domain::UserId& user,
                                          const ports::TaskQuery& query) {
  std::string decoded;
  if (query.page_cursor.size() > 8192 ||
      !absl::WebSafeBase64Unescape(util::ToAbsl(query.page_cursor), &decoded)) {
    return ForeignCursor();
  }
  const nlohmann::json cursor = nlohmann::json::parse(decoded, nullptr, /*allow_exceptions=*/false);
  if (!cursor.is_object() || !cursor.contains("k") || !cursor.contains("i") ||
      !cursor.contains("q")) {
    return ForeignCursor();
  }
  const nlohmann::json& key = cursor["k"];
  if (!cursor["i"].is_number_integer() ||
      cursor["q"] != nlohmann::json(FingerprintOf(user, query))) {
    return ForeignCursor();
  }
  ListPosition position;
  position.id = cursor["i"].get<std::int64_t>();
  switch (query.order) {
    case TaskOrder::kTitle:
      if (!key.is_string() || !util::CountCharacters(key.get_ref<const std::string&>()))
        return ForeignCursor();
      position.key = key.get<std::string>();
      return position;
    case TaskOrder::kPriority:
      if (!key.is_number_integer() || key.get<std::int64_t>() < 0 || key.get<std::int64_t>() > 2) {
        return ForeignCursor();
      }
      position.key = fmt::format("{}", key.get<std::int64_t>());
      return position;
    case TaskOrder::kDueDate:
      if (key.is_null()) {  // tasks without a due date come last
        position.key = query.descending ? "-infinity" : "infinity";
        return position;
      }
      [[fallthrough]];
    case TaskOrder::kCreatedAt:
    case TaskOrder::kUpdatedAt: {
      if (!key.is_number_integer()) return ForeignCursor();
      const domain::Instant at{std::chrono::microseconds(key.get<std::int64_t>())};
      if (at < domain::kMinInstant || at > domain::kMaxInstant) return ForeignCursor();
      position.key = domain::FormatInstant(at);
      return position;
    }
  }
  return ForeignCursor();
}

std::string StatementFor(const ports::TaskQuery& query,
                         const std::optional<ListPosition>& position) {
  const OrderKey key = KeyOf(query);
  const std::string_view direction = query.descending ? "desc" : "asc";
  // By due date, a range of dates is a range of the index.
  const std::string_view due = query.order == TaskOrder::kDueDate ? key.sql : "t.due_at";
  const auto within = [&](const std::optional<domain::Instant>& limit, std::string_view compare) {
    return limit ? fmt::format("t.due_at is not null and {} {}", due, compare) : "true";
  };
  const std::string after = position ? fmt::format("and ({}, t.id) {} ($10::{}, $9::bigint)",
                                                   key.sql, query.descending ? '<' : '>', key.type)
                                     : "";
  const std::string_view texts =
      query.text.empty() ? "" : "join task_texts s on s.user_id = $1 and s.id = t.id";
  return fmt::format(R"sql(
select task_json(t) from tasks t {}
where t.user_id = $1 and t.deleted_at is null
  and ($2::boolean is null or t.completed = $2)
  and ($3::smallint is null or t.priority = $3)
  and ($4::text is null or $4 = any (t.tags))
  and ($5::timestamptz is null or {})
  and ($6::timestamptz is null or {})
  and ($7::text is null {})
  {}
order by {} {}, t.id {}
limit $8::bigint)sql",
                     texts, within(query.due_from, ">= $5"), within(query.due_before, "< $6"),
                     query.text.empty() ? "" : "or s.search_text like $7", after, key.sql,
                     direction, direction);
}

std::string ContainsPattern(std::string_view text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern.push_back('\\');
    pattern.push_back(c);
  }
  pattern.push_back('%');
  return pattern;
}

}  // namespace todo::store
