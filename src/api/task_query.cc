#include "api/task_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "api/request_parts.h"
#include "api/task_enums.h"
#include "domain/task/task.h"
#include "util/digest.h"
#include "util/status.h"
#include "util/utf8.h"

namespace todo::api {
namespace {

constexpr std::size_t kMaxFilterTextCharacters = 500;
constexpr std::size_t kMaxOrderByBytes = 100;
constexpr std::size_t kMaxPageTokenBytes = 16'384;
constexpr std::size_t kQueryDigestBytes = 12;

// ---- page tokens: base64 of a digest of the query and the store's cursor

std::string QueryDigest(v1::ListTasksRequest request) {
  request.clear_page_size();  // may differ from page to page
  request.clear_page_token();
  return util::Sha256(DeterministicBytes(request)).substr(0, kQueryDigestBytes);
}

std::optional<std::string> CursorOf(const v1::ListTasksRequest& request) {
  std::string bytes;
  if (request.page_token().size() > kMaxPageTokenBytes ||
      !absl::WebSafeBase64Unescape(request.page_token(), &bytes) ||
      bytes.size() <= kQueryDigestBytes ||
      bytes.substr(0, kQueryDigestBytes) != QueryDigest(request)) {
    return std::nullopt;
  }
  return bytes.substr(kQueryDigestBytes);
}

constexpr char kBadPageToken[] =
    "is not a page token of this query: send next_page_token of the previous answer and leave the "
    "other fields as they were, or start again without a page token";

// ---- order_by

struct OrderName {
  std::string_view name;
  ports::TaskOrder order;
};
constexpr OrderName kOrders[] = {{"created_at", ports::TaskOrder::kCreatedAt},
                                 {"due_date", ports::TaskOrder::kDueDate},
                                 {"priority", ports::TaskOrder::kPriority},
                                 {"title", ports::TaskOrder::kTitle},
                                 {"updated_at", ports::TaskOrder::kUpdatedAt}};

/// The words of `text`, which spaces separate.
std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t begin = 0;
       (begin = text.find_first_not_of(' ', begin)) != std::string_view::npos;) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

void DecodeOrderBy(std::string_view order_by, ports::TaskQuery& query, Violations& violations) {
  if (order_by.size() <= kMaxOrderByBytes) {
    const std::vector<std::string_view> words = Words(order_by);
    if (words.empty()) return;
    const auto* found = std::ranges::find(kOrders, words[0], &OrderName::name);
    if (found != std::end(kOrders) &&
        (words.size() == 1 || (words.size() == 2 && words[1] == "desc"))) {
      query.order = found->order;
      query.descending = words.size() == 2;
      return;
    }
  }
  violations.Add("order_by",
                 "must be one of created_at, due_date, priority, title, updated_at, optionally "
                 "followed by \" desc\"");
}

// ---- the filter

void DecodeFilter(const v1::ListTasksRequest::Filter& filter, ports::TaskQuery& query,
                  Violations& violations) {
  if (filter.has_completed()) query.completed = filter.completed();
  query.priority = kPriorities.Decode(filter.priority(), "filter.priority", violations);
  if (!filter.tag().empty()) {
    if (util::CountCharacters(filter.tag()).value_or(0) > domain::kMaxTagCharacters) {
      violations.Add("filter.tag", fmt::format("is longer than the limit of tags, {} characters",
                                               domain::kMaxTagCharacters));
    }
    query.tag = filter.tag();
  }
  // No task is due outside of the storable range, so a bound beyond it counts as its end.
  const auto decode_bound = [&](const google::protobuf::Timestamp& bound, std::string_view field) {
    std::optional<domain::Instant> instant = DecodeInstant(bound, field, violations);
    if (instant) instant = std::clamp(*instant, domain::kMinInstant, domain::kMaxInstant);
    return instant;
  };
  if (filter.has_due_from()) query.due_from = decode_bound(filter.due_from(), "filter.due_from");
  if (filter.has_due_before())
    query.due_before = decode_bound(filter.due_before(), "filter.due_before");
  if (util::CountCharacters(filter.text()).value_or(0) > kMaxFilterTextCharacters) {
    violations.Add("filter.text",
                   fmt::format("is longer than {} characters", kMaxFilterTextCharacters));
  }
  query.text = filter.text();
}

}  // namespace

absl::StatusOr<ports::TaskQuery> DecodeListTasks(const v1::ListTasksRequest& request) {
  Violations violations;
  ports::TaskQuery query;
  query.limit = DecodePageSize(request.page_size(), violations);
  DecodeFilter(request.filter(), query, violations);
  DecodeOrderBy(request.order_by(), query, violations);
  if (!request.page_token().empty()) {
    std::optional<std::string> cursor = CursorOf(request);
    if (!cursor) violations.Add("page_token", kBadPageToken);
    query.page_cursor = std::move(cursor).value_or("");
  }
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  return query;
}

std::string EncodePageToken(const v1::ListTasksRequest& request, std::string_view cursor) {
  if (cursor.empty()) return "";
  std::string bytes = QueryDigest(request);
  bytes += cursor;
  return absl::WebSafeBase64Escape(bytes);
}

absl::Status UnknownPageToken() {
  Violations violations;
  violations.Add("page_token", kBadPageToken);
  return violations.ToStatus();
}

}  // namespace todo::api
