#include "api/analytics_methods.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "served.h"
#include "service/analytics/usage_counter.h"
#include "support/fake_database.h"
#include "support/fake_event_inbox.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_usage_store.h"
#include "todo/v1/analytics_service.grpc.pb.h"
#include "violations.h"

namespace todo::api {
namespace {

domain::Instant At(std::string_view text) { return *domain::ParseInstant(text); }

class StandingClock final : public ports::Clock {
 public:
  domain::Instant Now() const override { return At("2026-03-10T09:00:00Z"); }
};

/// The service as clients see it, on stores in memory. ann has completed a task of high priority.
class AnalyticsMethodsTest : public testing::Test {
 protected:
  AnalyticsMethodsTest() {
    const ports::UsageEvent event{.user = {"ann"},
                                  .event_id = {},
                                  .task_id = {7},
                                  .kind = domain::ChangeKind::kCompleted,
                                  .at = At("2026-03-09T09:00:00Z"),
                                  .created_at = At("2026-03-09T08:00:00Z"),
                                  .priority = domain::Priority::kHigh};
    const absl::Status status = inbox_.Transact([&](ports::InboxTransaction& transaction) {
      return transaction.usage().Count({event}, At("2026-01-01T00:00:00Z"));
    });
    EXPECT_TRUE(status.ok()) << status;
  }

  grpc::Status Get(const v1::GetUsageRequest& request, v1::Usage& usage,
                   const std::string& user = "ann", bool is_operator = false) {
    const auto context = CallAs(user);
    if (is_operator) context->AddMetadata("x-user-role", "operator");
    return stub_->GetUsage(context.get(), request, &usage);
  }
  grpc::StatusCode CodeOf(const v1::GetUsageRequest& request, bool is_operator = false) {
    v1::Usage usage;
    return Get(request, usage, "ann", is_operator).error_code();
  }

  StandingClock clock_;
  support::FakeDatabase database_;
  support::FakeEventInbox inbox_{database_};
  support::FakeUsageStore store_{database_};
  support::FakePreferredZones zones_{database_};
  service::UsageService usage_{store_, zones_, clock_};
  Served served_{MakeAnalyticsMethods(usage_)};
  std::unique_ptr<v1::AnalyticsService::Stub> stub_ =
      v1::AnalyticsService::NewStub(served_.channel());
};

TEST_F(AnalyticsMethodsTest, AUserSeesTheOwnNumbers) {
  v1::GetUsageRequest request;
  request.set_breakdown(v1::USAGE_BREAKDOWN_PRIORITY);
  request.set_compare(true);
  v1::Usage usage;
  ASSERT_TRUE(Get(request, usage).ok());
  ASSERT_EQ(usage.points_size(), 30);
  EXPECT_EQ(usage.points(28).counts().completed(), 1);
  EXPECT_EQ(usage.points(28).start().seconds(), 1773014400);  // 2026-03-09
  EXPECT_FALSE(usage.points(28).unfinished());
  EXPECT_TRUE(usage.points(29).unfinished());
  EXPECT_EQ(usage.totals().counts().completed(), 1);
  EXPECT_EQ(usage.totals().completion_rate(), -1);
  EXPECT_EQ(usage.totals().completion_times().count(), 1);
  EXPECT_EQ(usage.totals().completion_times().p90(), 3600);
  EXPECT_TRUE(usage.has_previous());
  ASSERT_EQ(usage.parts_size(), 1);
  EXPECT_EQ(usage.parts(0).key(), "high");
  EXPECT_EQ(usage.parts(0).counts().completed(), 1);
  EXPECT_EQ(usage.streak_days(), 1);
  EXPECT_EQ(usage.longest_streak_days(), 1);
  EXPECT_EQ(usage.time_zone(), "UTC");
  EXPECT_FALSE(usage.has_active_users());

  ASSERT_TRUE(Get({}, usage, "bob").ok());
  EXPECT_EQ(usage.totals().counts().completed(), 0);
}

TEST_F(AnalyticsMethodsTest, OnlyAnOperatorSeesOthers) {
  v1::GetUsageRequest request;
  v1::Usage usage;
  for (const char* user : {"ann", "*"}) {
    request.set_user_id(user);
    const grpc::Status refused = Get(request, usage, "bob");
    EXPECT_EQ(refused.error_code(), grpc::PERMISSION_DENIED);
    EXPECT_EQ(ReasonOf(refused), "NOT_AN_OPERATOR");
    ASSERT_TRUE(Get(request, usage, "bob", true).ok());
    EXPECT_EQ(usage.totals().counts().completed(), 1);
    EXPECT_EQ(usage.has_active_users(), request.user_id() == "*");
  }
  EXPECT_EQ(usage.active_users().week(), 1);
  EXPECT_EQ(usage.active_users().day(), 0);
  request.set_user_id("ann");
  EXPECT_TRUE(Get(request, usage, "ann").ok()) << "the own id is no other user";
}

TEST_F(AnalyticsMethodsTest, SaysWhichFieldIsWrong) {
  v1::GetUsageRequest request;
  request.set_time_zone("Nowhere");
  EXPECT_EQ(CodeOf(request), grpc::INVALID_ARGUMENT);
  request = {};
  request.set_bucket(static_cast<v1::UsageBucket>(77));
  EXPECT_EQ(CodeOf(request), grpc::INVALID_ARGUMENT);
  request = {};
  request.set_breakdown(static_cast<v1::UsageBreakdown>(77));
  EXPECT_EQ(CodeOf(request), grpc::INVALID_ARGUMENT);
  request = {};
  request.set_user_id("*");
  request.set_breakdown(v1::USAGE_BREAKDOWN_SERIES);
  EXPECT_EQ(CodeOf(request, true), grpc::INVALID_ARGUMENT);
  request = {};
  request.mutable_start()->set_seconds(0);
  EXPECT_EQ(CodeOf(request), grpc::INVALID_ARGUMENT) << "too many days";
  request.set_bucket(v1::USAGE_BUCKET_MONTH);
  EXPECT_EQ(CodeOf(request), grpc::OK);
  request.mutable_end()->set_seconds(0);
  EXPECT_EQ(CodeOf(request), grpc::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace todo::api
