#include "service/consumers/event_spans.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "util/trace_context.h"

namespace todo::service {
namespace {

using util::Span;
using util::SpanKind;
using util::TraceContext;

/// Makes what is done for `event`, which came from `cause`, a part of `span`.
void Carry(domain::Event& event, const TraceContext& cause, const Span& span) {
  if (span.context() == cause) return;
  std::visit([&](auto& held) { held.traceparent = util::FormatTraceparent(span.context()); },
             event);
}

}  // namespace

EventSpans::EventSpans(std::string_view consumer, EventBatch& batch) {
  std::vector<TraceContext> causes;
  causes.reserve(batch.headers.size());
  for (const domain::EventHeader& header : batch.headers)
    causes.push_back(util::ParseTraceContext(header.traceparent));
  batch_ = Span::OfMessages(fmt::format("process {}", consumer), SpanKind::kConsumer, causes);
  if (batch_.recorded()) {
    batch_.Set("messaging.system", std::string("dapr"));
    batch_.Set("messaging.operation.type", std::string("process"));
    batch_.Set("messaging.consumer.group.name", std::string(consumer));
    batch_.Set("messaging.batch.message_count", static_cast<std::int64_t>(causes.size()));
  }
  if (causes.size() == 1) Carry(batch.events.front(), causes.front(), batch_);
  if (causes.size() == 1 || !batch_.recorded()) return;
  for (std::size_t i = 0; i < causes.size(); ++i) {
    if (!causes[i].sampled()) continue;
    Span& span =
        events_.emplace_back(fmt::format("apply {}", consumer), SpanKind::kInternal, causes[i]);
    span.Link(batch_.context());
    Carry(batch.events[i], causes[i], span);
  }
}

void EventSpans::End(const absl::Status& status) {
  for (Span& span : events_) span.End(status);
  batch_.End(status);
}

}  // namespace todo::service
