#include "relay/publish_span.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>

namespace todo::relay {

std::shared_ptr<util::Span> PublishSpan(std::string_view topic,
                                        const std::vector<ports::OutgoingEvent>& events) {
  std::vector<util::TraceContext> causes;
  causes.reserve(events.size());
  for (const ports::OutgoingEvent& event : events) causes.push_back(event.cause);
  auto span = std::make_shared<util::Span>(
      util::Span::OfMessages(fmt::format("send {}", topic), util::SpanKind::kProducer, causes));
  if (span->recorded()) {
    span->Set("messaging.system", std::string("dapr"));
    span->Set("messaging.operation.type", std::string("send"));
    span->Set("messaging.destination.name", std::string(topic));
    span->Set("messaging.batch.message_count", static_cast<std::int64_t>(events.size()));
  }
  return span;
}

}  // namespace todo::relay
