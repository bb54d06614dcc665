#include "store/task_row.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/binary_row_reader.h"

namespace todo::store {
namespace {

constexpr domain::Instant kNow{std::chrono::sys_days{std::chrono::year{1999} / 12 / 31}};

domain::Uuid UuidOf(std::string_view text) { return domain::Uuid::Parse(text).value(); }

/// With a value in each field.
domain::Task WholeTask() {
  domain::Task task;
  task.id = {1'234'567'890'123};
  task.user = {"ada"};
  task.version = 3;
  task.seq = 9;
  task.fields.title = "Größe \"x\"";
  task.fields.description = "";
  task.fields.priority = domain::Priority::kHigh;
  task.fields.tags = {"one", "", "a,b{\"}"};
  task.fields.due = {.kind = domain::DueKind::kLocal,
                     .local = absl::CivilSecond(1970, 2, 3, 4, 5, 6),
                     .at = kNow + std::chrono::microseconds(1)};
  task.fields.time_zone = "Europe/Vienna";
  task.fields.recurrence_rule = "FREQ=DAILY";
  task.fields.recurrence_basis = domain::RecurrenceBasis::kCompletion;
  task.completed = true;
  task.completed_at = kNow + std::chrono::seconds(5);
  task.created_at = kNow;
  task.updated_at = kNow + std::chrono::hours(100'000);
  task.skipped_at = kNow;
  task.deleted = true;
  task.series = {.series_id = UuidOf("8c0d1a3e-0f00-4000-8000-0000000000ff"),
                 .occurrence = 4,
                 .rule_since = 2,
                 .anchor = absl::CivilSecond(2026, 1, 1),
                 .anchor_is_later = true,
                 .scheduled = absl::CivilSecond(2026, 1, 2, 0, 0, 1),
                 .missed = 7,
                 .following = {}};
  task.series->following.title = "later";
  task.series->following.tags = std::vector<std::string>{};
  return task;
}

std::string RowOf(const domain::Task& task) { return TaskRow(task, kNow, true).bytes(); }

TEST(TaskRowTest, EveryFieldIsReadAsItWasWritten) {
  EXPECT_EQ(DecodeTaskRow(RowOf(WholeTask())).value(), WholeTask());
}

TEST(TaskRowTest, NullsAreReadAsFieldsWithoutAValue) {
  domain::Task task;
  task.user = {"ada"};
  task.fields.title = "t";
  EXPECT_EQ(DecodeTaskRow(RowOf(task)).value(), task);
}

TEST(TaskRowTest, ARowThatIsCutOffIsRefused) {
  testing::internal::CaptureStderr();
  const std::string row = RowOf(WholeTask());
  for (std::size_t size = 0; size < row.size(); ++size)
    EXPECT_EQ(DecodeTaskRow(row.substr(0, size)).status().code(), absl::StatusCode::kInternal);
  EXPECT_FALSE(DecodeTaskRow(row + '\0').ok());
  testing::internal::GetCapturedStderr();
}

TEST(BinaryRowReaderTest, ARowOfOtherColumnsIsRefused) {
  const std::string row = BinaryRow(std::int64_t{1}, std::optional<bool>()).bytes();
  std::int64_t number = 0;
  std::optional<bool> flag;
  EXPECT_TRUE(ReadRow(row, number, flag));
  EXPECT_FALSE(ReadRow(row, number)) << "fewer";
  EXPECT_FALSE(ReadRow(row, number, flag, flag)) << "more";
  std::int16_t small = 0;
  EXPECT_FALSE(ReadRow(row, small, flag)) << "another size";
  bool never_null = false;
  EXPECT_FALSE(ReadRow(row, number, never_null)) << "null";
}

TEST(BinaryRowReaderTest, NumbersHaveTheirSign) {
  EXPECT_EQ(NumberOf(""), 0);
  EXPECT_EQ(NumberOf("\xff"), -1);
  EXPECT_EQ(NumberOf(std::string_view("\0\xff", 2)), 255);
  EXPECT_EQ(NumberOf(std::string_view("\x80\0\0\0\0\0\0\0", 8)), INT64_MIN);
}

TEST(BinaryRowReaderTest, TimesOfHalfASecondAreNoWallClock) {
  absl::CivilSecond at;
  EXPECT_TRUE(ReadValue(std::string_view("\0\0\0\0\0\x0f\x42\x40", 8), at));
  EXPECT_EQ(at, absl::CivilSecond(2000, 1, 1, 0, 0, 1));
  EXPECT_FALSE(ReadValue(std::string_view("\0\0\0\0\0\x0f\x42\x41", 8), at));
}

}  // namespace
}  // namespace todo::store
