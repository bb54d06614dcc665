#include "api/chat_methods.h"

#include <cstddef>
#include <utility>

#include "api/request_parts.h"
#include "api/task_encoding.h"
#include "todo/v1/chat_service.pb.h"
#include "util/status.h"

namespace todo::api {
namespace {

v1::SendResponse::Kind EncodeKind(chat::ActionKind kind) {
  using chat::ActionKind;
  using Response = v1::SendResponse;
  switch (kind) {
    case ActionKind::kAdd: return Response::ADD;
    case ActionKind::kComplete: return Response::COMPLETE;
    case ActionKind::kUncomplete: return Response::UNCOMPLETE;
    case ActionKind::kDelete: return Response::DELETE;
    case ActionKind::kRename: return Response::RENAME;
    case ActionKind::kPostpone: return Response::POSTPONE;
    case ActionKind::kRemind: return Response::REMIND;
    case ActionKind::kList: return Response::LIST;
    case ActionKind::kSearch: return Response::SEARCH;
    case ActionKind::kUsage: return Response::USAGE;
    case ActionKind::kUndo: return Response::UNDO;
    case ActionKind::kHelp: return Response::HELP;
  }
  return Response::KIND_UNSPECIFIED;
}

v1::SendResponse::Usage EncodeUsage(const service::UsageSummary& usage) {
  v1::SendResponse::Usage encoded;
  encoded.set_created(usage.created);
  encoded.set_completed(usage.completed);
  encoded.set_open(usage.open);
  encoded.set_overdue(usage.overdue);
  encoded.set_streak_days(usage.streak_days);
  return encoded;
}

/// `room`: how many bytes of tasks still fit into the response.
v1::SendResponse::Action EncodeAction(const chat::Action& action, std::size_t& room) {
  v1::SendResponse::Action encoded;
  encoded.set_kind(EncodeKind(action.kind));
  for (const domain::Task& task : action.tasks) {
    v1::Task one = EncodeTask(task);
    const std::size_t bytes = one.ByteSizeLong();
    if (bytes > room) break;
    room -= bytes;
    *encoded.add_tasks() = std::move(one);
  }
  for (const int number : action.reminder_numbers) encoded.add_reminder_numbers(number);
  for (const chat::Resolved& resolved : action.resolved) {
    v1::SendResponse::Resolved& one = *encoded.add_resolved();
    one.set_phrase(resolved.phrase);
    one.set_meaning(resolved.meaning);
    *one.mutable_time() = EncodeInstant(resolved.time);
  }
  if (action.usage) *encoded.mutable_usage() = EncodeUsage(*action.usage);
  encoded.set_changed(action.changed);
  for (const std::string& note : action.notes) encoded.add_notes(note);
  return encoded;
}

v1::SendResponse::Question EncodeQuestion(const chat::Question& question) {
  v1::SendResponse::Question encoded;
  encoded.set_text(question.text);
  encoded.set_kind(EncodeKind(question.kind));
  for (const chat::Offer& offer : question.offers) {
    v1::SendResponse::Choice& choice = *encoded.add_choices();
    choice.set_number(offer.number);
    *choice.mutable_task() = EncodeTask(offer.task);
  }
  *encoded.mutable_expire_time() = EncodeInstant(question.expires_at);
  return encoded;
}

absl::StatusOr<v1::SendResponse> Send(chat::Conversation& conversation, const Caller& caller,
                                      const v1::SendRequest& request) {
  Violations violations;
  CheckRequestId(request.request_id(), violations);
  CheckText(request.time_zone(), "time_zone", violations);
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  TODO_ASSIGN_OR_RETURN(const chat::Reply reply,
                        conversation.Send(caller.context, {.text = request.text(),
                                                           .time_zone = request.time_zone()}));
  v1::SendResponse response;
  response.set_text(reply.text);
  std::size_t room = kMaxPageBytes;
  for (const chat::Action& action : reply.actions)
    *response.add_actions() = EncodeAction(action, room);
  if (reply.question) *response.mutable_question() = EncodeQuestion(*reply.question);
  response.set_understood_by(reply.understood_by);
  response.set_undoable(reply.undoable);
  return response;
}

}  // namespace

ServiceDefinition MakeChatMethods(chat::Conversation& conversation) {
  return {.service = v1::SendRequest::descriptor()->file()->FindServiceByName("ChatService"),
          .methods = {Unary("Send", conversation, Send)}};
}

}  // namespace todo::api
