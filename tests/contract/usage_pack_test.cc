#include "store/usage_pack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "store/usage_sum.h"

namespace todo::store {
namespace {

using domain::ChangeKind;
using domain::Instant;
using ports::UsageBreakdown;
using ports::UsageCounts;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kFacts[] = R"([
  [100, "created", true, 100, null, 1, ["home", "shop"], "8c0d1a3e-0000-4000-8000-000000000000"],
  [100, "updated", false, null, null, null, [], null],
  [104, "completed", false, 2, 91800000001, 0, ["shop"], null],
  [195, "uncompleted", false, 195, null, 2, ["a\u00e9\u0001"], null],
  [195, "deleted", false, 0, null, 2, [], null]])";

Instant QuarterAt(std::int64_t quarter) { return Instant(quarter * ports::kUsageQuarter); }

UsagePack Parse(std::string_view json) {
  const auto pack = ParseUsageFacts(json);
  EXPECT_TRUE(pack.ok()) << pack.status();
  return pack.value_or(UsagePack{});
}

TEST(UsagePackTest, ReadsWhatTheDatabaseSays) {
  const UsagePack pack = Parse(kFacts);
  ASSERT_THAT(pack.facts, SizeIs(5));
  EXPECT_THAT(pack.texts,
              ElementsAre("home", "shop", "8c0d1a3e-0000-4000-8000-000000000000", "aé\x01"));
  EXPECT_THAT(pack.tags, ElementsAre(0, 1, 1, 3));
  const UsageFact& created = pack.facts[0];
  EXPECT_TRUE(created.born);
  EXPECT_EQ(created.series, 2);
  EXPECT_EQ(created.priority, domain::Priority::kMedium);
  EXPECT_EQ(created.duration, std::nullopt);
  const UsageFact& completed = pack.facts[2];
  EXPECT_EQ(completed.kind, ChangeKind::kCompleted);
  EXPECT_EQ(completed.created, 2);
  EXPECT_EQ(completed.duration, 91'800'000'001);
}

TEST(UsagePackTest, OtherJsonIsRefused) {
  for (const char* json : {"", "{", "[[1]]", "[7]", R"([[1, "made", true, 1, null, 1, [], null]])"})
    EXPECT_EQ(ParseUsageFacts(json).status().code(), absl::StatusCode::kInternal) << json;
}

TEST(UsagePackTest, PackedFactsAreTheSame) {
  const UsagePack pack = Parse(kFacts);
  const std::string bytes = EncodeUsagePack(pack);
  const auto unpacked = DecodeUsagePack(bytes);
  ASSERT_TRUE(unpacked.ok()) << unpacked.status();
  EXPECT_EQ(*unpacked, pack);
  EXPECT_EQ(*DecodeUsagePack(EncodeUsagePack({})), UsagePack{});
}

TEST(UsagePackTest, AFactTakesFewBytes) {
  std::string json = "[";
  for (int i = 0; i < 300; ++i) {
    json += i == 0 ? "" : ",";
    json += R"([1700000, "completed", false, 1699000, 900000000000, 1, ["home", "shop"], null])";
  }
  EXPECT_LT(EncodeUsagePack(Parse(json + "]")).size(), std::size_t{300 * 14});
}

TEST(UsagePackTest, DamagedBytesAreFound) {
  const std::string bytes = EncodeUsagePack(Parse(kFacts));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(DecodeUsagePack(bytes.substr(0, size)).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(DecodeUsagePack(bytes + "x").ok());
  // Whatever the bytes are, decoding them ends, and answers a pack or a status.
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const int value : {0, 1, 0x7f, 0x80, 0xff}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(value);
      const auto pack = DecodeUsagePack(damaged);
      if (!pack.ok()) continue;
      for (const std::uint32_t tag : pack->tags) EXPECT_LT(tag, pack->texts.size());
      for (const UsageFact& fact : pack->facts)
        EXPECT_LE(fact.first_tag + fact.tags, pack->tags.size());
    }
  }
}

TEST(UsageSumTest, EachFactIsInTheBucketOfItsTime) {
  const ports::UsageQuery query{.user = domain::UserId{"ann"},
                                .borders = {QuarterAt(100), QuarterAt(104), QuarterAt(195)},
                                .previous_start = QuarterAt(2),
                                .breakdown = UsageBreakdown::kTag};
  UsageSum sum(query);
  sum.Add(Parse(kFacts));
  ports::Usage usage;
  sum.Finish(usage);
  EXPECT_THAT(usage.buckets, ElementsAre(UsageCounts{.created = 1, .updated = 1, .born = 1},
                                         UsageCounts{.completed = 1}));
  ASSERT_TRUE(usage.previous);
  EXPECT_EQ(usage.previous->counts, UsageCounts{.done = 1});
  EXPECT_EQ(usage.totals.times,
            (ports::UsageTimes{.count = 1, .p50 = 91'800.000001, .p90 = 91'800.000001}));
  ASSERT_THAT(usage.parts, SizeIs(2));
  EXPECT_EQ(usage.parts[0].key, "shop");
  EXPECT_EQ(usage.parts[0].totals.counts, (UsageCounts{.created = 1, .completed = 1, .born = 1}));
  EXPECT_EQ(usage.parts[1].key, "home");
}

TEST(UsageSumTest, WithoutAFactEverythingIsZero) {
  const ports::UsageQuery query{.user = domain::UserId{"ann"},
                                .borders = {QuarterAt(100), QuarterAt(104)}};
  UsageSum sum(query);
  sum.Add({});
  ports::Usage usage;
  sum.Finish(usage);
  EXPECT_THAT(usage.buckets, ElementsAre(UsageCounts{}));
  EXPECT_FALSE(usage.previous);
  EXPECT_THAT(usage.parts, IsEmpty());
}

}  // namespace
}  // namespace todo::store
