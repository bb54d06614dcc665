#include "api/ops_methods.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "api/request_parts.h"
#include "domain/event/dead_letter.h"
#include "todo/v1/ops_service.pb.h"
#include "util/log.h"
#include "util/log_level.h"
#include "util/status.h"
#include "util/utf8.h"

namespace todo::api {
namespace {

constexpr CountLimits kLimits{.max = 1'000, .default_count = 100};
constexpr std::size_t kMaxNoteCharacters = 500;
constexpr std::chrono::seconds kDefaultLogTime = std::chrono::hours(1);
constexpr std::chrono::seconds kMaxLogTime = std::chrono::hours(24);

struct Operations {
  ports::DeadLetterStore& letters;
  ports::ServiceStatus& status;
  ports::UsageStore& usage;
  const ports::Clock& clock;
  const DescribeSidecar sidecar;
};

// ---- encoding

v1::DeadLetterState Encode(ports::DeadLetterState state) {
  switch (state) {
    case ports::DeadLetterState::kOpen: return v1::DEAD_LETTER_STATE_OPEN;
    case ports::DeadLetterState::kReplayed: return v1::DEAD_LETTER_STATE_REPLAYED;
    case ports::DeadLetterState::kDiscarded: return v1::DEAD_LETTER_STATE_DISCARDED;
  }
  return v1::DEAD_LETTER_STATE_UNSPECIFIED;
}

v1::LogLevel Encode(util::Severity severity) {
  switch (severity) {
    case util::Severity::kDebug: return v1::LOG_LEVEL_DEBUG;
    case util::Severity::kInfo: return v1::LOG_LEVEL_INFO;
    case util::Severity::kWarning: return v1::LOG_LEVEL_WARNING;
    case util::Severity::kError: return v1::LOG_LEVEL_ERROR;
  }
  return v1::LOG_LEVEL_UNSPECIFIED;
}

std::optional<util::Severity> Decode(v1::LogLevel level) {
  switch (level) {
    case v1::LOG_LEVEL_DEBUG: return util::Severity::kDebug;
    case v1::LOG_LEVEL_INFO: return util::Severity::kInfo;
    case v1::LOG_LEVEL_WARNING: return util::Severity::kWarning;
    case v1::LOG_LEVEL_ERROR: return util::Severity::kError;
    default: return std::nullopt;
  }
}

v1::DeadLetter Encode(const ports::StoredDeadLetter& stored) {
  const domain::DeadLetter& letter = stored.letter;
  v1::DeadLetter encoded;
  encoded.set_id(letter.id.value());
  encoded.set_consumer(letter.consumer);
  if (letter.has_event_id) encoded.set_event_id(letter.event_id.value());
  encoded.set_user_id(letter.user.value);
  encoded.set_task_id(letter.task_id.value);
  encoded.set_reason(letter.reason);
  encoded.set_attempts(letter.attempts);
  *encoded.mutable_first_failed_at() = EncodeInstant(letter.first_failed_at);
  *encoded.mutable_last_failed_at() = EncodeInstant(letter.last_failed_at);
  encoded.set_topic(letter.record.topic);
  encoded.set_partition(letter.record.partition);
  encoded.set_offset(letter.record.offset);
  encoded.set_record_key(letter.record.key);
  encoded.set_content_type(letter.record.content_type);
  encoded.set_record(letter.record.bytes);
  encoded.set_state(Encode(stored.state));
  encoded.set_note(stored.note);
  encoded.set_resolved_by(stored.resolved_by);
  if (stored.resolved_at) *encoded.mutable_resolved_at() = EncodeInstant(*stored.resolved_at);
  return encoded;
}

v1::RebuildAnalyticsResponse Encode(const ports::UsageRebuild& rebuild) {
  v1::RebuildAnalyticsResponse response;
  response.set_running(rebuild.running);
  if (rebuild.started_at) *response.mutable_started_at() = EncodeInstant(*rebuild.started_at);
  if (rebuild.finished_at) *response.mutable_finished_at() = EncodeInstant(*rebuild.finished_at);
  response.set_counted_changes(rebuild.counted_changes);
  response.set_added_events(rebuild.added_events);
  return response;
}

v1::Status EncodeStoreStatus(const ports::StoreStatus& status) {
  v1::Status response;
  response.set_unpublished_changes(status.unpublished_changes);
  response.set_unpublished_messages(status.unpublished_messages);
  if (status.oldest_unpublished)
    *response.mutable_oldest_unpublished() = EncodeInstant(*status.oldest_unpublished);
  response.set_waiting_retries(status.waiting_retries);
  if (status.next_retry) *response.mutable_next_retry() = EncodeInstant(*status.next_retry);
  response.set_open_dead_letters(status.open_dead_letters);
  response.set_lost_events(status.lost_events);
  response.set_pending_reminders(status.pending_reminders);
  response.set_overdue_reminders(status.overdue_reminders);
  response.set_unplanned_reminders(status.unplanned_reminders);
  response.set_unwritten_jobs(status.unwritten_jobs);
  response.set_pending_deliveries(status.pending_deliveries);
  if (status.oldest_delivery)
    *response.mutable_oldest_delivery() = EncodeInstant(*status.oldest_delivery);
  for (const ports::StoreStatus::Shard& shard : status.shards) {
    v1::Status::Shard& encoded = *response.add_shards();
    encoded.set_number(shard.number);
    encoded.set_owner(shard.owner);
    encoded.set_epoch(shard.epoch);
    encoded.set_leased(shard.leased);
  }
  return response;
}

// ---- decoding

domain::Uuid DecodeDeadLetterId(const std::string& text, std::string_view field,
                                Violations& violations) {
  const std::optional<domain::Uuid> id = domain::Uuid::Parse(text);
  if (!id) violations.Add(field, "must be a dead letter id (a UUID)");
  return id.value_or(domain::Uuid());
}

ports::DeadLetterFilter DecodeFilter(const v1::DeadLetterFilter& filter, Violations& violations) {
  ports::DeadLetterFilter decoded;
  switch (filter.state()) {
    case v1::DEAD_LETTER_STATE_UNSPECIFIED: break;
    case v1::DEAD_LETTER_STATE_OPEN: decoded.state = ports::DeadLetterState::kOpen; break;
    case v1::DEAD_LETTER_STATE_REPLAYED: decoded.state = ports::DeadLetterState::kReplayed; break;
    case v1::DEAD_LETTER_STATE_DISCARDED: decoded.state = ports::DeadLetterState::kDiscarded; break;
    default: violations.Add("filter.state", "must be OPEN, REPLAYED, DISCARDED or unspecified");
  }
  CheckText(filter.consumer(), "filter.consumer", violations);
  CheckText(filter.topic(), "filter.topic", violations);
  CheckText(filter.user_id(), "filter.user_id", violations);
  CheckText(filter.reason(), "filter.reason", violations);
  decoded.consumer = filter.consumer();
  decoded.topic = filter.topic();
  decoded.user = filter.user_id();
  if (filter.task_id() != 0) decoded.task_id = domain::TaskId{filter.task_id()};
  decoded.reason = filter.reason();
  return decoded;
}

struct Selection {
  ports::DeadLetterFilter filter;
  int limit = 0;
};

/// The dead letters that a Replay or Discard is about, and how many of them at most.
template <typename Request>
Selection DecodeSelection(const Request& request, Violations& violations) {
  Selection selection;
  selection.filter = DecodeFilter(request.filter(), violations);
  for (int i = 0; i < request.ids_size(); ++i) {
    selection.filter.ids.push_back(
        DecodeDeadLetterId(request.ids(i), fmt::format("ids[{}]", i), violations));
  }
  if (request.ids_size() > kLimits.max) {
    violations.Add(
        "ids", fmt::format("has {} ids; at most {} are allowed", request.ids_size(), kLimits.max));
  }
  if (request.ids().empty() && !request.has_filter()) {
    violations.Add("ids",
                   "must be given, or a filter; an empty filter {} selects all open dead letters");
  }
  selection.limit = DecodeCount(request.limit(), "limit", kLimits, violations);
  return selection;
}

// ---- the methods

absl::StatusOr<v1::ListDeadLettersResponse> ListDeadLetters(
    const Operations& operations, const Caller&, const v1::ListDeadLettersRequest& request) {
  Violations violations;
  const ports::DeadLetterFilter filter = DecodeFilter(request.filter(), violations);
  const int limit = DecodePageSize(request.page_size(), violations);
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  TODO_ASSIGN_OR_RETURN(const ports::DeadLetterPage page,
                        operations.letters.List(filter, limit, request.page_token()));
  v1::ListDeadLettersResponse response;
  for (const ports::StoredDeadLetter& stored : page.letters)
    *response.add_dead_letters() = Encode(stored);
  response.set_next_page_token(page.next_cursor);
  return response;
}

absl::StatusOr<v1::DeadLetter> GetDeadLetter(const Operations& operations, const Caller&,
                                             const v1::GetDeadLetterRequest& request) {
  Violations violations;
  const domain::Uuid id = DecodeDeadLetterId(request.id(), "id", violations);
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  TODO_ASSIGN_OR_RETURN(const ports::StoredDeadLetter stored, operations.letters.Get(id));
  return Encode(stored);
}

absl::StatusOr<v1::ReplayDeadLettersResponse> ReplayDeadLetters(
    const Operations& operations, const Caller& caller,
    const v1::ReplayDeadLettersRequest& request) {
  Violations violations;
  const Selection selection = DecodeSelection(request, violations);
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  TODO_ASSIGN_OR_RETURN(const int count, operations.letters.Replay(
                                             selection.filter, selection.limit,
                                             caller.context.user.value, operations.clock.Now()));
  v1::ReplayDeadLettersResponse response;
  response.set_replayed_count(count);
  return response;
}

absl::StatusOr<v1::DiscardDeadLettersResponse> DiscardDeadLetters(
    const Operations& operations, const Caller& caller,
    const v1::DiscardDeadLettersRequest& request) {
  Violations violations;
  const Selection selection = DecodeSelection(request, violations);
  const auto note_length = util::CountCharacters(request.note());
  if (!note_length || *note_length < 1 || *note_length > kMaxNoteCharacters) {
    violations.Add("note", fmt::format("must give the cause of the discard, in 1 to {} characters",
                                       kMaxNoteCharacters));
  }
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  TODO_ASSIGN_OR_RETURN(const int count, operations.letters.Discard(
                                             selection.filter, selection.limit, request.note(),
                                             caller.context.user.value, operations.clock.Now()));
  v1::DiscardDeadLettersResponse response;
  response.set_discarded_count(count);
  return response;
}

absl::StatusOr<v1::RebuildAnalyticsResponse> RebuildAnalytics(const Operations& operations,
                                                              const Caller&,
                                                              const v1::RebuildAnalyticsRequest&) {
  TODO_ASSIGN_OR_RETURN(const ports::UsageRebuild rebuild,
                        operations.usage.StartRebuild(operations.clock.Now()));
  return Encode(rebuild);
}

absl::StatusOr<v1::SetLogLevelResponse> SetLogLevel(const Operations& operations, const Caller&,
                                                    const v1::SetLogLevelRequest& request) {
  v1::SetLogLevelResponse response;
  if (request.level() == v1::LOG_LEVEL_UNSPECIFIED) {
    util::SetLogThreshold(util::SettledLogThreshold());
    response.set_level(Encode(util::SettledLogThreshold()));
    return response;
  }
  Violations violations;
  const std::optional<util::Severity> level = Decode(request.level());
  if (!level) violations.Add("level", "must be DEBUG, INFO, WARNING, ERROR or unspecified");
  const std::chrono::seconds duration(request.has_duration() ? request.duration().seconds()
                                                             : kDefaultLogTime.count());
  if (duration < std::chrono::seconds(1) || duration > kMaxLogTime)
    violations.Add("duration", "must be 1 second to 24 hours");
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  util::SetLogThresholdFor(*level, duration);
  response.set_level(request.level());
  *response.mutable_until() = EncodeInstant(operations.clock.Now() + duration);
  return response;
}

absl::StatusOr<v1::Status> GetStatus(const Operations& operations, const Caller&,
                                     const v1::GetStatusRequest&) {
  TODO_ASSIGN_OR_RETURN(const ports::StoreStatus status, operations.status.Read());
  v1::Status response = EncodeStoreStatus(status);
  TODO_ASSIGN_OR_RETURN(const ports::UsageRebuild rebuild, operations.usage.ReadRebuild());
  *response.mutable_usage_rebuild() = Encode(rebuild);
  const absl::StatusOr<SidecarSummary> summary = operations.sidecar();
  response.set_sidecar_answers(summary.ok());
  if (summary.ok()) {
    response.mutable_components()->Assign(summary->components.begin(), summary->components.end());
    response.mutable_subscriptions()->Assign(summary->subscriptions.begin(),
                                             summary->subscriptions.end());
  }
  return response;
}

absl::Status CheckOperator(const Caller& caller) {
  if (caller.identity.Has(ports::Role::kOperator)) return absl::OkStatus();
  return util::WithReason(
      absl::PermissionDeniedError("only operators may call this: the caller's role is not "
                                  "'operator'"),
      "NOT_AN_OPERATOR");
}

/// A method that refuses all callers but operators.
template <typename Request, typename Response>
MethodDefinition ForOperators(std::string name, std::shared_ptr<const Operations> operations,
                              absl::StatusOr<Response> (*handler)(const Operations&, const Caller&,
                                                                  const Request&)) {
  return Unary<Request, Response>(
      std::move(name),
      [operations = std::move(operations), handler](
          const Caller& caller, const Request& request) -> absl::StatusOr<Response> {
        TODO_RETURN_IF_ERROR(CheckOperator(caller));
        return handler(*operations, caller, request);
      });
}

}  // namespace

ServiceDefinition MakeOpsMethods(ports::DeadLetterStore& letters, ports::ServiceStatus& status,
                                 ports::UsageStore& usage, const ports::Clock& clock,
                                 DescribeSidecar sidecar) {
  const std::shared_ptr<const Operations> operations(new Operations{.letters = letters,
                                                                    .status = status,
                                                                    .usage = usage,
                                                                    .clock = clock,
                                                                    .sidecar = std::move(sidecar)});
  return {.service = v1::GetStatusRequest::descriptor()->file()->FindServiceByName("OpsService"),
          .methods = {ForOperators("ListDeadLetters", operations, ListDeadLetters),
                      ForOperators("GetDeadLetter", operations, GetDeadLetter),
                      ForOperators("ReplayDeadLetters", operations, ReplayDeadLetters),
                      ForOperators("DiscardDeadLetters", operations, DiscardDeadLetters),
                      ForOperators("RebuildAnalytics", operations, RebuildAnalytics),
                      ForOperators("SetLogLevel", operations, SetLogLevel),
                      ForOperators("GetStatus", operations, GetStatus)}};
}

}  // namespace todo::api
