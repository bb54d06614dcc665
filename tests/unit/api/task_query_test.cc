#include "api/task_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "support/status_matchers.h"
#include "violations.h"

namespace todo::api {
namespace {

using support::IsOk;
using testing::ElementsAre;
using testing::Optional;
using testing::UnorderedElementsAre;

domain::Instant At(std::string_view text) { return *domain::ParseInstant(text); }

TEST(DecodeListTasksTest, DefaultsAndFilter) {
  v1::ListTasksRequest request;
  auto query = DecodeListTasks(request);
  ASSERT_THAT(query, IsOk());
  EXPECT_EQ(query->limit, 50);
  EXPECT_EQ(query->order, ports::TaskOrder::kCreatedAt);
  EXPECT_FALSE(query->descending || query->completed || query->priority || query->tag ||
               query->due_from || query->due_before);

  request.set_page_size(500);
  request.set_order_by(" due_date  desc ");
  auto& filter = *request.mutable_filter();
  filter.set_completed(false);
  filter.set_priority(v1::PRIORITY_LOW);
  filter.set_tag("home");
  filter.set_text("milk");
  filter.mutable_due_from()->set_seconds(-62'135'596'800);
  filter.mutable_due_before()->set_seconds(1'000);
  query = DecodeListTasks(request);
  ASSERT_THAT(query, IsOk());
  EXPECT_EQ(query->limit, 500);
  EXPECT_EQ(query->order, ports::TaskOrder::kDueDate);
  EXPECT_TRUE(query->descending);
  EXPECT_THAT(query->completed, Optional(false));
  EXPECT_THAT(query->priority, Optional(domain::Priority::kLow));
  EXPECT_THAT(query->tag, Optional(std::string("home")));
  EXPECT_EQ(query->text, "milk");
  EXPECT_THAT(query->due_from, Optional(domain::kMinInstant))
      << "earlier than anything that is stored";
  EXPECT_THAT(query->due_before, Optional(At("1970-01-01T00:16:40Z")));
}

TEST(DecodeListTasksTest, NamesEveryViolation) {
  v1::ListTasksRequest request;
  request.set_page_size(501);
  request.set_page_token("no token");
  request.set_order_by("title; drop table tasks");
  auto& filter = *request.mutable_filter();
  filter.set_priority(static_cast<v1::Priority>(4));
  filter.set_tag(std::string(51, 'x'));
  filter.set_text(std::string(501, 'x'));
  filter.mutable_due_from()->set_nanos(-1);
  filter.mutable_due_before()->set_nanos(-1);
  EXPECT_THAT(
      ViolationsOf(DecodeListTasks(request)),
      UnorderedElementsAre(Violation("page_size", "is 501; it must be 1 to 500"),
                           Violation("page_token", "next_page_token"),
                           Violation("order_by", "created_at"), Violation("filter.priority", ""),
                           Violation("filter.tag", "50"), Violation("filter.text", "500"),
                           Violation("filter.due_from", ""), Violation("filter.due_before", "")));
  request.Clear();
  request.set_page_size(-1);
  EXPECT_THAT(ViolationsOf(DecodeListTasks(request)), ElementsAre(Violation("page_size", "is -1")));
}

TEST(DecodeListTasksTest, OrderByHasOneGrammar) {
  for (const char* good : {"created_at", "due_date", "priority desc", "title", "updated_at desc"}) {
    v1::ListTasksRequest request;
    request.set_order_by(good);
    EXPECT_THAT(DecodeListTasks(request), IsOk()) << good;
  }
  for (const char* bad :
       {"id", "Title", "title asc", "title,due_date", "title desc desc", "desc", "title\tdesc"}) {
    v1::ListTasksRequest request;
    request.set_order_by(bad);
    EXPECT_THAT(ViolationsOf(DecodeListTasks(request)), ElementsAre(Violation("order_by", "")))
        << bad;
  }
}

TEST(PageTokenTest, BelongsToItsQuery) {
  v1::ListTasksRequest request;
  request.set_order_by("title");
  request.mutable_filter()->set_tag("home");
  EXPECT_EQ(EncodePageToken(request, ""), "");
  request.set_page_token(EncodePageToken(request, "cursor\xff"));
  request.set_page_size(7);  // may change
  ASSERT_THAT(DecodeListTasks(request), IsOk());
  EXPECT_EQ(DecodeListTasks(request)->page_cursor, "cursor\xff");

  v1::ListTasksRequest other = request;
  other.set_order_by("title desc");
  EXPECT_THAT(ViolationsOf(DecodeListTasks(other)), ElementsAre(Violation("page_token", "")));
  other = request;
  other.mutable_filter()->clear_tag();
  EXPECT_THAT(ViolationsOf(DecodeListTasks(other)), ElementsAre(Violation("page_token", "")));
  other = request;
  other.set_page_token(request.page_token().substr(0, 8));
  EXPECT_THAT(ViolationsOf(DecodeListTasks(other)), ElementsAre(Violation("page_token", "")));
  other.set_page_token(std::string(1'000'000, 'A'));
  EXPECT_THAT(ViolationsOf(DecodeListTasks(other)), ElementsAre(Violation("page_token", "")));
}

}  // namespace
}  // namespace todo::api
