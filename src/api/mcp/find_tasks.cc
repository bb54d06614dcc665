#include <algorithm>
#include <string>

#include "api/mcp/argument_times.h"
#include "api/mcp/plain_json.h"
#include "api/mcp/tool_runs.h"
#include "api/task_encoding.h"
#include "util/status.h"

namespace todo::api::mcp {
namespace {

using Filter = v1::ListTasksRequest::Filter;

constexpr int kDefaultCount = 20;
/// Of the finder.
constexpr int kMaxFound = 50;

/// The conditions of the call, besides its words.
absl::StatusOr<Filter> FilterOf(ToolCall& call) {
  Filter filter;
  TakeZone(call);
  TODO_ASSIGN_OR_RETURN(const auto from, TakeInstant(call, "due_from"));
  if (from) *filter.mutable_due_from() = *from;
  TODO_ASSIGN_OR_RETURN(const auto before, TakeInstant(call, "due_before"));
  if (before) *filter.mutable_due_before() = *before;
  TODO_RETURN_IF_ERROR(call.arguments.Check());
  call.arguments.Put({"completed", "priority", "tag"}, filter);
  return filter;
}

/// Whether a task that has the words meets the other conditions too, as ListTasks reads them.
bool Meets(const v1::Task& task, const Filter& filter) {
  if (filter.priority() != v1::PRIORITY_UNSPECIFIED && task.priority() != filter.priority())
    return false;
  if (!filter.tag().empty() && std::ranges::find(task.tags(), filter.tag()) == task.tags().end())
    return false;
  if (!filter.has_due_from() && !filter.has_due_before()) return true;
  if (!task.has_due_date()) return false;
  const domain::Instant due = InstantIn(task.due_date());
  return !(filter.has_due_from() && due < InstantIn(filter.due_from())) &&
         !(filter.has_due_before() && due >= InstantIn(filter.due_before()));
}

const char* NameOf(domain::Fit fit) {
  switch (fit) {
    case domain::Fit::kExact: return "exact";
    case domain::Fit::kAllWords: return "all_words";
    case domain::Fit::kSimilar: return "similar";
  }
  return "";
}

/// The tasks that have the words of the call, in some form of theirs, the best first.
absl::StatusOr<Json> ByWords(ToolCall& call, const Filter& filter, std::size_t count) {
  ports::FindQuery query;
  query.words = call.arguments.Text("words");
  query.limit = kMaxFound;
  query.cancellation = call.methods.caller().context.cancellation;
  if (filter.has_completed()) query.completed = filter.completed();
  if (absl::StatusOr<std::string> language = call.user.Language(); language.ok())
    query.language = *std::move(language);
  TODO_ASSIGN_OR_RETURN(const std::vector<ports::FoundTask> found,
                        call.finder->Find(call.methods.caller().identity.user, query));
  Json tasks = Json::array();
  for (const ports::FoundTask& candidate : found) {
    const v1::Task task = EncodeTask(candidate.task);
    if (!Meets(task, filter) || tasks.size() == count) continue;
    Json json = TaskJson(task);
    json["fit"] = NameOf(candidate.fit);
    tasks.push_back(std::move(json));
  }
  return Json{{"tasks", std::move(tasks)}};
}

/// The tasks that meet the conditions, page by page.
absl::StatusOr<Json> ByConditions(ToolCall& call, const Filter& filter) {
  v1::ListTasksRequest request;
  *request.mutable_filter() = filter;
  request.mutable_filter()->set_text(call.arguments.Text("words"));
  request.set_page_size(kDefaultCount);
  request.set_order_by("due_date");
  call.arguments.Put({"page_size", "page_token"}, request);
  TODO_ASSIGN_OR_RETURN(const auto found, call.methods.Call<v1::ListTasksResponse>(
                                              "/todo.v1.TodoService/ListTasks", request));
  Json result = {{"tasks", Json::array()}};
  for (const v1::Task& task : found.tasks()) result["tasks"].push_back(TaskJson(task));
  if (!found.next_page_token().empty()) result["next_page_token"] = found.next_page_token();
  return result;
}

}  // namespace

absl::StatusOr<Json> FindTasks(ToolCall& call) {
  TODO_ASSIGN_OR_RETURN(const Filter filter, FilterOf(call));
  const bool ranked = call.finder != nullptr && !call.arguments.Text("words").empty();
  const std::int64_t wanted = call.arguments.Number("page_size");
  const auto count = static_cast<std::size_t>(wanted > 0 ? wanted : kDefaultCount);
  TODO_ASSIGN_OR_RETURN(Json result,
                        ranked ? ByWords(call, filter, count) : ByConditions(call, filter));
  // For words such as "tomorrow". The tasks are of use without it.
  if (const absl::StatusOr<domain::TimeZone> zone = call.user.Zone(); zone.ok()) {
    result["now"] = FormatInZone(call.user.Now(), *zone);
    result["time_zone"] = zone->name();
  }
  return result;
}

}  // namespace todo::api::mcp
