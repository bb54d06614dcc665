#include "api/parse_methods.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "domain/notification/preferences.h"
#include "support/fake_database.h"
#include "support/fake_notification_store.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_senders.h"
#include "support/status_matchers.h"
#include "todo/v1/todo_service.pb.h"
#include "violations.h"

namespace todo::api {
namespace {

using support::StatusIs;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class StandingClock final : public ports::Clock {
 public:
  domain::Instant Now() const override { return *domain::ParseInstant("2026-11-26T09:00:00Z"); }
};

class NoIds final : public ports::IdSource {
 public:
  domain::Uuid NewId() override { return {}; }
};

class ParseTaskTest : public testing::Test {
 protected:
  absl::StatusOr<v1::ParseTaskResponse> Parse(const v1::ParseTaskRequest& request) {
    v1::ParseTaskResponse response;
    Caller caller;
    caller.context.user = {"ada"};
    const absl::Status status = method_.handler(caller, request, response);
    if (!status.ok()) return status;
    return response;
  }
  v1::ParseTaskResponse Parsed(const std::string& text, const std::string& zone = "") {
    v1::ParseTaskRequest request;
    request.set_text(text);
    request.set_time_zone(zone);
    const auto response = Parse(request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.value_or(v1::ParseTaskResponse());
  }

  support::FakeDatabase database_;
  support::FakeNotificationStore store_{database_};
  support::FakeStateStore state_;
  support::FakePreferredZones zones_{database_};
  StandingClock clock_;
  NoIds ids_;
  service::ChannelSet channels_;
  service::NotificationSettings settings_{{store_, state_, zones_, clock_, ids_, channels_}};
  MethodDefinition method_ = ParseTaskMethod(settings_, clock_);
};

TEST_F(ParseTaskTest, MeaningsHaveTheHoursThatTheUserChose) {
  const std::string text = "Call Ann tomorrow at 17:00 remind me at 16:30";
  const auto meanings = [&] {
    std::vector<std::string> all;
    const v1::ParseTaskResponse answer = Parsed(text);
    for (const auto& piece : answer.pieces()) all.push_back(piece.meaning());
    return all;
  };
  EXPECT_THAT(meanings(),
              ElementsAre("Friday, 27 November 2026, 17:00", "Friday, 27 November 2026, 16:30"));
  domain::PreferencesPatch patch;
  patch.wording.hour12 = true;
  ASSERT_TRUE(settings_.UpdatePreferences({"ada"}, patch, "").ok());
  EXPECT_THAT(meanings(),
              ElementsAre("Friday, 27 November 2026, 5 pm", "Friday, 27 November 2026, 4:30 pm"));
}

TEST_F(ParseTaskTest, AnswersTheFieldsOfATask) {
  const v1::ParseTaskResponse answer =
      Parsed("Café mit Ann every friday at 3pm 30 min before #home p1", "Europe/Berlin");
  EXPECT_EQ(answer.task().title(), "Café mit Ann");
  EXPECT_EQ(answer.task().due_local(), "2026-11-27T15:00:00");
  EXPECT_EQ(answer.task().time_zone(), "Europe/Berlin");
  EXPECT_EQ(answer.task().recurrence_rule(), "FREQ=WEEKLY;BYDAY=FR");
  EXPECT_EQ(answer.task().recurrence_basis(), v1::RECURRENCE_BASIS_SCHEDULE);
  EXPECT_EQ(answer.task().priority(), v1::PRIORITY_HIGH);
  EXPECT_THAT(answer.task().tags(), ElementsAre("home"));
  ASSERT_EQ(answer.reminders_size(), 1);
  EXPECT_EQ(answer.reminders(0).before(), "PT30M");
  EXPECT_EQ(answer.pieces_size(), 4);
  EXPECT_THAT(answer.notes(), IsEmpty());
}

TEST_F(ParseTaskTest, SpansCountCharacters) {
  const v1::ParseTaskResponse answer = Parsed("Café ☕ tomorrow");
  ASSERT_EQ(answer.pieces_size(), 1);
  EXPECT_EQ(answer.pieces(0).kind(), v1::ParseTaskResponse::DUE_DATE);
  EXPECT_EQ(answer.pieces(0).span().start(), 7);
  EXPECT_EQ(answer.pieces(0).span().end(), 15);
  EXPECT_EQ(answer.pieces(0).text(), "tomorrow");
  EXPECT_EQ(answer.pieces(0).meaning(), "Friday, 27 November 2026");
}

TEST_F(ParseTaskTest, PlainStretchesStayInTheTitle) {
  v1::ParseTaskRequest request;
  request.set_text("Café ☕ tomorrow");
  request.add_plain()->set_start(7);
  request.mutable_plain(0)->set_end(15);
  const auto answer = Parse(request);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->task().title(), "Café ☕ tomorrow");
  EXPECT_THAT(answer->pieces(), IsEmpty());
}

TEST_F(ParseTaskTest, ReadsWithThePreferencesOfTheCaller) {
  domain::PreferencesPatch patch;
  patch.time_zone = "Pacific/Auckland";
  ASSERT_TRUE(settings_.UpdatePreferences({"ada"}, patch, "").ok());
  // It is 22:00 there.
  EXPECT_EQ(Parsed("x at 11pm").task().due_local(), "2026-11-26T23:00:00");
  EXPECT_EQ(Parsed("x at 11pm").task().time_zone(), "Pacific/Auckland");
  EXPECT_EQ(Parsed("x tonight").task().due_local(), "2026-11-26");
  EXPECT_EQ(Parsed("x tonight", "UTC").task().due_local(), "2026-11-26T20:00:00");
}

TEST_F(ParseTaskTest, AReminderAtATimeIsAnInstant) {
  const v1::ParseTaskResponse answer = Parsed("x friday 3pm, remind me at 1pm", "Europe/Berlin");
  ASSERT_EQ(answer.reminders_size(), 1);
  EXPECT_EQ(answer.reminders(0).at().seconds(),
            domain::ParseInstant("2026-11-27T12:00:00Z")->time_since_epoch() /
                std::chrono::microseconds(std::chrono::seconds(1)));
}

TEST_F(ParseTaskTest, SaysWhatIsWrongWithARequest) {
  v1::ParseTaskRequest request;
  EXPECT_THAT(ViolationsOf(Parse(request)), ElementsAre(Violation("text", "0 characters")));
  request.set_text(std::string(2001, 'x'));
  EXPECT_THAT(ViolationsOf(Parse(request)), ElementsAre(Violation("text", "2001 characters")));
  request.set_text(std::string("a\0b", 3));
  EXPECT_THAT(ViolationsOf(Parse(request)), ElementsAre(Violation("text", "UTF-8")));
  request.set_text("x");
  request.set_time_zone("Mars/Base");
  EXPECT_THAT(ViolationsOf(Parse(request)), ElementsAre(Violation("time_zone", "Mars/Base")));
}

TEST_F(ParseTaskTest, RefusesStretchesThatDoNotFitTheText) {
  const std::pair<int, int> wrong[] = {{-1, 1}, {0, 0}, {1, 0}, {0, 4}, {3, 4}};
  for (const auto& [start, end] : wrong) {
    v1::ParseTaskRequest request;
    request.set_text("äöü");
    request.add_plain()->set_start(start);
    request.mutable_plain(0)->set_end(end);
    EXPECT_THAT(ViolationsOf(Parse(request)), ElementsAre(Violation("plain[0]", "within")))
        << start << " to " << end;
  }
  v1::ParseTaskRequest request;
  request.set_text("äöü");
  for (int i = 0; i < 2; ++i) {
    request.add_plain()->set_start(0);
    request.mutable_plain(i)->set_end(2);
  }
  EXPECT_THAT(ViolationsOf(Parse(request)), ElementsAre(Violation("plain[1]", "behind")));
  for (int i = 0; i < 49; ++i) request.add_plain();
  EXPECT_THAT(ViolationsOf(Parse(request)), ElementsAre(Violation("plain", "limit is 50")));
}

TEST_F(ParseTaskTest, IsUnavailableWithoutTheStateStore) {
  state_.FailWith(absl::UnavailableError("away"));
  v1::ParseTaskRequest request;
  request.set_text("x");
  EXPECT_THAT(Parse(request).status(), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("")));
}

}  // namespace
}  // namespace todo::api
