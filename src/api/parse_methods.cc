#include "api/parse_methods.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/request_parts.h"
#include "api/task_enums.h"
#include "chat/grammar/grammar.h"
#include "domain/reminder/reminder.h"
#include "domain/time_zone.h"
#include "todo/v1/todo_service.pb.h"
#include "util/status.h"
#include "util/utf8.h"

namespace todo::api {
namespace {

constexpr std::size_t kMaxTextCharacters = 2'000;
constexpr int kMaxPlainSpans = 50;

/// Where each character of a text begins, in bytes, and last the length of the text. Precondition:
/// the text is UTF-8.
class CharacterOffsets {
 public:
  explicit CharacterOffsets(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at)
      if ((static_cast<unsigned char>(text[at]) & 0xc0U) != 0x80U) offsets_.push_back(at);
    offsets_.push_back(text.size());
  }

  std::size_t BytesAt(std::int32_t character) const {
    return offsets_[static_cast<std::size_t>(character)];
  }
  std::int32_t CharacterAt(std::size_t byte) const {
    return static_cast<std::int32_t>(std::ranges::lower_bound(offsets_, byte) - offsets_.begin());
  }
  std::int32_t count() const { return static_cast<std::int32_t>(offsets_.size()) - 1; }

 private:
  std::vector<std::size_t> offsets_;
};

std::vector<chat::Span> DecodePlain(const v1::ParseTaskRequest& request, Violations& violations) {
  if (request.plain_size() > kMaxPlainSpans) {
    violations.Add("plain", fmt::format("has {} stretches; the limit is {}", request.plain_size(),
                                        kMaxPlainSpans));
    return {};
  }
  const CharacterOffsets offsets(request.text());
  std::vector<chat::Span> spans;
  std::int32_t last_end = 0;
  for (int i = 0; i < request.plain_size(); ++i) {
    const v1::TextSpan& span = request.plain(i);
    if (span.start() < last_end || span.start() >= span.end() || span.end() > offsets.count()) {
      violations.Add(fmt::format("plain[{}]", i),
                     "must begin behind the stretch before it, hold at least one character and end "
                     "within the text; positions count characters (Unicode code points)");
      return {};
    }
    spans.push_back({offsets.BytesAt(span.start()), offsets.BytesAt(span.end())});
    last_end = span.end();
  }
  return spans;
}

void CheckTextLength(const std::string& text, Violations& violations) {
  const auto count = util::CountCharacters(text);
  if (!count) {
    CheckText(text, "text", violations);
  } else if (*count < 1 || *count > kMaxTextCharacters) {
    violations.Add("text",
                   fmt::format("has {} characters; give 1 to {}", *count, kMaxTextCharacters));
  }
}

v1::ParseTaskResponse::Kind Encode(chat::PieceKind kind) {
  switch (kind) {
    case chat::PieceKind::kDueDate: return v1::ParseTaskResponse::DUE_DATE;
    case chat::PieceKind::kRecurrence: return v1::ParseTaskResponse::RECURRENCE;
    case chat::PieceKind::kPriority: return v1::ParseTaskResponse::PRIORITY;
    case chat::PieceKind::kTag: return v1::ParseTaskResponse::TAG;
    case chat::PieceKind::kReminder: return v1::ParseTaskResponse::REMINDER;
  }
  return v1::ParseTaskResponse::KIND_UNSPECIFIED;
}

v1::ParseTaskResponse Encode(chat::TaskPhrase phrase, const std::string& text,
                             const domain::TimeZone& zone) {
  v1::ParseTaskResponse response;
  v1::Task& task = *response.mutable_task();
  task.set_title(std::move(phrase.title));
  if (phrase.priority) task.set_priority(kPriorities.Encode(*phrase.priority));
  for (std::string& tag : phrase.tags) task.add_tags(std::move(tag));
  if (phrase.due) task.set_due_local(chat::ToDueLocal(*phrase.due));
  task.set_time_zone(zone.name());
  if (phrase.recurrence_rule) {
    task.set_recurrence_rule(*std::move(phrase.recurrence_rule));
    task.set_recurrence_basis(kBases.Encode(phrase.basis));
  }
  for (const chat::ReminderPhrase& reminder : phrase.reminders) {
    auto& out = *response.add_reminders();
    if (reminder.at) *out.mutable_at() = EncodeInstant(zone.ToInstant(reminder.at->local));
    if (reminder.before) out.set_before(domain::FormatPeriod(*reminder.before));
  }
  const CharacterOffsets offsets(text);
  for (chat::Piece& piece : phrase.pieces) {
    auto& out = *response.add_pieces();
    out.mutable_span()->set_start(offsets.CharacterAt(piece.span.begin));
    out.mutable_span()->set_end(offsets.CharacterAt(piece.span.end));
    out.set_kind(Encode(piece.kind));
    out.set_text(text.substr(piece.span.begin, piece.span.end - piece.span.begin));
    out.set_meaning(std::move(piece.meaning));
  }
  for (std::string& note : phrase.notes) response.add_notes(std::move(note));
  return response;
}

absl::StatusOr<v1::ParseTaskResponse> ParseTask(service::NotificationSettings& settings,
                                                const ports::Clock& clock, const Caller& caller,
                                                const v1::ParseTaskRequest& request) {
  Violations violations;
  CheckTextLength(request.text(), violations);
  if (violations.empty() && !request.time_zone().empty()) {
    const auto zone = domain::TimeZone::Load(request.time_zone());
    if (!zone.ok()) violations.Add("time_zone", std::string(zone.status().message()));
  }
  std::vector<chat::Span> plain;
  if (violations.empty()) plain = DecodePlain(request, violations);
  TODO_RETURN_IF_ERROR(violations.ToStatus());

  TODO_ASSIGN_OR_RETURN(const service::Preferences preferences,
                        settings.GetPreferences(caller.context.user));
  const std::string& zone_name =
      request.time_zone().empty() ? preferences.values.time_zone : request.time_zone();
  TODO_ASSIGN_OR_RETURN(const domain::TimeZone zone, domain::TimeZone::Load(zone_name));
  const chat::GrammarContext context{
      .now = clock.Now(), .zone = zone, .wording = preferences.values.wording};
  return Encode(chat::ParseTaskPhrase(request.text(), context, plain), request.text(), zone);
}

}  // namespace

MethodDefinition ParseTaskMethod(service::NotificationSettings& settings,
                                 const ports::Clock& clock) {
  return Unary<v1::ParseTaskRequest, v1::ParseTaskResponse>(
      "ParseTask", [&settings, &clock](const Caller& caller, const v1::ParseTaskRequest& request) {
        return ParseTask(settings, clock, caller, request);
      });
}

}  // namespace todo::api
