#include "contract/retry_contract.h"

#include <gmock/gmock.h>

#include "util/status.h"

namespace todo::contract {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RetryContract);

using domain::Delivery;
using ports::InboxTransaction;
using ports::RetryEntry;
using testing::IsEmpty;
using testing::SizeIs;

namespace {

constexpr char kConsumer[] = "recurring";

Delivery NewDelivery(std::int64_t task_id = 1, std::string_view at = "2026-03-01T09:00:00Z") {
  Delivery delivery;
  delivery.event.id = NewEventId();
  delivery.event.user = {"ann"};
  delivery.event.task_id = {task_id};
  delivery.event.at = At(at);
  delivery.record.topic = "task-events";
  delivery.record.bytes = std::string("\0\xff{", 3);
  return delivery;
}

ports::Setback FailedAt(std::string_view failed_at, std::string_view due_at) {
  return {.failed_at = At(failed_at), .due_at = At(due_at), .reason = "failed"};
}

}  // namespace

bool RetryContract::Park(const Delivery& delivery, const ports::Setback& setback) {
  const absl::StatusOr<bool> parked = retries().Park(kConsumer, delivery, setback);
  EXPECT_TRUE(parked.ok()) << parked.status();
  return parked.ok() && *parked;
}

std::vector<RetryEntry> RetryContract::Due(std::string_view now) {
  auto due = retries().Due({kConsumer}, At(now), 10);
  EXPECT_TRUE(due.ok()) << due.status();
  return due.ok() ? *std::move(due) : std::vector<RetryEntry>();
}

std::size_t RetryContract::Claim(const std::vector<Delivery>& deliveries) {
  std::size_t count = 0;
  const absl::Status status = inbox().Transact([&](InboxTransaction& transaction) -> absl::Status {
    TODO_ASSIGN_OR_RETURN(const auto claimed, transaction.Claim(kConsumer, deliveries));
    count = claimed.size();
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  return count;
}

TEST_P(RetryContract, AFailedEventIsDueWhenItsSetbackSays) {
  const Delivery delivery = NewDelivery();
  EXPECT_TRUE(Park(delivery, FailedAt("2026-03-01T10:00:00Z", "2026-03-01T10:00:01Z")));
  EXPECT_THAT(Due("2026-03-01T10:00:00.999Z"), IsEmpty());
  const auto due = Due("2026-03-01T10:00:01Z");
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_EQ(due[0].consumer, kConsumer);
  EXPECT_EQ(due[0].event_id, delivery.event.id);
  EXPECT_EQ(due[0].attempts, 1);
  EXPECT_EQ(due[0].first_failed_at, At("2026-03-01T10:00:00Z"));
  EXPECT_EQ(due[0].due_at, At("2026-03-01T10:00:01Z"));
  EXPECT_EQ(due[0].record.bytes, delivery.record.bytes);
  EXPECT_EQ(retries().NextDue({kConsumer}).value(), At("2026-03-01T10:00:01Z"));
  EXPECT_THAT(retries().Due({"other"}, At("2026-03-02T00:00:00Z"), 10).value(), IsEmpty());
  EXPECT_EQ(retries().NextDue({}).value(), std::nullopt);
}

TEST_P(RetryContract, AnEventThatOnlyWaitsHasNoAttempt) {
  EXPECT_TRUE(
      Park(NewDelivery(),
           {.failed_at = std::nullopt, .due_at = At("2026-03-01T10:00:00Z"), .reason = "away"}));
  const auto due = Due("2026-03-01T10:00:00Z");
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_EQ(due[0].attempts, 0);
  EXPECT_EQ(due[0].first_failed_at, std::nullopt);
}

TEST_P(RetryContract, ParkingClaims) {
  const Delivery delivery = NewDelivery();
  EXPECT_TRUE(Park(delivery, FailedAt("2026-03-01T10:00:00Z", "2026-03-01T10:00:01Z")));
  EXPECT_FALSE(Park(delivery, FailedAt("2026-03-01T10:00:02Z", "2026-03-01T10:00:03Z")));
  EXPECT_EQ(Claim({delivery}), 0u);
  EXPECT_EQ(Due("2026-03-01T10:00:01Z").at(0).attempts, 1);
}

TEST_P(RetryContract, EachFailureCountsOnce) {
  EXPECT_TRUE(Park(NewDelivery(), FailedAt("2026-03-01T10:00:00Z", "2026-03-01T10:00:01Z")));
  const RetryEntry entry = Due("2026-03-01T10:00:01Z").at(0);
  for (int repeat = 0; repeat < 2; ++repeat) {  // two who tried it at once
    EXPECT_TRUE(retries()
                    .Reschedule(entry, At("2026-03-01T10:00:01Z"), At("2026-03-01T10:00:03Z"), "")
                    .ok());
  }
  EXPECT_THAT(Due("2026-03-01T10:00:02Z"), IsEmpty());
  EXPECT_EQ(Due("2026-03-01T10:00:03Z").at(0).attempts, 2);
}

}  // namespace todo::contract
