#include "domain/task/task.h"
#include "util/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace todo::domain {
namespace {

using util::FieldViolation;

std::string Repeat(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

TEST(CountCharacters, CountsCodePoints) {
  EXPECT_EQ(util::CountCharacters(""), 0u);
  EXPECT_EQ(util::CountCharacters("abc"), 3u);
  EXPECT_EQ(util::CountCharacters("\u00e4\u20ac\U0001f600"), 3u);
}

TEST(CountCharacters, RefusesWhatIsNotUtf8) {
  for (const std::string& text :
       {std::string("\xff"), std::string("\xc3"), std::string("a\xc3("), std::string("\xc0\xaf"),
        std::string("\xe0\x80\xaf"), std::string("\xed\xa0\x80"), std::string("\xf4\x90\x80\x80"),
        std::string("\xf0\x80\x80\xaf"), std::string("a\0b", 3)}) {
    EXPECT_EQ(util::CountCharacters(text), std::nullopt) << testing::PrintToString(text);
  }
}

TEST(CheckTitle, AllowsOneToFiveHundredCharacters) {
  for (const std::size_t count : {1u, 500u}) {
    std::vector<FieldViolation> violations;
    CheckTitle(Repeat("\u00e4", count), "task.", violations);
    EXPECT_TRUE(violations.empty()) << count;
  }
  for (const std::size_t count : {0u, 501u}) {
    std::vector<FieldViolation> violations;
    CheckTitle(Repeat("\u00e4", count), "task.", violations);
    ASSERT_EQ(violations.size(), 1u) << count;
    EXPECT_EQ(violations[0].field, "task.title");
  }
}

TEST(CheckTitle, NeedsAVisibleCharacter) {
  for (const std::string& text :
       {std::string("   "), std::string("\t\n"), std::string("\u200b\u200b"), std::string("\ufeff"),
        std::string("\u2060 \u00ad\u3000"), std::string("\x01\x7f"), std::string("\u202e\u2066"),
        std::string("\u3164"), std::string("\u2800"), std::string("\ufe0f")}) {
    std::vector<FieldViolation> violations;
    CheckTitle(text, "task.", violations);
    CheckTags({text}, "task.", violations);
    ASSERT_EQ(violations.size(), 2u) << testing::PrintToString(text);
    EXPECT_EQ(violations[0].field, "task.title");
    EXPECT_EQ(violations[1].field, "task.tags[0]");
  }
  for (const std::string& text : {std::string("."), std::string(" \u200ba"), std::string("\u00e9"),
                                  std::string("\U0001f600\ufe0f"), std::string("\u0600")}) {
    std::vector<FieldViolation> violations;
    CheckTitle(text, "task.", violations);
    EXPECT_TRUE(violations.empty()) << text;
  }
}

TEST(CheckDescription, AllowsTenThousandCharacters) {
  std::vector<FieldViolation> violations;
  CheckDescription(std::nullopt, "task.", violations);
  CheckDescription(Repeat("x", 10'000), "task.", violations);
  EXPECT_TRUE(violations.empty());
  CheckDescription(Repeat("x", 10'001), "task.", violations);
  EXPECT_EQ(violations, (std::vector<FieldViolation>{
                            {"task.description", "has 10001 characters; the limit is 10000"}}));
}

TEST(CheckTags, NamesEachWrongTag) {
  std::vector<FieldViolation> violations;
  CheckTags({"home", "", Repeat("x", 51), "home"}, "task.", violations);
  ASSERT_EQ(violations.size(), 3u);
  EXPECT_EQ(violations[0].field, "task.tags[1]");
  EXPECT_EQ(violations[1].field, "task.tags[2]");
  EXPECT_EQ(violations[2], (FieldViolation{"task.tags[3]", "is given twice; give each tag once"}));
}

TEST(CheckTags, AllowsTwentyTags) {
  std::vector<std::string> tags;
  for (int i = 0; i < 20; ++i) tags.push_back(std::to_string(i));
  std::vector<FieldViolation> violations;
  CheckTags(tags, "", violations);
  EXPECT_TRUE(violations.empty());
  tags.push_back("20");
  CheckTags(tags, "", violations);
  EXPECT_EQ(violations, (std::vector<FieldViolation>{{"tags", "has 21 tags; the limit is 20"}}));
}

TEST(Etag, ReadsWhatItWrote) {
  EXPECT_EQ(VersionOfEtag(EtagOf(7)), 7);
  for (const char* text : {"", "v", "7", "v0", "v-1", "v7x", "v99999999999999999999"}) {
    EXPECT_EQ(VersionOfEtag(text), std::nullopt) << text;
  }
}

TEST(ResolveLocalDue, TakesDaysAndWallClockTimes) {
  const absl::StatusOr<Due> day = ResolveLocalDue("2026-10-24", "Europe/Berlin");
  ASSERT_TRUE(day.ok()) << day.status();
  EXPECT_EQ(day->kind, DueKind::kDate);
  EXPECT_EQ(FormatInstant(day->at), "2026-10-23T22:00:00Z");
  EXPECT_EQ(FormatDueLocal(*day), "2026-10-24");

  for (const char* text : {"2026-10-26T09:00", "2026-10-26T09:00:00"}) {
    const absl::StatusOr<Due> local = ResolveLocalDue(text, "Europe/Berlin");
    ASSERT_TRUE(local.ok()) << text << ": " << local.status();
    EXPECT_EQ(local->kind, DueKind::kLocal);
    EXPECT_EQ(FormatInstant(local->at), "2026-10-26T08:00:00Z");
    EXPECT_EQ(FormatDueLocal(*local), "2026-10-26T09:00:00");
  }
}

TEST(ResolveLocalDue, RefusesEverythingElse) {
  for (const char* text : {"", "tomorrow", "2026-10-24T09:00:00Z", "2026-10-24T09:00:00+02:00",
                           "2026-02-30", "2026-13-01", "2026-10-24T25:00", "2026-10-24T09:61",
                           " 2026-10-24", "1969-12-31", "99999-01-01", "2026-10-24 09:00:00"}) {
    EXPECT_EQ(ResolveLocalDue(text, "UTC").status().code(), absl::StatusCode::kInvalidArgument)
        << text;
  }
  EXPECT_EQ(ResolveLocalDue("2026-10-24", "Mars/Olympus").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(ResolveDue, SaysTheRangeWhenADateIsOutsideIt) {
  constexpr char kRange[] = "must lie in the years 1970 to 9999 (UTC)";
  EXPECT_EQ(ResolveLocalDue("1969-12-31", "UTC").status().message(), kRange);
  EXPECT_EQ(ResolveInstantDue(kMinInstant - std::chrono::seconds(1)).status().message(), kRange);
  EXPECT_EQ(ResolveInstantDue(kMaxInstant + std::chrono::seconds(1)).status().message(), kRange);
}

TEST(CheckUserId, Bounds) {
  EXPECT_TRUE(CheckUserId("ada").ok());
  EXPECT_TRUE(CheckUserId(std::string(200, 'x')).ok());
  EXPECT_EQ(CheckUserId("").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CheckUserId(std::string(201, 'x')).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CheckUserId("a\xff").code(), absl::StatusCode::kInvalidArgument);
}

TEST(Uuid, ParsesCanonicalForm) {
  EXPECT_EQ(Uuid::Parse("550E8400-e29b-41d4-a716-446655440000")->value(),
            "550e8400-e29b-41d4-a716-446655440000");
  for (const char* text :
       {"", "550e8400e29b41d4a716446655440000", "550e8400-e29b-41d4-a716-44665544000g",
        "{550e8400-e29b-41d4-a716-446655440000}"}) {
    EXPECT_EQ(Uuid::Parse(text), std::nullopt) << text;
  }
}

TEST(Uuid, FromBytesSetsVersionAndVariant) {
  EXPECT_EQ(Uuid::FromBytes(std::string(16, '\xff'), 8).value(),
            "ffffffff-ffff-8fff-bfff-ffffffffffff");
}

}  // namespace
}  // namespace todo::domain
