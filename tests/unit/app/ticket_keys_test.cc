#include "app/ticket_keys.h"

#include <gtest/gtest.h>

#include <string>

#include "app/system_clock.h"
#include "support/fake_secret_store.h"
#include "support/status_matchers.h"
#include "util/status.h"

namespace todo::app {
namespace {

using support::IsOk;

class TicketKeysTest : public testing::Test {
 protected:
  void SetUp() override { testing::internal::CaptureStderr(); }
  void TearDown() override { testing::internal::GetCapturedStderr(); }

  const ports::Identity ada_{.user = {"ada"}, .roles = {}};
  SystemClock clock_;
  support::FakeSecretStore secrets_;
  TicketKeys keys_{"ticket-key", secrets_, clock_};
};

TEST_F(TicketKeysTest, WithoutAnEntryTheKeyIsOfThisProcessAlone) {
  const TicketKeys one("", secrets_, clock_);
  const TicketKeys other("", secrets_, clock_);
  const auto ticket = one.Make(ada_);
  ASSERT_THAT(ticket.status(), IsOk());
  EXPECT_EQ(one.Read(ticket->text)->user, ada_.user);
  EXPECT_TRUE(absl::IsUnauthenticated(other.Read(ticket->text).status()));
}

TEST_F(TicketKeysTest, UntilTheKeyIsReadCallersAreToldToTryAgain) {
  secrets_.failure = absl::UnavailableError("away");
  EXPECT_TRUE(absl::IsUnavailable(keys_.Look()));
  EXPECT_EQ(util::ReasonOf(keys_.Make(ada_).status()), "KEYS_UNAVAILABLE");
  EXPECT_EQ(util::ReasonOf(keys_.Read("ticket").status()), "KEYS_UNAVAILABLE");
  secrets_.failure = absl::OkStatus();
  secrets_.values["ticket-key"] = std::string(32, 'k');
  EXPECT_THAT(keys_.Look(), IsOk());
  EXPECT_THAT(keys_.Make(ada_).status(), IsOk());
}

TEST_F(TicketKeysTest, ReplicasWithOneKeyAcceptEachOthersTickets) {
  secrets_.values["ticket-key"] = std::string(32, 'k');
  TicketKeys other("ticket-key", secrets_, clock_);
  ASSERT_THAT(keys_.Look(), IsOk());
  ASSERT_THAT(other.Look(), IsOk());
  EXPECT_EQ(other.Read(keys_.Make(ada_)->text)->user, ada_.user);
}

TEST_F(TicketKeysTest, AChangedKeyCountsAndAShortOneDoesNot) {
  secrets_.values["ticket-key"] = std::string(32, 'k');
  ASSERT_THAT(keys_.Look(), IsOk());
  const std::string old_ticket = keys_.Make(ada_)->text;
  secrets_.values["ticket-key"] = "short";
  EXPECT_TRUE(absl::IsFailedPrecondition(keys_.Look()));
  EXPECT_THAT(keys_.Read(old_ticket).status(), IsOk()) << "the key before goes on";
  secrets_.values["ticket-key"] = std::string(32, 'n');
  ASSERT_THAT(keys_.Look(), IsOk());
  EXPECT_TRUE(absl::IsUnauthenticated(keys_.Read(old_ticket).status()));
  EXPECT_THAT(keys_.Read(keys_.Make(ada_)->text).status(), IsOk());
}

}  // namespace
}  // namespace todo::app
