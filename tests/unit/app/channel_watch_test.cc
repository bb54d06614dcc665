#include "app/channel_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "app/channel_setup.h"
#include "app/config/config.h"
#include "app/system_clock.h"
#include "support/fake_secret_store.h"
#include "support/status_matchers.h"

namespace todo::app {
namespace {

using domain::Channel;
using support::IsOk;
using testing::ElementsAre;
using testing::Key;
using Again = ChannelWatch::Again;

class ChannelWatchTest : public testing::Test {
 protected:
  void SetUp() override { testing::internal::CaptureStderr(); }
  void TearDown() override { testing::internal::GetCapturedStderr(); }
  bool Has(Channel channel) {
    const auto known = channels_.Get();
    return known != nullptr && known->Has(channel);
  }

  const std::string master_key_ = std::string(32, 'k');
  Config config_ =
      LoadConfig({"--database-url=host=none", "--webhook-allow-hosts=127.0.0.1"}, {}).config;
  SystemClock clock_;
  support::FakeSecretStore secrets_;
  service::ChannelSet channels_;
  ChannelWatch watch_{config_, secrets_, clock_, channels_};
};

TEST_F(ChannelWatchTest, WhileTheSecretStoreFailsEveryChannelMayBeOn) {
  secrets_.failure = absl::UnavailableError("away");
  EXPECT_EQ(watch_.Look(), Again::kSoon);
  EXPECT_EQ(channels_.Get(), nullptr);
  for (const Channel channel : {Channel::kWebhook, Channel::kEmail, Channel::kPush})
    EXPECT_TRUE(channels_.MayHave(channel)) << "what is to be sent is queued";
  secrets_.failure = absl::OkStatus();
  secrets_.values["webhook-master-key"] = master_key_;
  watch_.Look();
  EXPECT_TRUE(Has(Channel::kWebhook));
}

TEST_F(ChannelWatchTest, ASecretThatComesLaterSwitchesItsChannelOn) {
  EXPECT_EQ(watch_.Look(), Again::kLater);
  ASSERT_NE(channels_.Get(), nullptr);
  EXPECT_FALSE(channels_.MayHave(Channel::kWebhook));
  secrets_.values["webhook-master-key"] = "short";
  EXPECT_EQ(watch_.Look(), Again::kLater);
  secrets_.values["webhook-master-key"] = master_key_;
  EXPECT_EQ(watch_.Look(), Again::kLater) << "the key of Web Push is still missing";
  EXPECT_TRUE(Has(Channel::kWebhook));
}

TEST_F(ChannelWatchTest, AFailureLaterOnSwitchesNothingOff) {
  secrets_.values["webhook-master-key"] = master_key_;
  EXPECT_EQ(watch_.Look(), Again::kLater);
  secrets_.failure = absl::UnavailableError("away");
  EXPECT_EQ(watch_.Look(), Again::kSoon);
  EXPECT_TRUE(Has(Channel::kWebhook));
}

TEST_F(ChannelWatchTest, ALackingSettingIsNotLookedForAgain) {
  secrets_.values["webhook-master-key"] = master_key_;
  secrets_.values["vapid-private-key"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE";
  const auto setup = SetUpChannels(config_, secrets_, clock_);
  ASSERT_THAT(setup, IsOk());
  EXPECT_THAT(setup->on, ElementsAre("webhook"));
  EXPECT_THAT(setup->off, ElementsAre(Key("email"), Key("push")));
  EXPECT_EQ(watch_.Look(), Again::kNever) << "smtp-url, and a contact for push services";
  config_.vapid_contact = "https://todo.example";
  EXPECT_THAT(SetUpChannels(config_, secrets_, clock_)->on, ElementsAre("webhook", "push"));
}

}  // namespace
}  // namespace todo::app
