#include "service/consumers/event_spans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/kept_spans.h"
#include "util/trace_context.h"

namespace todo::service {
namespace {

using support::kCause;
using support::kOtherCause;
using testing::ElementsAre;
using testing::SizeIs;
using util::SpanKind;
using util::SpanRecord;
using util::TraceContext;

EventBatch BatchOf(const std::vector<TraceContext>& causes) {
  EventBatch batch;
  for (const TraceContext& cause : causes) {
    domain::TaskEvent event;
    event.traceparent = util::FormatTraceparent(cause);
    domain::ReceivedEvent received;
    received.event = event;
    batch.Add(std::move(event), std::move(received));
  }
  return batch;
}

TraceContext PlaceOf(const domain::Event& event) {
  return util::ParseTraceContext(HeaderOf(event).traceparent);
}

TEST(EventSpansTest, OneEventGoesOnInItsTrace) {
  support::KeptSpans kept;
  EventBatch batch = BatchOf({kCause});
  EventSpans spans("webhooks", batch);
  EXPECT_EQ(PlaceOf(batch.events.front()), spans.span().context())
      << "what the consumer makes of it is a part of the span";
  EXPECT_EQ(util::ParseTraceContext(batch.headers.front().traceparent), kCause);
  spans.End(absl::OkStatus());
  const std::vector<SpanRecord> records = kept.records();
  ASSERT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0].name, "process webhooks");
  EXPECT_EQ(records[0].kind, SpanKind::kConsumer);
  EXPECT_EQ(records[0].parent, kCause.span);
  EXPECT_FALSE(records[0].failed);
}

TEST(EventSpansTest, ABatchIsLinkedToItsEventsAndEachEventHasASpanInItsOwnTrace) {
  support::KeptSpans kept;
  EventBatch batch = BatchOf({kCause, {}, kOtherCause});
  EventSpans spans("webhooks", batch);
  spans.End(absl::UnavailableError("away"));
  const std::vector<SpanRecord> events = kept.Named("apply webhooks");
  const std::vector<SpanRecord> batches = kept.Named("process webhooks");
  ASSERT_THAT(events, SizeIs(2));
  ASSERT_THAT(batches, SizeIs(1));
  EXPECT_THAT(batches[0].links, ElementsAre(kCause, kOtherCause));
  EXPECT_EQ(batches[0].parent, 0u);
  EXPECT_TRUE(batches[0].failed);
  EXPECT_EQ(events[0].parent, kCause.span);
  EXPECT_EQ(events[1].parent, kOtherCause.span);
  EXPECT_THAT(events[1].links, ElementsAre(batches[0].context));
  EXPECT_EQ(PlaceOf(batch.events[0]), events[0].context);
  EXPECT_FALSE(PlaceOf(batch.events[1]).valid());
  EXPECT_EQ(PlaceOf(batch.events[2]), events[1].context);
}

TEST(EventSpansTest, WithoutACollectorEventsStayAsTheyAre) {
  EventBatch batch = BatchOf({kCause, kOtherCause});
  EventSpans spans("webhooks", batch);
  EXPECT_FALSE(spans.span().recorded());
  EXPECT_EQ(PlaceOf(batch.events[0]), kCause);
  EXPECT_EQ(PlaceOf(batch.events[1]), kOtherCause);
}

}  // namespace
}  // namespace todo::service
