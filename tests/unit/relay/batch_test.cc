#include "relay/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace todo::relay {
namespace {

using namespace std::chrono_literals;

/// A part with the events 1 to `count`.
BatchPart Part(int count) {
  std::vector<ports::OutgoingEvent> events;
  for (int n = 1; n <= count; ++n)
    events.push_back({.key = "ada", .entry_id = std::to_string(n), .payload = "{}"});
  return {"task-events", std::move(events), util::Backoff(100ms, 1s)};
}

/// The ids of the next run.
std::string Next(const BatchPart& part) {
  std::string ids;
  for (const ports::OutgoingEvent& event : part.NextRun()) ids += event.entry_id;
  return ids;
}

void Fail(BatchPart& part, bool event_to_blame, int times = 1) {
  for (int n = 0; n < times; ++n) {
    part.NoteSent();
    part.NoteFailed(SteadyTime(), event_to_blame);
  }
}
void Acknowledge(BatchPart& part) {
  part.NoteSent();
  part.NoteAcknowledged();
}

TEST(BatchPartTest, OneRunIsInFlightAtATime) {
  BatchPart part = Part(3);
  EXPECT_TRUE(part.waits());
  EXPECT_EQ(Next(part), "123");
  part.NoteSent();
  EXPECT_FALSE(part.waits());
  part.NoteAcknowledged();
  EXPECT_TRUE(part.done());
  EXPECT_FALSE(part.waits());
}

TEST(BatchPartTest, AFailedRunIsRepeatedAfterADoublingPause) {
  BatchPart part = Part(3);
  Fail(part, false);
  EXPECT_EQ(part.retry_at(), SteadyTime() + 100ms);
  Fail(part, false, 9);
  EXPECT_EQ(part.retry_at(), SteadyTime() + 1s);
  EXPECT_EQ(Next(part), "123") << "no event is to blame for a lost connection";
  EXPECT_EQ(part.failures(), 10);
}

TEST(BatchPartTest, ARunThatKeepsFailingIsHalvedUntilOneEventStandsAlone) {
  BatchPart part = Part(4);
  Fail(part, true, 2);
  EXPECT_EQ(Next(part), "1234");
  Fail(part, true);
  EXPECT_EQ(Next(part), "12");
  Acknowledge(part);
  EXPECT_EQ(Next(part), "3") << "the event to blame is 3 or 4";
  Fail(part, true);
  EXPECT_EQ(Next(part), "3");
  EXPECT_EQ(part.next_event_id(), "3");
  Acknowledge(part);
  EXPECT_EQ(Next(part), "4");
  EXPECT_EQ(part.failures(), 0) << "the suspicion has ended";
}

}  // namespace
}  // namespace todo::relay
