#include "api/encoding.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "domain/event/event_reader.h"
#include "google/protobuf/timestamp.pb.h"
#include "util/digest.h"
#include "util/status.h"
#include "util/utf8.h"

namespace todo::api {
namespace {

using google::protobuf::Timestamp;

constexpr int kDefaultPageSize = 50;
constexpr int kMaxPageSize = 500;
constexpr std::size_t kMaxFilterTextCharacters = 500;
constexpr std::size_t kMaxOrderByBytes = 100;
constexpr std::size_t kMaxPageTokenBytes = 16'384;
constexpr std::size_t kQueryDigestBytes = 12;

/// What is wrong with a request, collected field by field.
class Violations {
 public:
  void Add(std::string_view field, std::string description) {
    violations_.push_back({std::string(field), std::move(description)});
  }
  /// OK when nothing was added.
  absl::Status ToStatus() const {
    if (violations_.empty()) return absl::OkStatus();
    return util::InvalidFields(violations_);
  }

 private:
  std::vector<util::FieldViolation> violations_;
};

// ---- values

std::optional<domain::Instant> DecodeInstant(const Timestamp& timestamp, std::string_view field,
                                             Violations& violations) {
  // 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z, the range of the message's own definition.
  constexpr std::int64_t kMinSeconds = -62'135'596'800;
  constexpr std::int64_t kMaxSeconds = 253'402'300'799;
  if (timestamp.seconds() < kMinSeconds || timestamp.seconds() > kMaxSeconds) {
    violations.Add(
        field, "is not a date between the years 1 and 9999 (seconds since 1970-01-01T00:00:00Z)");
    return std::nullopt;
  }
  if (timestamp.nanos() < 0 || timestamp.nanos() > 999'999'999) {
    violations.Add(field, "has nanos outside 0 to 999,999,999");
    return std::nullopt;
  }
  return domain::Instant(
      std::chrono::seconds(timestamp.seconds()) +
      std::chrono::floor<std::chrono::microseconds>(std::chrono::nanoseconds(timestamp.nanos())));
}

/// `values[i]` is the domain's value of the proto value i + 1.
template <typename Domain, typename Proto>
struct EnumTable {
  std::vector<std::pair<Domain, Proto>> pairs;

  Proto Encode(Domain value) const {
    return std::ranges::find(pairs, value, [](const auto& pair) { return pair.first; })->second;
  }
  /// nullopt for 0 (unspecified) and, with a violation, for values that this version does not know.
  std::optional<Domain> Decode(Proto value, std::string_view field, Violations& violations) const {
    if (value == 0) return std::nullopt;
    const auto it = std::ranges::find(pairs, value, [](const auto& pair) { return pair.second; });
    if (it != pairs.end()) return it->first;
    std::string known;
    for (const auto& pair : pairs) {
      const auto* declared =
          google::protobuf::GetEnumDescriptor<Proto>()->FindValueByNumber(pair.second);
      known += fmt::format("{}{}", known.empty() ? "" : ", ", declared->name());
    }
    violations.Add(field, fmt::format("has the unknown value {}; known are {}",
                                      static_cast<int>(value), known));
    return std::nullopt;
  }
};

const EnumTable<domain::Priority, v1::Priority> kPriorities{
    {{domain::Priority::kLow, v1::PRIORITY_LOW},
     {domain::Priority::kMedium, v1::PRIORITY_MEDIUM},
     {domain::Priority::kHigh, v1::PRIORITY_HIGH}}};
const EnumTable<domain::DueKind, v1::DueKind> kDueKinds{
    {{domain::DueKind::kNone, v1::DUE_KIND_UNSPECIFIED},
     {domain::DueKind::kDate, v1::DUE_KIND_DATE},
     {domain::DueKind::kLocal, v1::DUE_KIND_LOCAL},
     {domain::DueKind::kInstant, v1::DUE_KIND_INSTANT}}};
const EnumTable<domain::RecurrenceBasis, v1::RecurrenceBasis> kBases{
    {{domain::RecurrenceBasis::kSchedule, v1::RECURRENCE_BASIS_SCHEDULE},
     {domain::RecurrenceBasis::kCompletion, v1::RECURRENCE_BASIS_COMPLETION}}};

const EnumTable<service::SeriesScope, v1::SeriesScope> kScopes{
    {{service::SeriesScope::kThis, v1::SERIES_SCOPE_THIS},
     {service::SeriesScope::kFollowing, v1::SERIES_SCOPE_FOLLOWING},
     {service::SeriesScope::kAll, v1::SERIES_SCOPE_ALL}}};

// ---- parts of requests

domain::TaskId DecodeId(std::int64_t id, std::string_view field, Violations& violations) {
  if (id <= 0) violations.Add(field, "must be the id of a task, a number greater than 0");
  return domain::TaskId{id};
}

std::optional<std::int64_t> DecodeEtag(const std::string& etag, std::string_view field,
                                       Violations& violations) {
  if (etag.empty()) return std::nullopt;
  const std::optional<std::int64_t> version = domain::VersionOfEtag(etag);
  if (!version)
    violations.Add(field,
                   "is not an etag of this service: send the one of the last answer, or none");
  return version;
}

void CheckRequestId(const std::string& request_id, Violations& violations) {
  if (!request_id.empty() && !domain::Uuid::Parse(request_id)) {
    violations.Add("request_id",
                   "must be a UUID such as 7d444840-9dc0-41d1-b245-5ffdce74fad2, or empty");
  }
}

int DecodePageSize(std::int32_t page_size, Violations& violations) {
  if (page_size < 0 || page_size > kMaxPageSize) {
    violations.Add("page_size", fmt::format("is {}; it must be 1 to {}, or 0 for the default of {}",
                                            page_size, kMaxPageSize, kDefaultPageSize));
  }
  return page_size == 0 ? kDefaultPageSize : page_size;
}

service::DueInput DecodeDue(const v1::Task& task, bool with_due_date, bool with_due_local,
                            Violations& violations) {
  service::DueInput due;
  if (with_due_date && task.has_due_date())
    due.due_date = DecodeInstant(task.due_date(), "task.due_date", violations);
  if (with_due_local && !task.due_local().empty()) due.due_local = task.due_local();
  return due;
}

template <typename Request>
absl::StatusOr<TaskSelector> DecodeTaskRef(const Request& request) {
  Violations violations;
  TaskSelector ref;
  ref.id = DecodeId(request.id(), "id", violations);
  if constexpr (requires { request.etag(); }) {
    ref.expected_version = DecodeEtag(request.etag(), "etag", violations);
    CheckRequestId(request.request_id(), violations);
  }
  if constexpr (requires { request.scope(); }) {
    ref.scope = kScopes.Decode(request.scope(), "scope", violations).value_or(ref.scope);
  }
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  return ref;
}

/// The same bytes for the same content, in every process of this version.
std::string DeterministicBytes(const google::protobuf::Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return bytes;
}

// ---- page tokens: base64 of a digest of the query, then the store's cursor

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
    "is not a token of this query: take it from next_page_token of the previous answer and leave "
    "the other fields as "
    "they were, or start again without it";

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

/// `order_by` cut at its spaces.
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

// ---- update masks

struct UpdateMask {
  bool title = false, description = false, priority = false, tags = false, due_date = false,
       due_local = false, time_zone = false, recurrence_rule = false, recurrence_basis = false;
};

struct MaskPath {
  std::string_view path;
  bool UpdateMask::*field;
};
constexpr MaskPath kMaskPaths[] = {{"title", &UpdateMask::title},
                                   {"description", &UpdateMask::description},
                                   {"priority", &UpdateMask::priority},
                                   {"tags", &UpdateMask::tags},
                                   {"due_date", &UpdateMask::due_date},
                                   {"due_local", &UpdateMask::due_local},
                                   {"time_zone", &UpdateMask::time_zone},
                                   {"recurrence_rule", &UpdateMask::recurrence_rule},
                                   {"recurrence_basis", &UpdateMask::recurrence_basis}};
constexpr char kKnownPaths[] =
    "title, description, priority, tags, due_date, due_local, time_zone, recurrence_rule, "
    "recurrence_basis, or \"*\" "
    "for all of them";

UpdateMask DecodeUpdateMask(const google::protobuf::FieldMask& paths, Violations& violations) {
  UpdateMask mask;
  if (paths.paths().empty()) {
    violations.Add("update_mask", fmt::format("must name what to change: any of {}", kKnownPaths));
  }
  for (const std::string& path : paths.paths()) {
    if (path == "*") {
      for (const MaskPath& known : kMaskPaths) mask.*known.field = true;
      continue;
    }
    const auto* found = std::ranges::find(kMaskPaths, path, &MaskPath::path);
    if (found != std::end(kMaskPaths)) {
      mask.*found->field = true;
      continue;
    }
    violations.Add("update_mask", UnknownMaskPath(path, kKnownPaths));
    break;  // one is enough: the text names all that are right
  }
  return mask;
}

}  // namespace

std::string UnknownMaskPath(std::string_view path, std::string_view known) {
  constexpr std::size_t kMaxQuotedBytes = 50;
  if (path.size() > kMaxQuotedBytes)
    return fmt::format("names a field that cannot be updated; known are {}", known);
  return fmt::format("names \"{}\", which cannot be updated; known are {}", path, known);
}

Timestamp EncodeInstant(domain::Instant instant) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(instant);
  Timestamp timestamp;
  timestamp.set_seconds(seconds.time_since_epoch().count());
  timestamp.set_nanos(
      static_cast<std::int32_t>(std::chrono::nanoseconds(instant - seconds).count()));
  return timestamp;
}

v1::Task EncodeTask(const domain::Task& task) {
  v1::Task out;
  out.set_id(task.id.value);
  out.set_title(task.fields.title);
  if (task.fields.description) out.set_description(*task.fields.description);
  out.set_completed(task.completed);
  out.set_priority(kPriorities.Encode(task.fields.priority));
  for (const std::string& tag : task.fields.tags) out.add_tags(tag);
  if (task.fields.due.kind != domain::DueKind::kNone)
    *out.mutable_due_date() = EncodeInstant(task.fields.due.at);
  if (task.fields.recurrence_rule) out.set_recurrence_rule(*task.fields.recurrence_rule);
  out.set_user_id(task.user.value);
  *out.mutable_created_at() = EncodeInstant(task.created_at);
  *out.mutable_updated_at() = EncodeInstant(task.updated_at);
  out.set_version(task.version);
  out.set_etag(domain::EtagOf(task.version));
  out.set_due_kind(kDueKinds.Encode(task.fields.due.kind));
  out.set_due_local(domain::FormatDueLocal(task.fields.due));
  out.set_time_zone(task.fields.time_zone);
  out.set_recurrence_basis(kBases.Encode(task.fields.recurrence_basis));
  if (task.series) {
    out.set_series_id(task.series->series_id.value());
    out.set_occurrence(task.series->occurrence);
    out.set_missed_occurrences(task.series->missed);
  }
  if (task.completed_at) *out.mutable_completed_at() = EncodeInstant(*task.completed_at);
  if (task.skipped_at) *out.mutable_skipped_at() = EncodeInstant(*task.skipped_at);
  return out;
}

absl::StatusOr<v1::Change> EncodeChange(const domain::Change& change) {
  const absl::StatusOr<domain::Task> task = domain::ParseTaskJson(change.task_json);
  if (!task.ok()) {
    return absl::InternalError(fmt::format("api: change {} of the log: {}", change.event_id.value(),
                                           util::FromAbsl(task.status().message())));
  }
  v1::Change out;
  out.set_seq(change.seq);
  out.set_event_id(change.event_id.value());
  out.set_event_type(std::string(domain::ToString(change.kind)));
  out.set_task_id(change.task_id.value);
  *out.mutable_task() = EncodeTask(*task);
  *out.mutable_timestamp() = EncodeInstant(change.at);
  return out;
}

absl::StatusOr<service::CreateTaskInput> DecodeCreateTask(const v1::CreateTaskRequest& request) {
  Violations violations;
  service::CreateTaskInput input;
  CheckRequestId(request.request_id(), violations);
  if (!request.has_task()) {
    violations.Add("task", "must be given, with at least a title");
    return violations.ToStatus();
  }
  const v1::Task& task = request.task();
  input.title = task.title();
  if (task.has_description()) input.description = task.description();
  input.priority = kPriorities.Decode(task.priority(), "task.priority", violations);
  input.tags.assign(task.tags().begin(), task.tags().end());
  input.due = DecodeDue(task, true, true, violations);
  if (!task.time_zone().empty()) input.time_zone = task.time_zone();
  if (task.has_recurrence_rule()) input.recurrence_rule = task.recurrence_rule();
  input.basis = kBases.Decode(task.recurrence_basis(), "task.recurrence_basis", violations);
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  return input;
}

absl::StatusOr<service::UpdateTaskInput> DecodeUpdateTask(const v1::UpdateTaskRequest& request) {
  Violations violations;
  service::UpdateTaskInput input;
  CheckRequestId(request.request_id(), violations);
  const UpdateMask mask = DecodeUpdateMask(request.update_mask(), violations);
  if (!request.has_task()) {
    violations.Add("task", "must be given, with at least its id");
    return violations.ToStatus();
  }
  const v1::Task& task = request.task();
  input.id = DecodeId(task.id(), "task.id", violations);
  input.expected_version = DecodeEtag(task.etag(), "task.etag", violations);
  if (mask.title) input.title = task.title();
  if (mask.description) {
    input.description.emplace(task.has_description() ? std::optional(task.description())
                                                     : std::nullopt);
  }
  if (mask.priority) {
    input.priority = kPriorities.Decode(task.priority(), "task.priority", violations)
                         .value_or(domain::TaskFields().priority);
  }
  if (mask.tags) input.tags.emplace(task.tags().begin(), task.tags().end());
  if (mask.due_date || mask.due_local)
    input.due = DecodeDue(task, mask.due_date, mask.due_local, violations);
  if (mask.time_zone) {
    input.time_zone.emplace(task.time_zone().empty() ? std::nullopt
                                                     : std::optional(task.time_zone()));
  }
  if (mask.recurrence_rule) {
    input.recurrence_rule.emplace(task.has_recurrence_rule() ? std::optional(task.recurrence_rule())
                                                             : std::nullopt);
  }
  if (mask.recurrence_basis) {
    input.basis = kBases.Decode(task.recurrence_basis(), "task.recurrence_basis", violations)
                      .value_or(domain::TaskFields().recurrence_basis);
  }
  input.scope = kScopes.Decode(request.scope(), "scope", violations).value_or(input.scope);
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  return input;
}

absl::StatusOr<TaskSelector> DecodeGetTask(const v1::GetTaskRequest& request) {
  return DecodeTaskRef(request);
}
absl::StatusOr<TaskSelector> DecodeCompleteTask(const v1::CompleteTaskRequest& request) {
  return DecodeTaskRef(request);
}
absl::StatusOr<TaskSelector> DecodeUncompleteTask(const v1::UncompleteTaskRequest& request) {
  return DecodeTaskRef(request);
}
absl::StatusOr<TaskSelector> DecodeDeleteTask(const v1::DeleteTaskRequest& request) {
  return DecodeTaskRef(request);
}
absl::StatusOr<TaskSelector> DecodeSkipTask(const v1::SkipTaskRequest& request) {
  return DecodeTaskRef(request);
}
absl::StatusOr<TaskSelector> DecodeStopSeries(const v1::StopSeriesRequest& request) {
  return DecodeTaskRef(request);
}

absl::StatusOr<service::PreviewInput> DecodePreviewRecurrence(
    const v1::PreviewRecurrenceRequest& request) {
  constexpr int kDefaultCount = 10;
  constexpr int kMaxCount = 100;
  Violations violations;
  service::PreviewInput input;
  const v1::Task& task = request.task();
  input.due = DecodeDue(task, true, true, violations);
  if (!task.time_zone().empty()) input.time_zone = task.time_zone();
  input.recurrence_rule = task.recurrence_rule();
  input.count = request.count() == 0 ? kDefaultCount : request.count();
  if (input.count < 0 || input.count > kMaxCount) {
    violations.Add("count", fmt::format("is {}; it must be 1 to {}, or 0 for the default of {}",
                                        request.count(), kMaxCount, kDefaultCount));
  }
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  return input;
}

v1::PreviewRecurrenceResponse EncodePreview(const domain::SeriesPreview& preview) {
  v1::PreviewRecurrenceResponse out;
  out.set_recurrence_rule(preview.rule);
  for (const domain::SeriesPreview::Occurrence& occurrence : preview.occurrences) {
    v1::PreviewRecurrenceResponse::Occurrence* encoded = out.add_occurrences();
    *encoded->mutable_due_date() = EncodeInstant(occurrence.due.at);
    encoded->set_due_local(domain::FormatDueLocal(occurrence.due));
    encoded->set_number(occurrence.number);
  }
  for (const std::string& warning : preview.warnings) out.add_warnings(warning);
  return out;
}

absl::StatusOr<ports::TaskQuery> DecodeListTasks(const v1::ListTasksRequest& request) {
  Violations violations;
  ports::TaskQuery query;
  query.limit = DecodePageSize(request.page_size(), violations);
  const v1::ListTasksRequest::Filter& filter = request.filter();
  if (filter.has_completed()) query.completed = filter.completed();
  query.priority = kPriorities.Decode(filter.priority(), "filter.priority", violations);
  if (!filter.tag().empty()) {
    if (util::CountCharacters(filter.tag()).value_or(0) > domain::kMaxTagCharacters) {
      violations.Add("filter.tag", fmt::format("is longer than a tag can be, {} characters",
                                               domain::kMaxTagCharacters));
    }
    query.tag = filter.tag();
  }
  // Beyond what can be stored the bounds mean the same as at its ends.
  const auto decode_bound = [&](const Timestamp& bound, std::string_view field) {
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

absl::StatusOr<ChangesQuery> DecodeListChanges(const v1::ListChangesRequest& request) {
  Violations violations;
  ChangesQuery query{.after_seq = request.after_seq(),
                     .limit = DecodePageSize(request.page_size(), violations)};
  if (query.after_seq < 0) violations.Add("after_seq", "must be 0 or the seq of a change");
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  return query;
}

service::CallContext ContextOf(std::string_view method, const google::protobuf::Message& request,
                               const domain::UserId& user, std::string traceparent) {
  service::CallContext context{.user = user,
                               .request_id = std::nullopt,
                               .fingerprint = {},
                               .traceparent = std::move(traceparent)};
  const std::unique_ptr<google::protobuf::Message> content(request.New());
  content->CopyFrom(request);
  const auto* field = content->GetDescriptor()->FindFieldByName("request_id");
  if (auto uuid = domain::Uuid::Parse(content->GetReflection()->GetString(*content, field))) {
    context.request_id = domain::RequestId{*std::move(uuid)};
  }
  content->GetReflection()->ClearField(content.get(), field);
  context.fingerprint = util::Sha256(fmt::format("{}\n{}", method, DeterministicBytes(*content)));
  return context;
}

}  // namespace todo::api
