#include "api/ops_service.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "api/encoding.h"
#include "domain/event/dead_letter.h"
#include "domain/task/task.h"
#include "todo/v1/ops_service.pb.h"
#include "util/status.h"
#include "util/utf8.h"

namespace todo::api {
namespace {

namespace v1 = ::todo::v1;
using util::FieldViolation;
using Violations = std::vector<FieldViolation>;

constexpr int kMaxPageSize = 500;
constexpr int kDefaultPageSize = 50;
constexpr int kMaxLimit = 1'000;
constexpr int kDefaultLimit = 100;
constexpr std::size_t kMaxNoteCharacters = 500;

google::protobuf::Timestamp Encode(domain::Instant at) { return EncodeInstant(at); }

v1::DeadLetterState Encode(ports::DeadLetterState state) {
  switch (state) {
    case ports::DeadLetterState::kOpen: return v1::DEAD_LETTER_STATE_OPEN;
    case ports::DeadLetterState::kReplayed: return v1::DEAD_LETTER_STATE_REPLAYED;
    case ports::DeadLetterState::kDiscarded: return v1::DEAD_LETTER_STATE_DISCARDED;
  }
  return v1::DEAD_LETTER_STATE_UNSPECIFIED;
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
  *encoded.mutable_first_failed_at() = Encode(letter.first_failed_at);
  *encoded.mutable_last_failed_at() = Encode(letter.last_failed_at);
  encoded.set_topic(letter.record.topic);
  encoded.set_partition(letter.record.partition);
  encoded.set_offset(letter.record.offset);
  encoded.set_record_key(letter.record.key);
  encoded.set_content_type(letter.record.content_type);
  encoded.set_record(letter.record.bytes);
  encoded.set_state(Encode(stored.state));
  encoded.set_note(stored.note);
  encoded.set_resolved_by(stored.resolved_by);
  if (stored.resolved_at) *encoded.mutable_resolved_at() = Encode(*stored.resolved_at);
  return encoded;
}

void CheckText(const std::string& text, std::string_view field, Violations& violations) {
  if (!util::CountCharacters(text)) {
    violations.push_back({std::string(field), "must be valid UTF-8 without NUL characters"});
  }
}

ports::DeadLetterFilter Decode(const v1::DeadLetterFilter& filter, Violations& violations) {
  ports::DeadLetterFilter decoded;
  switch (filter.state()) {
    case v1::DEAD_LETTER_STATE_UNSPECIFIED: break;
    case v1::DEAD_LETTER_STATE_OPEN: decoded.state = ports::DeadLetterState::kOpen; break;
    case v1::DEAD_LETTER_STATE_REPLAYED: decoded.state = ports::DeadLetterState::kReplayed; break;
    case v1::DEAD_LETTER_STATE_DISCARDED: decoded.state = ports::DeadLetterState::kDiscarded; break;
    default: violations.push_back({"filter.state", "is not a state that exists"});
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

/// What Replay and Discard have in common: which ones, and how many at most.
template <typename Request>
ports::DeadLetterFilter DecodeSelection(const Request& request, Violations& violations) {
  ports::DeadLetterFilter filter = Decode(request.filter(), violations);
  for (int i = 0; i < request.ids_size(); ++i) {
    if (const auto id = domain::Uuid::Parse(request.ids(i))) {
      filter.ids.push_back(*id);
    } else {
      violations.push_back(
          {fmt::format("ids[{}]", i), "is no id of a dead letter: those are UUIDs"});
    }
  }
  if (request.ids_size() > kMaxLimit) {
    violations.push_back(
        {"ids", fmt::format("has {} ids; the limit is {}", request.ids_size(), kMaxLimit)});
  }
  if (request.ids().empty() && !request.has_filter()) {
    violations.push_back(
        {"ids", "give ids, or a filter; an empty filter {} means all that are open"});
  }
  if (request.limit() < 0 || request.limit() > kMaxLimit) {
    violations.push_back(
        {"limit", fmt::format("is {}; it must be 1 to {}, or 0 for the default of {}",
                              request.limit(), kMaxLimit, kDefaultLimit)});
  }
  return filter;
}

int LimitOf(int limit) { return limit == 0 ? kDefaultLimit : limit; }

absl::Status CheckOperator(const Caller& caller) {
  if (caller.identity.is_operator) return absl::OkStatus();
  return util::WithReason(
      absl::PermissionDeniedError("this is for operators: the caller's role is not 'operator'"),
      "NOT_AN_OPERATOR");
}

/// A method that only operators reach.
template <typename Request, typename Response, typename Handler>
UnaryMethod ForOperators(std::string name, Handler handler) {
  return Unary<Request, Response>(
      std::move(name),
      [handler = std::move(handler)](const Caller& caller,
                                     const Request& request) -> absl::StatusOr<Response> {
        TODO_RETURN_IF_ERROR(CheckOperator(caller));
        return handler(caller, request);
      });
}

absl::StatusOr<v1::ListDeadLettersResponse> List(ports::DeadLetterStore& letters,
                                                 const v1::ListDeadLettersRequest& request) {
  Violations violations;
  const ports::DeadLetterFilter filter = Decode(request.filter(), violations);
  const int size = request.page_size();
  if (size < 0 || size > kMaxPageSize) {
    violations.push_back(
        {"page_size", fmt::format("is {}; it must be 1 to {}, or 0 for the default of {}", size,
                                  kMaxPageSize, kDefaultPageSize)});
  }
  if (!violations.empty()) return util::InvalidFields(violations);
  TODO_ASSIGN_OR_RETURN(
      const ports::DeadLetterPage page,
      letters.List(filter, size == 0 ? kDefaultPageSize : size, request.page_token()));
  v1::ListDeadLettersResponse response;
  for (const ports::StoredDeadLetter& stored : page.letters)
    *response.add_dead_letters() = Encode(stored);
  response.set_next_page_token(page.next_cursor);
  return response;
}

absl::StatusOr<v1::Status> GetStatus(ports::ServiceStatus& service_status,
                                     const DescribeSidecar& sidecar) {
  TODO_ASSIGN_OR_RETURN(const ports::StoreStatus status, service_status.Read());
  v1::Status response;
  response.set_unpublished_changes(status.unpublished_changes);
  response.set_unpublished_messages(status.unpublished_messages);
  if (status.oldest_unpublished)
    *response.mutable_oldest_unpublished() = Encode(*status.oldest_unpublished);
  response.set_waiting_retries(status.waiting_retries);
  if (status.next_retry) *response.mutable_next_retry() = Encode(*status.next_retry);
  response.set_open_dead_letters(status.open_dead_letters);
  response.set_lost_events(status.lost_events);
  response.set_pending_reminders(status.pending_reminders);
  response.set_overdue_reminders(status.overdue_reminders);
  response.set_unplanned_reminders(status.unplanned_reminders);
  response.set_unwritten_jobs(status.unwritten_jobs);
  response.set_pending_deliveries(status.pending_deliveries);
  if (status.oldest_delivery) *response.mutable_oldest_delivery() = Encode(*status.oldest_delivery);
  for (const ports::StoreStatus::Shard& shard : status.shards) {
    v1::Status::Shard& encoded = *response.add_shards();
    encoded.set_number(shard.number);
    encoded.set_owner(shard.owner);
    encoded.set_epoch(shard.epoch);
    encoded.set_leased(shard.leased);
  }
  const absl::StatusOr<SidecarSummary> summary = sidecar();
  response.set_sidecar_answers(summary.ok());
  if (summary.ok()) {
    response.mutable_components()->Assign(summary->components.begin(), summary->components.end());
    response.mutable_subscriptions()->Assign(summary->subscriptions.begin(),
                                             summary->subscriptions.end());
  }
  return response;
}

}  // namespace

std::unique_ptr<GatedService> MakeOpsService(ports::DeadLetterStore& letters,
                                             ports::ServiceStatus& status,
                                             const ports::Clock& clock, DescribeSidecar sidecar,
                                             Gate& gate) {
  std::vector<UnaryMethod> methods;
  methods.push_back(ForOperators<v1::ListDeadLettersRequest, v1::ListDeadLettersResponse>(
      "ListDeadLetters", [&letters](const Caller&, const v1::ListDeadLettersRequest& request) {
        return List(letters, request);
      }));
  methods.push_back(ForOperators<v1::GetDeadLetterRequest, v1::DeadLetter>(
      "GetDeadLetter",
      [&letters](const Caller&,
                 const v1::GetDeadLetterRequest& request) -> absl::StatusOr<v1::DeadLetter> {
        const auto id = domain::Uuid::Parse(request.id());
        if (!id) return util::InvalidFields({{"id", "is no id of a dead letter: those are UUIDs"}});
        TODO_ASSIGN_OR_RETURN(const ports::StoredDeadLetter stored, letters.Get(*id));
        return Encode(stored);
      }));
  methods.push_back(ForOperators<v1::ReplayDeadLettersRequest, v1::ReplayDeadLettersResponse>(
      "ReplayDeadLetters",
      [&letters, &clock](const Caller& caller, const v1::ReplayDeadLettersRequest& request)
          -> absl::StatusOr<v1::ReplayDeadLettersResponse> {
        Violations violations;
        const ports::DeadLetterFilter filter = DecodeSelection(request, violations);
        if (!violations.empty()) return util::InvalidFields(violations);
        TODO_ASSIGN_OR_RETURN(const int count,
                              letters.Replay(filter, LimitOf(request.limit()),
                                             caller.identity.user.value, clock.Now()));
        v1::ReplayDeadLettersResponse response;
        response.set_replayed_count(count);
        return response;
      }));
  methods.push_back(ForOperators<v1::DiscardDeadLettersRequest, v1::DiscardDeadLettersResponse>(
      "DiscardDeadLetters",
      [&letters, &clock](const Caller& caller, const v1::DiscardDeadLettersRequest& request)
          -> absl::StatusOr<v1::DiscardDeadLettersResponse> {
        Violations violations;
        const ports::DeadLetterFilter filter = DecodeSelection(request, violations);
        const auto note_length = util::CountCharacters(request.note());
        if (!note_length || *note_length < 1 || *note_length > kMaxNoteCharacters) {
          violations.push_back(
              {"note", fmt::format("says why: 1 to {} characters", kMaxNoteCharacters)});
        }
        if (!violations.empty()) return util::InvalidFields(violations);
        TODO_ASSIGN_OR_RETURN(const int count,
                              letters.Discard(filter, LimitOf(request.limit()), request.note(),
                                              caller.identity.user.value, clock.Now()));
        v1::DiscardDeadLettersResponse response;
        response.set_discarded_count(count);
        return response;
      }));
  methods.push_back(ForOperators<v1::GetStatusRequest, v1::Status>(
      "GetStatus",
      [&status, sidecar = std::move(sidecar)](const Caller&, const v1::GetStatusRequest&) {
        return GetStatus(status, sidecar);
      }));
  return std::make_unique<GatedService>(
      *v1::GetStatusRequest::descriptor()->file()->FindServiceByName("OpsService"),
      std::move(methods), gate);
}

}  // namespace todo::api
