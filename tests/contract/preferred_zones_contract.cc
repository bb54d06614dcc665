#include "contract/preferred_zones_contract.h"

#include <gmock/gmock.h>

#include "contract/contract_support.h"

namespace todo::contract {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PreferredZonesContract);

using domain::UserId;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::vector<std::pair<std::string, domain::Instant>> PreferredZonesContract::Announced(int limit) {
  const auto listed = zones().ListAnnounced(limit);
  EXPECT_TRUE(listed.ok()) << listed.status();
  std::vector<std::pair<std::string, domain::Instant>> announced;
  if (listed.ok()) {
    for (const auto& [user, changed_at] : *listed) announced.emplace_back(user.value, changed_at);
  }
  return announced;
}

TEST_P(PreferredZonesContract, IsUtcUntilOneIsKept) {
  EXPECT_EQ(zones().ZoneOf(UserId{"ann"}).value(), "UTC");
}

TEST_P(PreferredZonesContract, AnswersTheZoneLastKeptForThatUserAlone) {
  ASSERT_TRUE(zones().Keep(UserId{"ann"}, "Europe/Berlin", At("2026-03-01T09:00:00Z")).ok());
  ASSERT_TRUE(zones().Keep(UserId{"bob"}, "Asia/Tokyo", At("2026-03-01T09:00:00Z")).ok());
  EXPECT_EQ(zones().ZoneOf(UserId{"ann"}).value(), "Europe/Berlin");
  ASSERT_TRUE(zones().Keep(UserId{"ann"}, "UTC", At("2026-03-01T09:00:00.000001Z")).ok());
  EXPECT_EQ(zones().ZoneOf(UserId{"ann"}).value(), "UTC");
  EXPECT_EQ(zones().ZoneOf(UserId{"bob"}).value(), "Asia/Tokyo");
}

TEST_P(PreferredZonesContract, KeepsTheZoneOfTheLaterPreferencesInWhateverOrderTheyCome) {
  ASSERT_TRUE(zones().Keep(UserId{"ann"}, "Asia/Tokyo", At("2026-03-01T09:00:01Z")).ok());
  ASSERT_TRUE(zones().Keep(UserId{"ann"}, "Europe/Berlin", At("2026-03-01T09:00:00Z")).ok());
  EXPECT_EQ(zones().ZoneOf(UserId{"ann"}).value(), "Asia/Tokyo");
}

TEST_P(PreferredZonesContract, KeepingTheSameZoneAgainIsHarmless) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(zones().Keep(UserId{"ann"}, "Asia/Tokyo", At("2026-03-01T09:00:01Z")).ok());
    EXPECT_EQ(zones().ZoneOf(UserId{"ann"}).value(), "Asia/Tokyo");
  }
}

TEST_P(PreferredZonesContract, AnAnnouncementLastsUntilAZoneAsLateIsKept) {
  const UserId ann{"ann"};
  ASSERT_TRUE(zones().Announce(ann, At("2026-03-01T09:00:01Z")).ok());
  EXPECT_EQ(zones().ZoneOf(ann).value(), "UTC");
  EXPECT_THAT(Announced(), ElementsAre(Pair("ann", At("2026-03-01T09:00:01Z"))));
  ASSERT_TRUE(zones().Keep(ann, "Asia/Tokyo", At("2026-03-01T09:00:00Z")).ok());
  EXPECT_THAT(Announced(), ElementsAre(Pair("ann", At("2026-03-01T09:00:01Z"))));
  ASSERT_TRUE(zones().Keep(ann, "Europe/Berlin", At("2026-03-01T09:00:01Z")).ok());
  EXPECT_THAT(Announced(), IsEmpty());
  ASSERT_TRUE(zones().Announce(ann, At("2026-03-01T09:00:01Z")).ok());
  EXPECT_THAT(Announced(), IsEmpty()) << "this change is kept already";
  EXPECT_EQ(zones().ZoneOf(ann).value(), "Europe/Berlin");
}

TEST_P(PreferredZonesContract, TheLatestAnnouncementOfAUserCountsAndTheOldestUserComesFirst) {
  ASSERT_TRUE(zones().Announce(UserId{"ann"}, At("2026-03-01T09:00:02Z")).ok());
  ASSERT_TRUE(zones().Announce(UserId{"ann"}, At("2026-03-01T09:00:00Z")).ok());
  ASSERT_TRUE(zones().Announce(UserId{"bob"}, At("2026-03-01T09:00:01Z")).ok());
  EXPECT_THAT(Announced(), ElementsAre(Pair("bob", At("2026-03-01T09:00:01Z")),
                                       Pair("ann", At("2026-03-01T09:00:02Z"))));
  EXPECT_THAT(Announced(1), ElementsAre(Pair("bob", At("2026-03-01T09:00:01Z"))));
}

TEST_P(PreferredZonesContract, OnlyTheAnnouncementThatWasSeenIsWithdrawn) {
  const UserId ann{"ann"};
  ASSERT_TRUE(zones().Keep(ann, "Asia/Tokyo", At("2026-03-01T09:00:00Z")).ok());
  ASSERT_TRUE(zones().Announce(ann, At("2026-03-01T09:00:02Z")).ok());
  ASSERT_TRUE(zones().Withdraw({ann, At("2026-03-01T09:00:01Z")}).ok());
  EXPECT_THAT(Announced(), ElementsAre(Pair("ann", At("2026-03-01T09:00:02Z"))));
  ASSERT_TRUE(zones().Withdraw({ann, At("2026-03-01T09:00:02Z")}).ok());
  EXPECT_THAT(Announced(), IsEmpty());
  EXPECT_EQ(zones().ZoneOf(ann).value(), "Asia/Tokyo");
}

}  // namespace todo::contract
