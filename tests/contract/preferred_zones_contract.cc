#include "contract/preferred_zones_contract.h"

#include "contract/contract_support.h"

namespace todo::contract {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PreferredZonesContract);

using domain::UserId;

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

TEST_P(PreferredZonesContract, MayBeToldTheSameAgain) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(zones().Keep(UserId{"ann"}, "Asia/Tokyo", At("2026-03-01T09:00:01Z")).ok());
    EXPECT_EQ(zones().ZoneOf(UserId{"ann"}).value(), "Asia/Tokyo");
  }
}

}  // namespace todo::contract
