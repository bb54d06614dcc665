#include "domain/event/dead_letter.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "domain/event/event_reader.h"
#include "domain/event/event_writer.h"
#include "util/digest.h"
#include "util/status.h"
#include "util/utf8.h"

namespace todo::domain {
namespace {

constexpr std::size_t kMaxTextBytes = 1'000;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

Uuid Derive(std::string_view name) { return Uuid::FromBytes(util::Sha256(name).substr(0, 16), 8); }

std::string Quote(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// `record` with every text cut. Its bytes stay whole.
BusRecord Shorten(BusRecord record) {
  record.key = util::CutText(record.key, kMaxTextBytes);
  record.content_type = util::CutText(record.content_type, kMaxTextBytes);
  return record;
}

}  // namespace

Uuid DeadLetterId(std::string_view consumer, const EventId& event_id) {
  return Derive(fmt::format("dead-letter {} {}", event_id.value(), consumer));
}

EventId UnreadableEventId(const BusRecord& record) {
  return EventId{Derive(fmt::format("unreadable {} {} {} {}", record.partition, record.offset,
                                    record.topic, record.bytes))};
}

std::string DeadLetterTopic(std::string_view topic) { return fmt::format("{}-dlq", topic); }

DeadLetter UnreadableDeadLetter(std::string_view consumer, const BusRecord& record,
                                std::string_view reason, Instant now) {
  DeadLetter letter;
  letter.consumer = consumer;
  letter.event_id = UnreadableEventId(record);
  letter.has_event_id = false;
  letter.id = DeadLetterId(consumer, letter.event_id);
  // Every redelivery must find the same inbox row, so its day cannot be today's.
  letter.event_at = kMinInstant;
  letter.first_failed_at = letter.last_failed_at = now;
  letter.reason = util::CutText(reason, kMaxTextBytes);
  letter.record = Shorten(record);
  return letter;
}

DeadLetter DeadLetterOf(std::string_view consumer, const ReceivedEvent& received, int attempts,
                        Instant first_failed_at, Instant last_failed_at, std::string_view reason) {
  DeadLetter letter;
  letter.id = DeadLetterId(consumer, received.event.id);
  letter.consumer = consumer;
  letter.event_id = received.event.id;
  letter.user = received.event.user;
  letter.task_id = received.event.task_id;
  letter.event_at = received.event.at;
  letter.identity = received.event.identity;
  letter.attempts = attempts;
  letter.first_failed_at = first_failed_at;
  letter.last_failed_at = last_failed_at;
  letter.reason = util::CutText(reason, kMaxTextBytes);
  letter.record = Shorten(received.record);
  return letter;
}

std::string DeadLetterRecord(const DeadLetter& letter) {
  const BusRecord& record = letter.record;
  const auto tell = [&](const std::string& reason) {
    std::string text = fmt::format(
        R"({{"specversion":"1.0","id":"{}","source":"{}","type":"todo.event.dead.v1","time":"{}")"
        R"(,"dlqreason":{},"dlqconsumer":{},"dlqattempts":{},"dlqfirstfailedat":"{}","dlqlastfailedat":"{}","dlqtopic":{})",
        letter.id.value(), kEventSource, FormatInstant(letter.last_failed_at), Quote(reason),
        Quote(letter.consumer), letter.attempts, FormatInstant(letter.first_failed_at),
        FormatInstant(letter.last_failed_at), Quote(record.topic));
    if (letter.has_event_id) text += fmt::format(R"(,"dlqeventid":"{}")", letter.event_id.value());
    if (record.partition >= 0) text += fmt::format(R"(,"dlqpartition":{})", record.partition);
    if (record.offset >= 0) text += fmt::format(R"(,"dlqoffset":"{}")", record.offset);
    return text;
  };
  // `data` holds only JSON that every reader takes, also in the middle of a text. `accept` checks
  // it without building the document.
  const bool is_json = util::CountCharacters(record.bytes) &&
                       !record.bytes.starts_with(kByteOrderMark) && !NestsTooDeep(record.bytes) &&
                       nlohmann::json::accept(record.bytes);
  const std::string original =
      is_json ? fmt::format(R"(,"datacontenttype":"application/json","data":{})", record.bytes)
              : fmt::format(R"(,"data_base64":"{}")",
                            util::FromAbsl(absl::Base64Escape(util::ToAbsl(record.bytes))));
  const std::string text = tell(letter.reason);
  if (record.key.size() + text.size() + original.size() + 1 < kMaxDeadLetterBytes) {
    return text + original + "}";
  }
  return tell(fmt::format("{} (the record of {} bytes does not fit the dead-letter topic: read it "
                          "with OpsService.GetDeadLetter)",
                          letter.reason, record.bytes.size())) +
         "}";
}

}  // namespace todo::domain
