#include "util/span.h"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "util/log.h"

namespace todo::util {
namespace {

constexpr TraceContext kSampled{.trace_high = 1, .trace_low = 2, .span = 3, .flags = 1};
constexpr TraceContext kUnsampled{.trace_high = 1, .trace_low = 2, .span = 3, .flags = 0};

class Kept final : public SpanSink {
 public:
  void Take(SpanRecord record) override { records.push_back(std::move(record)); }
  std::vector<SpanRecord> records;
};

class SpanTest : public testing::Test {
 protected:
  SpanTest() { SetSpanSink(&sink_); }
  ~SpanTest() override { SetSpanSink(nullptr); }
  Kept sink_;
};

TEST_F(SpanTest, APartOfItsParent) {
  Span("work", SpanKind::kServer, kSampled).Set("todo.count", std::int64_t{2});
  ASSERT_EQ(sink_.records.size(), 1u);
  const SpanRecord& record = sink_.records.front();
  EXPECT_EQ(record.name, "work");
  EXPECT_EQ(record.kind, SpanKind::kServer);
  EXPECT_EQ(record.parent, 3u);
  EXPECT_EQ(TraceIdOf(record.context), TraceIdOf(kSampled));
  EXPECT_NE(record.context.span, 3u);
  EXPECT_LE(record.begin, record.end);
  EXPECT_EQ(record.attributes.size(), 1u);
  EXPECT_FALSE(record.failed);
}

TEST_F(SpanTest, AStatusSaysWhetherItFailed) {
  Span("work", SpanKind::kClient, kSampled).End(absl::OkStatus());
  Span("work", SpanKind::kClient, kSampled).End(absl::UnavailableError("away"));
  ASSERT_EQ(sink_.records.size(), 2u);
  EXPECT_FALSE(sink_.records[0].failed);
  EXPECT_TRUE(sink_.records[1].failed);
  ASSERT_EQ(sink_.records[1].attributes.size(), 1u);
  EXPECT_EQ(sink_.records[1].attributes[0].first, "error.type");
  EXPECT_EQ(std::get<std::string>(sink_.records[1].attributes[0].second), "UNAVAILABLE");
}

TEST_F(SpanTest, WithoutAParentItBeginsATrace) {
  Span span("work", SpanKind::kServer, {});
  EXPECT_TRUE(span.recorded());
  EXPECT_TRUE(span.context().valid());
  EXPECT_TRUE(span.context().sampled());
  span.End();
  span.End();
  ASSERT_EQ(sink_.records.size(), 1u);
  EXPECT_EQ(sink_.records.front().parent, 0u);
}

TEST_F(SpanTest, WhatIsNotRecordedHandsOnItsParent) {
  EXPECT_EQ(Span("work", SpanKind::kServer, kUnsampled).context(), kUnsampled);
  SetSpanSink(nullptr);
  EXPECT_EQ(Span("work", SpanKind::kServer, kSampled).context(), kSampled);
  const Span alone("work", SpanKind::kServer, {});
  EXPECT_TRUE(alone.context().valid());
  EXPECT_FALSE(alone.context().sampled());
  EXPECT_TRUE(sink_.records.empty());
}

TEST_F(SpanTest, MovesToItsHolder) {
  Span first("first", SpanKind::kServer, kSampled);
  Span second(std::move(first));
  first.End();  // NOLINT(bugprone-use-after-move): a moved span is none
  EXPECT_TRUE(sink_.records.empty());
  second = Span("third", SpanKind::kServer, kSampled);
  ASSERT_EQ(sink_.records.size(), 1u);
  EXPECT_EQ(sink_.records.front().name, "first");
}

TEST_F(SpanTest, SeveralMessagesAreLinks) {
  const std::array<TraceContext, 3> causes{
      kUnsampled, TraceContext{.trace_high = 4, .trace_low = 5, .span = 6, .flags = 1},
      TraceContext()};
  Span span = Span::OfMessages("process", SpanKind::kConsumer, causes);
  EXPECT_NE(TraceIdOf(span.context()), TraceIdOf(kSampled));
  span.Fail();
  span.End();
  ASSERT_EQ(sink_.records.size(), 1u);
  EXPECT_EQ(sink_.records.front().links.size(), 2u);
  EXPECT_EQ(sink_.records.front().parent, 0u);
  EXPECT_TRUE(sink_.records.front().failed);
}

TEST_F(SpanTest, OneMessageIsTheParent) {
  { const Span span = Span::OfMessages("process", SpanKind::kConsumer, std::array{kSampled}); }
  ASSERT_EQ(sink_.records.size(), 1u);
  EXPECT_EQ(sink_.records.front().parent, 3u);
  EXPECT_TRUE(sink_.records.front().links.empty());
}

TEST_F(SpanTest, LinksToUnrecordedTracesRecordNothing) {
  {
    const Span span = Span::Linked("fire", SpanKind::kInternal, std::array{kUnsampled});
    EXPECT_EQ(span.context(), kUnsampled);
  }
  EXPECT_TRUE(sink_.records.empty());
}

TEST_F(SpanTest, TheRatioDecidesAboutTracesThatBeginHere) {
  constexpr int kTraces = 10'000;
  SetSpanSink(&sink_, 0.25);
  for (int i = 0; i < kTraces; ++i) Span("work", SpanKind::kServer, {}).End();
  EXPECT_GT(sink_.records.size(), 2'200u);
  EXPECT_LT(sink_.records.size(), 2'800u);
  sink_.records.clear();
  SetSpanSink(&sink_, 0);
  for (int i = 0; i < kTraces; ++i) Span("work", SpanKind::kServer, {}).End();
  EXPECT_TRUE(sink_.records.empty());
  Span("work", SpanKind::kServer, kSampled).End();
  EXPECT_EQ(sink_.records.size(), 1u) << "the beginner of a trace decides";
}

TEST(WithTraceTest, LinesOfTheLogNameTheCurrentTrace) {
  testing::internal::CaptureStderr();
  {
    const WithTrace outer(kSampled);
    {
      const WithTrace inner(TraceContext{.trace_high = 7, .trace_low = 8, .span = 9, .flags = 0});
      Log(Severity::kInfo, "inner");
    }
    Log(Severity::kInfo, "outer");
  }
  Log(Severity::kInfo, "none");
  std::istringstream lines(testing::internal::GetCapturedStderr());
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(nlohmann::json::parse(line)["trace_id"], "00000000000000070000000000000008");
  std::getline(lines, line);
  EXPECT_EQ(nlohmann::json::parse(line)["trace_id"], "00000000000000010000000000000002");
  EXPECT_EQ(nlohmann::json::parse(line)["span_id"], "0000000000000003");
  std::getline(lines, line);
  EXPECT_FALSE(nlohmann::json::parse(line).contains("trace_id"));
}

}  // namespace
}  // namespace todo::util
