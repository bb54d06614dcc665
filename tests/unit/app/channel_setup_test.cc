#include "app/channel_setup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "app/config/config.h"
#include "app/system_clock.h"
#include "domain/notification/channel.h"
#include "support/fake_secret_store.h"
#include "support/status_matchers.h"

namespace todo::app {
namespace {

using domain::Channel;
using support::IsOk;
using support::StatusIs;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

const char kMasterKey[] = "MASTER-KEY-of-more-than-32-characters";
const char kVapidKey[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";  // bytes 0 to 31

class ChannelSetupTest : public testing::Test {
 protected:
  ChannelSetupTest() {
    config_.smtp_url = "smtp://mail.example";
    config_.mail_from = "Todo <todo@example.org>";
    secrets_.values = {{"webhook-master-key", kMasterKey}, {"vapid-private-key", kVapidKey}};
  }
  ChannelSetup SetUpAll() {
    EXPECT_THAT(ChannelFaults(config_), IsEmpty());
    auto setup = SetUpChannels(config_, secrets_, clock_);
    EXPECT_THAT(setup, IsOk());
    return setup.ok() ? *std::move(setup) : ChannelSetup();
  }

  ChannelSettings config_;
  support::FakeSecretStore secrets_;
  SystemClock clock_;
};

TEST_F(ChannelSetupTest, WithEverythingThatIsNeededAllChannelsAreOn) {
  const ChannelSetup setup = SetUpAll();
  EXPECT_THAT(setup.on, UnorderedElementsAre("webhook", "email", "push"));
  EXPECT_THAT(setup.off, IsEmpty());
  for (const Channel channel : {Channel::kWebhook, Channel::kEmail, Channel::kPush})
    EXPECT_TRUE(setup.channels.Has(channel));
  EXPECT_EQ(setup.channels.webhook_master_key, kMasterKey);
  EXPECT_EQ(setup.channels.mail_from, "todo@example.org");
  EXPECT_EQ(setup.channels.push_public_key.size(), 87U) << "65 bytes as base64url";
}

TEST_F(ChannelSetupTest, WithNothingAllAreOffAndSayWhatTheyLack) {
  config_ = {};
  secrets_.values.clear();
  const ChannelSetup setup = SetUpAll();
  EXPECT_THAT(setup.on, IsEmpty());
  EXPECT_THAT(setup.off, UnorderedElementsAre(
                             Pair("webhook", "entry webhook-master-key of the secret is missing"),
                             Pair("email", "smtp-url is not set"),
                             Pair("push", "entry vapid-private-key of the secret is missing")));
  for (const Channel channel : {Channel::kWebhook, Channel::kEmail, Channel::kPush})
    EXPECT_FALSE(setup.channels.Has(channel));
}

TEST_F(ChannelSetupTest, AChannelThatLacksSomethingDoesNotAffectTheOthers) {
  secrets_.values["webhook-master-key"] = std::string(31, 'k');
  ChannelSetup setup = SetUpAll();
  EXPECT_THAT(setup.on, ElementsAre("email", "push"));
  EXPECT_THAT(setup.off, ElementsAre(Pair("webhook", HasSubstr("shorter than 32 characters"))));

  secrets_.values["webhook-master-key"] = kMasterKey;
  secrets_.values["vapid-private-key"] = "no key";
  setup = SetUpAll();
  EXPECT_THAT(setup.on, ElementsAre("webhook", "email"));
  EXPECT_THAT(setup.off, ElementsAre(Pair("push", HasSubstr("VAPID key"))));

  secrets_.values["vapid-private-key"] = "";  // as Kubernetes has it before somebody fills it
  setup = SetUpAll();
  EXPECT_THAT(setup.off,
              ElementsAre(Pair("push", "entry vapid-private-key of the secret is missing")));
}

TEST_F(ChannelSetupTest, WhyAChannelIsOffNeverQuotesASecret) {
  secrets_.values = {
      {"webhook-master-key", "HUSH"}, {"vapid-private-key", "HUSH"}, {"smtp-user", "HUSH"}};
  const ChannelSetup setup = SetUpAll();
  EXPECT_THAT(setup.off, testing::SizeIs(3));
  for (const auto& [channel, why] : setup.off) EXPECT_THAT(why, Not(HasSubstr("HUSH"))) << channel;
}

TEST_F(ChannelSetupTest, MailNeedsUserAndPasswordTogetherAndEncryptionWithThem) {
  secrets_.values["smtp-user"] = "todo";
  EXPECT_THAT(SetUpAll().off,
              ElementsAre(Pair("email", "entry smtp-password of the secret is missing")));
  secrets_.values.erase("smtp-user");
  secrets_.values["smtp-password"] = "p";
  EXPECT_THAT(SetUpAll().off,
              ElementsAre(Pair("email", "entry smtp-user of the secret is missing")));
  secrets_.values["smtp-user"] = "todo";
  EXPECT_THAT(SetUpAll().off, IsEmpty());
  config_.smtp_url = "smtp+plain://127.0.0.1";
  EXPECT_THAT(SetUpAll().off, ElementsAre(Pair("email", HasSubstr("STARTTLS or TLS only"))));
}

TEST_F(ChannelSetupTest, TheNamesOfTheSecretsAreSettings) {
  config_.webhook_master_key_entry = "signing";
  EXPECT_THAT(SetUpAll().off,
              ElementsAre(Pair("webhook", "entry signing of the secret is missing")));
  secrets_.values["signing"] = kMasterKey;
  EXPECT_THAT(SetUpAll().off, IsEmpty());
}

TEST_F(ChannelSetupTest, PushFallsBackToTheMailAddressAsContact) {
  config_.smtp_url = "";
  EXPECT_THAT(SetUpAll().on, ElementsAre("webhook", "push"));
  config_.mail_from = "";
  EXPECT_THAT(SetUpAll().off,
              UnorderedElementsAre(Pair("email", "smtp-url is not set"),
                                   Pair("push", "neither vapid-contact nor mail-from is set")));
  config_.vapid_contact = "https://example.org/contact";
  EXPECT_THAT(SetUpAll().on, ElementsAre("webhook", "push"));
}

TEST_F(ChannelSetupTest, AStoreThatDoesNotAnswerIsAskedAgain) {
  for (const char* name :
       {"webhook-master-key", "smtp-user", "smtp-password", "vapid-private-key"}) {
    secrets_.away = name;
    EXPECT_THAT(SetUpChannels(config_, secrets_, clock_), StatusIs(absl::StatusCode::kUnavailable))
        << name;
  }
}

TEST_F(ChannelSetupTest, UrlsOfMailServers) {
  for (const char* good :
       {"smtp://mail.example", "smtp://mail.example:587", "smtp://mail.example:587/",
        "smtps://10.0.0.1", "smtp+plain://127.0.0.1:25", "smtp://[::1]", "smtps://[fe80::1]:465"}) {
    config_.smtp_url = good;
    EXPECT_THAT(ChannelFaults(config_), IsEmpty()) << good;
    EXPECT_THAT(SetUpAll().off, IsEmpty()) << good;
  }
  const std::pair<const char*, const char*> bad[] = {
      {"mail.example", "must begin with"},
      {"http://mail.example", "must begin with"},
      {"smtp:mail.example", "must begin with"},
      {"smtp://", "host name"},
      {"smtp://:25", "host name"},
      {"smtp://mail example", "host name"},
      {"smtp://mail.example/inbox", "host name"},
      {"smtp://mail.example:", "number as its port"},
      {"smtp://mail.example:smtp", "number as its port"},
      {"smtp://mail.example:99999999999", "number as its port"},
      {"smtp://mail.example:0", "1 to 65535"},
      {"smtp://mail.example:-5", "1 to 65535"},
      {"smtp://mail.example:65536", "1 to 65535"},
      {"smtp://::1", "in brackets"},
      {"smtp://[::1", "in brackets"},
      {"smtp://u:hush@mail.example", "must not name a user"},
  };
  for (const auto& [url, why] : bad) {
    config_.smtp_url = url;
    EXPECT_THAT(ChannelFaults(config_), ElementsAre(HasSubstr(why))) << url;
    EXPECT_THAT(ChannelFaults(config_), ElementsAre(Not(HasSubstr("hush")))) << url;
  }
}

TEST_F(ChannelSetupTest, MailNeedsASender) {
  config_.mail_from = "";
  EXPECT_THAT(ChannelFaults(config_), ElementsAre(HasSubstr("--mail-from is not")));
  for (const char* bad : {"todo", "Todo <todo>", "<>", "Todo <todo@example.org\r\nBcc: x@y.z>"}) {
    config_.mail_from = bad;
    EXPECT_THAT(ChannelFaults(config_), ElementsAre(HasSubstr("--mail-from must be"))) << bad;
  }
}

TEST_F(ChannelSetupTest, ListsOfAllowedHosts) {
  for (const char* good : {"", "hooks.internal", " hooks.internal , 10.0.0.0/8,,::1, fd00::/8 "}) {
    config_.webhook_allow_hosts = good;
    EXPECT_THAT(ChannelFaults(config_), IsEmpty()) << good;
    EXPECT_THAT(SetUpAll().off, IsEmpty()) << good;
  }
  for (const char* bad :
       {"https://hooks.internal", "10.0.0.0/33", "10.0.0", "hooks internal", "*"}) {
    config_.webhook_allow_hosts = bad;
    EXPECT_THAT(ChannelFaults(config_), ElementsAre(HasSubstr("--webhook-allow-hosts: '"))) << bad;
  }
}

}  // namespace
}  // namespace todo::app
