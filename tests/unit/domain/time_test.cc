#include "domain/time.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace todo::domain {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

Instant At(std::int64_t epoch_second, std::int64_t micros = 0) {
  return Instant{seconds{epoch_second} + microseconds{micros}};
}

void ExpectParses(std::string_view text, Instant expected) {
  absl::StatusOr<Instant> parsed = ParseInstant(text);
  ASSERT_TRUE(parsed.ok()) << text << ": " << parsed.status();
  EXPECT_EQ(FormatInstant(*parsed), FormatInstant(expected)) << text;
}

TEST(ParseInstant, TakesWhatRfc3339Takes) {
  ExpectParses("1970-01-01T00:00:00Z", At(0));
  ExpectParses("2026-10-24T09:00:00Z", At(1792832400));
  ExpectParses("2026-10-24t09:00:00z", At(1792832400));
  ExpectParses("2026-10-24T11:00:00+02:00", At(1792832400));
  ExpectParses("2026-10-23T23:00:00-10:00", At(1792832400));
  ExpectParses("2026-10-24T09:00:00-00:00", At(1792832400));
  ExpectParses("2024-02-29T00:00:00Z", At(1709164800));
  ExpectParses("9999-12-31T23:59:59.999999Z", kMaxInstant);
}

TEST(ParseInstant, KeepsMicrosecondsAndCutsOffTheRest) {
  ExpectParses("2026-10-24T09:00:00.5Z", At(1792832400, 500'000));
  ExpectParses("2026-10-24T09:00:00.000001Z", At(1792832400, 1));
  ExpectParses("2026-10-24T09:00:00.0000019Z", At(1792832400, 1));
  ExpectParses("2026-10-24T09:00:00.123456789012+00:00", At(1792832400, 123'456));
  ExpectParses("2026-10-24T09:00:00.5" + std::string(1000, '9') + "Z", At(1792832400, 599'999));
}

TEST(ParseInstant, ReadsALeapSecondAsTheNextSecond) {
  ExpectParses("2016-12-31T23:59:60Z", At(1483228800));
  ExpectParses("2016-12-31T23:59:60.75Z", At(1483228800));
  ExpectParses("2017-01-01T00:59:60+01:00", At(1483228800));
  EXPECT_EQ(ParseInstant("2016-12-31T23:58:60Z").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ParseInstant("2016-12-31T12:59:60Z").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(ParseInstant, RefusesEverythingElse) {
  const std::vector<std::string> refused = {
      "",
      "2026",
      "2026-10-24",
      "2026-10-24T09:00:00",
      "2026-10-24T09:00Z",
      "2026-10-24 09:00:00Z",
      "2026-10-24T09:00:00+02",
      "2026-10-24T09:00:00+0200",
      "2026-10-24T09:00:00+24:00",
      "2026-10-24T09:00:00+02:60",
      "2026-10-24T09:00:00.Z",
      "2026-10-24T09:00:00,5Z",
      "2026-10-24T09:00:00ZZ",
      "2026-10-24T09:00:00Z ",
      " 2026-10-24T09:00:00Z",
      "2026-10-24T24:00:00Z",
      "2026-10-24T09:60:00Z",
      "2026-10-24T09:00:61Z",
      "2026-02-29T09:00:00Z",
      "2026-04-31T09:00:00Z",
      "2026-13-01T09:00:00Z",
      "2026-00-01T09:00:00Z",
      "2026-01-00T09:00:00Z",
      "26-10-24T09:00:00Z",
      "+026-10-24T09:00:00Z",
      "20261024T090000Z",
      "1969-12-31T23:59:59Z",
      "1970-01-01T00:00:00+00:01",
      "9999-12-31T23:59:59-00:01",
      "0000-01-01T00:00:00Z",
      std::string("2026-10-24T09:00:00\0Z", 21),
      "2026-10-24T09:00:00." + std::string(1000, '1'),
  };
  for (const std::string& text : refused) {
    absl::StatusOr<Instant> parsed = ParseInstant(text);
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_FALSE(parsed.status().message().empty());
  }
}

TEST(FormatInstant, WritesUtcAndNoMoreDigitsThanNeeded) {
  EXPECT_EQ(FormatInstant(kMinInstant), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatInstant(At(1792832400)), "2026-10-24T09:00:00Z");
  EXPECT_EQ(FormatInstant(At(1792832400, 500'000)), "2026-10-24T09:00:00.500Z");
  EXPECT_EQ(FormatInstant(At(1792832400, 7)), "2026-10-24T09:00:00.000007Z");
  EXPECT_EQ(FormatInstant(kMaxInstant), "9999-12-31T23:59:59.999999Z");
}

TEST(FormatInstant, IsWhatParseInstantReads) {
  for (std::int64_t second = 0; second < 253'402'300'800; second += 86'399'999) {
    for (std::int64_t micros : {0, 1, 250'000, 999'999}) {
      ASSERT_EQ(*ParseInstant(FormatInstant(At(second, micros))), At(second, micros));
    }
  }
}

}  // namespace
}  // namespace todo::domain
