#include "relay/publish_span.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "domain/ids.h"
#include "relay/batch.h"
#include "support/kept_spans.h"
#include "util/trace_context.h"

namespace todo::relay {
namespace {

using support::kCause;
using support::kOtherCause;
using testing::ElementsAre;
using testing::SizeIs;
using util::TraceContext;

std::vector<ports::OutgoingEvent> EventsOf(const std::vector<TraceContext>& causes) {
  std::vector<ports::OutgoingEvent> events;
  for (const TraceContext& cause : causes)
    events.push_back({.key = "ada", .entry_id = "1", .payload = "{}", .cause = cause});
  return events;
}

TEST(PublishSpanTest, OneEventIsSentWithinItsTrace) {
  support::KeptSpans kept;
  PublishSpan("task-events", EventsOf({kCause}))->End(absl::UnavailableError("away"));
  const auto spans = kept.records();
  ASSERT_THAT(spans, SizeIs(1));
  EXPECT_EQ(spans[0].name, "send task-events");
  EXPECT_EQ(spans[0].kind, util::SpanKind::kProducer);
  EXPECT_EQ(spans[0].parent, kCause.span);
  EXPECT_TRUE(spans[0].failed);
}

TEST(PublishSpanTest, ABatchIsLinkedToItsEvents) {
  support::KeptSpans kept;
  PublishSpan("task-events", EventsOf({kCause, kOtherCause, kCause}))->End(absl::OkStatus());
  const auto spans = kept.records();
  ASSERT_THAT(spans, SizeIs(1));
  EXPECT_THAT(spans[0].links, ElementsAre(kCause, kOtherCause));
  EXPECT_EQ(spans[0].parent, 0u);
  EXPECT_FALSE(spans[0].failed);
}

TEST(PublishSpanTest, ABatchKnowsTheCausesOfItsEvents) {
  ports::OutboxBatch content;
  domain::Change& change = content.changes.emplace_back();
  change.traceparent = util::FormatTraceparent(kCause);
  content.messages.push_back({.topic = "reminders",
                              .key = "ada",
                              .id = {},
                              .payload = R"({"specversion":"1.0","traceparent":")" +
                                         util::FormatTraceparent(kOtherCause) + R"(","data":{}})",
                              .at = {}});
  content.messages.push_back(
      {.topic = "reminders", .key = "ada", .id = {}, .payload = R"({"data":{}})", .at = {}});
  const Batch batch =
      MakeBatch(1, content, {.task_events = "task-events", .task_updates = "task-updates"},
                util::Backoff(std::chrono::milliseconds(1), std::chrono::milliseconds(1)));
  ASSERT_THAT(batch.parts, SizeIs(3));
  EXPECT_EQ(batch.parts[0].topic(), "reminders");
  ASSERT_THAT(batch.parts[0].NextRun(), SizeIs(2));
  EXPECT_EQ(batch.parts[0].NextRun()[0].cause, kOtherCause);
  EXPECT_FALSE(batch.parts[0].NextRun()[1].cause.valid());
  EXPECT_EQ(batch.parts[1].NextRun()[0].cause, kCause);
  EXPECT_EQ(batch.parts[2].NextRun()[0].cause, kCause);
}

}  // namespace
}  // namespace todo::relay
