#include "live/update_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <variant>
#include <vector>

#include "domain/event/event_writer.h"
#include "unit/live/model_database.h"

namespace todo::live {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::SizeIs;

domain::BusRecord Record(std::string bytes) {
  domain::BusRecord record;
  record.topic = "task-updates";
  record.bytes = std::move(bytes);
  return record;
}

domain::Change SomeChange() {
  domain::Task task;
  task.id = {3};
  task.user = {"ada"};
  task.fields.title = "a task";
  task.version = 1;
  domain::Change change;
  change.user = task.user;
  change.seq = 5;
  change.event_id = EventNumber(7);
  change.task_id = task.id;
  change.version = task.version;
  change.task_json = domain::FormatTaskJson(task);
  return change;
}

class UpdateReaderTest : public testing::Test {
 protected:
  std::chrono::steady_clock::time_point now_{std::chrono::hours(1)};
  std::vector<domain::TaskUpdate> published_;
  UpdateReader reader_{
      [this](domain::TaskUpdate update) { published_.push_back(std::move(update)); },
      [](const domain::UserId& user) { return user.value == "unwatched"; },
      [this] { return now_; }};
};

TEST_F(UpdateReaderTest, PublishesRecordsInTheirOrder) {
  const auto statuses = reader_.Process({Record(domain::TaskUpdateRecord(SomeChange()))});
  EXPECT_THAT(statuses, SizeIs(1));
  EXPECT_TRUE(statuses[0].ok());
  ASSERT_THAT(published_, SizeIs(1));
  const auto& change = std::get<domain::Change>(published_[0]);
  EXPECT_EQ(domain::CursorAt(change), domain::CursorAt(SomeChange()));
}

TEST_F(UpdateReaderTest, AcknowledgesWhatItCannotRead) {
  const auto statuses = reader_.Process(
      {Record("no JSON"), Record(domain::TaskUpdateRecord(SomeChange())), Record("{}")});
  EXPECT_THAT(statuses, SizeIs(3));
  EXPECT_THAT(statuses, Each(absl::OkStatus()));
  EXPECT_THAT(published_, SizeIs(1)) << "the good one among them";
  EXPECT_EQ(reader_.malformed_count(), 2u);
}

TEST_F(UpdateReaderTest, DoesNotReadWhatNobodyWaitsFor) {
  domain::BusRecord skipped = Record("no JSON");
  skipped.key = "unwatched";
  domain::BusRecord wanted = Record(domain::TaskUpdateRecord(SomeChange()));
  wanted.key = "ada";
  EXPECT_THAT(reader_.Process({skipped, wanted}), Each(absl::OkStatus()));
  EXPECT_EQ(reader_.malformed_count(), 0u);
  EXPECT_THAT(published_, SizeIs(1));
}

TEST_F(UpdateReaderTest, LogsMalformedRecordsOnceAMinute) {
  testing::internal::CaptureStderr();
  for (int i = 0; i < 61; ++i) {
    reader_.Process({Record("no JSON"), Record("no JSON")});
    now_ += std::chrono::seconds(1);
  }
  const std::string log = testing::internal::GetCapturedStderr();
  const std::size_t first = log.find("live_update_malformed");
  const std::size_t second = log.find("live_update_malformed", first + 1);
  EXPECT_NE(second, std::string::npos) << log;
  EXPECT_EQ(log.find("live_update_malformed", second + 1), std::string::npos) << log;
  EXPECT_THAT(log, HasSubstr("\"malformed\":121"));
}

}  // namespace
}  // namespace todo::live
