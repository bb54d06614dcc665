#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "domain/notification/endpoint_rules.h"
#include "domain/notification/messages.h"
#include "domain/notification/preferences.h"
#include "domain/notification/schedule.h"
#include "domain/notification/webhook_secret.h"
#include "domain/task/task.h"
#include "support/status_matchers.h"

namespace todo::domain {
namespace {

using nlohmann::json;
using std::chrono::hours;
using std::chrono::minutes;
using support::StatusIs;
using testing::HasSubstr;
using testing::Not;

Instant At(std::string_view text) { return *ParseInstant(text); }

NotificationPreferences Quiet(std::string_view start, std::string_view end,
                              std::string zone = "UTC") {
  NotificationPreferences preferences;
  preferences.quiet_hours =
      QuietHours{*ParseTimeOfDay(start), *ParseTimeOfDay(end), std::move(zone)};
  return preferences;
}

ReminderEvent Event(std::string title) {
  ReminderEvent event;
  event.id = EventId{*Uuid::Parse("550e8400-e29b-41d4-a716-446655440000")};
  event.task_id = TaskId{7};
  event.user = UserId{"ada"};
  event.at = At("2026-10-24T09:00:00Z");
  event.title = std::move(title);
  event.due = *ResolveInstantDue(At("2026-10-24T10:00:00Z"));
  return event;
}

DueReminder ReminderOf(std::string title) {
  return {.id = EventId{*Uuid::Parse("550e8400-e29b-41d4-a716-446655440000")},
          .task_id = TaskId{7},
          .title = std::move(title),
          .remind_at = At("2026-10-24T09:00:00Z"),
          .due = *ResolveInstantDue(At("2026-10-24T10:00:00Z")),
          .time_zone = "Europe/Berlin",
          .late = false};
}

TEST(QuietHoursTest, OutsideOfThemNothingWaits) {
  const Instant noon = At("2026-10-24T12:00:00Z");
  EXPECT_EQ(DisturbAt({}, noon), noon);
  EXPECT_EQ(DisturbAt(Quiet("22:00", "07:00"), noon), noon);
  EXPECT_EQ(DisturbAt(Quiet("22:00", "07:00"), At("2026-10-24T07:00:00Z")),
            At("2026-10-24T07:00:00Z"))
      << "the end is outside";
}

TEST(QuietHoursTest, WithinThemNotificationsWaitForTheirEndOverMidnightToo) {
  EXPECT_EQ(DisturbAt(Quiet("22:00", "07:00"), At("2026-10-24T22:00:00Z")),
            At("2026-10-25T07:00:00Z"));
  EXPECT_EQ(DisturbAt(Quiet("22:00", "07:00"), At("2026-10-25T06:59:59Z")),
            At("2026-10-25T07:00:00Z"));
  EXPECT_EQ(DisturbAt(Quiet("12:00", "14:30"), At("2026-10-25T13:00:00Z")),
            At("2026-10-25T14:30:00Z"));
}

TEST(QuietHoursTest, AreThoseOfTheirZoneAcrossDaylightSaving) {
  // Clocks in Berlin go back in the night to the 25th: 07:00 is 06:00 UTC.
  EXPECT_EQ(DisturbAt(Quiet("22:00", "07:00", "Europe/Berlin"), At("2026-10-24T20:30:00Z")),
            At("2026-10-25T06:00:00Z"));
  NotificationPreferences preferences = Quiet("22:00", "07:00", "");
  preferences.time_zone = "Europe/Berlin";
  EXPECT_EQ(DisturbAt(preferences, At("2026-10-24T20:30:00Z")), At("2026-10-25T06:00:00Z"));
}

TEST(PreferencesTest, AreReadAsTheyWereWritten) {
  NotificationPreferences preferences = Quiet("22:00", "07:05", "Asia/Kolkata");
  preferences.email = false;
  preferences.time_zone = "Europe/Berlin";
  preferences.wording = {.language = "german",
                         .date_order = DateOrder::kMonthFirst,
                         .week_start = absl::Weekday::sunday,
                         .morning = hours(7),
                         .afternoon = hours(14),
                         .evening = hours(18),
                         .night = hours(21) + minutes(30),
                         .hour12 = true};
  EXPECT_EQ(*ParsePreferences(FormatPreferences(preferences)), preferences);
  EXPECT_EQ(*ParsePreferences(FormatPreferences({})), NotificationPreferences());
  for (const char* text :
       {"", "[]", "{\"email\":1}", "{\"quiet_hours\":{\"start\":\"x\"}}", R"({"wording":[]})",
        R"({"wording":{"week_start":"friday"}})", R"({"wording":{"date_order":"year"}})",
        R"({"wording":{"night":"late"}})", R"({"wording":{"hour12":12}})"})
    EXPECT_EQ(ParsePreferences(text).status().code(), absl::StatusCode::kInternal) << text;
}

TEST(PreferencesTest, APatchChangesOnlyItsOwnFields) {
  const NotificationPreferences all = Quiet("22:00", "07:00", "Asia/Kolkata");
  const auto patched = [](NotificationPreferences preferences, const PreferencesPatch& patch) {
    std::vector<util::FieldViolation> violations;
    Patch(preferences, patch, "p.", violations);
    EXPECT_TRUE(violations.empty());
    return preferences;
  };
  EXPECT_EQ(patched(all, {}), all);
  PreferencesPatch patch;
  patch.email = false;
  patch.time_zone = "Europe/Berlin";
  patch.quiet_hours.emplace().end = hours(8);
  NotificationPreferences expected = Quiet("22:00", "08:00", "Asia/Kolkata");
  expected.email = false;
  expected.time_zone = "Europe/Berlin";
  EXPECT_EQ(patched(all, patch), expected);
  patch = {};
  patch.no_quiet_hours = true;
  EXPECT_EQ(patched(all, patch), NotificationPreferences());
  patch.quiet_hours.emplace().start = hours(20);
  patch.quiet_hours->end = hours(6);
  EXPECT_EQ(patched(all, patch), Quiet("20:00", "06:00", "")) << "anew";
}

TEST(PreferencesTest, APatchOfTheWordingChangesItsOwnFields) {
  NotificationPreferences preferences;
  std::vector<util::FieldViolation> violations;
  PreferencesPatch patch;
  patch.wording.language = "german";
  patch.wording.night = hours(22);
  patch.wording.hour12 = false;
  Patch(preferences, patch, "p.", violations);
  Wording expected;
  expected.language = "german";
  expected.night = hours(22);
  expected.hour12 = false;
  EXPECT_EQ(preferences.wording, expected);
  patch = {};
  patch.default_wording = true;
  patch.wording.week_start = absl::Weekday::saturday;
  Patch(preferences, patch, "p.", violations);
  expected = {};
  expected.week_start = absl::Weekday::saturday;
  EXPECT_EQ(preferences.wording, expected) << "anew";
  EXPECT_EQ(preferences.wording.hour12, std::nullopt);
  EXPECT_TRUE(violations.empty());
}

TEST(WordingTest, TimesAreWrittenWithTheHoursThatTheUserChose) {
  const auto words = [](std::chrono::seconds time, std::optional<bool> hour12) {
    Wording wording;
    wording.hour12 = hour12;
    return ClockWords(time, wording);
  };
  EXPECT_EQ(words(hours(17), std::nullopt), "17:00") << "nothing is chosen";
  EXPECT_EQ(words(hours(17), false), "17:00");
  EXPECT_EQ(words(hours(17), true), "5 pm");
  EXPECT_EQ(words(hours(18) + minutes(30), true), "6:30 pm");
  EXPECT_EQ(words(hours(9) + minutes(5), true), "9:05 am");
  EXPECT_EQ(words(hours(0), true), "12 am");
  EXPECT_EQ(words(minutes(30), true), "12:30 am");
  EXPECT_EQ(words(hours(12), true), "12 pm");
  EXPECT_EQ(words(hours(12) + minutes(30), true), "12:30 pm");
  EXPECT_EQ(words(hours(23) + minutes(59), true), "11:59 pm");
  EXPECT_EQ(words(hours(17) + std::chrono::seconds(30), true), "5:00:30 pm");
}

TEST(PreferencesTest, QuietHoursHaveAStartAndAnEnd) {
  NotificationPreferences preferences;
  PreferencesPatch patch;
  patch.quiet_hours.emplace().time_zone = "UTC";
  std::vector<util::FieldViolation> violations;
  Patch(preferences, patch, "p.", violations);
  ASSERT_EQ(violations.size(), 2u);
  EXPECT_EQ(violations[0].field, "p.quiet_hours.start");
  EXPECT_EQ(violations[1].field, "p.quiet_hours.end");
}

TEST(PreferencesTest, AViolationNamesItsField) {
  std::vector<util::FieldViolation> violations;
  NotificationPreferences preferences = Quiet("22:00", "22:00", "Mars/Base");
  preferences.time_zone = "Nowhere";
  preferences.wording.language = "klingon";
  CheckPreferences(preferences, "p.", violations);
  ASSERT_EQ(violations.size(), 4u);
  EXPECT_EQ(violations[0].field, "p.time_zone");
  EXPECT_EQ(violations[1].field, "p.wording.language");
  EXPECT_EQ(violations[2].field, "p.quiet_hours.time_zone");
  EXPECT_EQ(violations[3].field, "p.quiet_hours.end");
}

TEST(PreferencesTest, AnyUserIdMakesAKey) {
  EXPECT_THAT(PreferencesKey(UserId{"a||b"}), Not(HasSubstr("|")));
  EXPECT_NE(PreferencesKey(UserId{"a"}), PreferencesKey(UserId{"b"}));
}

TEST(EndpointRulesTest, HostsAreReadFromUrls) {
  EXPECT_EQ(*HostOfUrl("https://Hooks.Example/a?b#c"), "hooks.example");
  EXPECT_EQ(*HostOfUrl("HTTPS://hooks.example/"), "hooks.example");
  EXPECT_EQ(*HostOfUrl("hTTp://hooks.example?x"), "hooks.example");
  EXPECT_EQ(*HostOfUrl("http://127.0.0.1:8080"), "127.0.0.1:8080");
  EXPECT_EQ(*HostOfUrl("https://[::1]:8080/x"), "[::1]:8080");
  EXPECT_EQ(*HostOfUrl("https://[2001:DB8::1]/x"), "[2001:db8::1]");
  EXPECT_EQ(*HostOfUrl("https://hooks.example./x"), "hooks.example") << "the root's dot";
  EXPECT_EQ(*HostOfUrl("https://hooks.example:/x"), "hooks.example") << "as RFC 3986 allows";
  EXPECT_EQ(*HostOfUrl("https://a_b.xn--bcher-kva.example:65535"),
            "a_b.xn--bcher-kva.example:65535");
  EXPECT_EQ(*HostOfUrl("https://hooks.example/u@v:99999/\"<>"), "hooks.example");
  EXPECT_EQ(*HostOfUrl("https://3com/"), "3com");
  EXPECT_EQ(*HostOfUrl("https://" + std::string(63, 'a') + ".example"),
            std::string(63, 'a') + ".example");
  EXPECT_THAT(HostOfUrl("https://a/" + std::string(kMaxUrlBytes, 'a')),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(EndpointRulesTest, AUrlThatCanNeverWorkIsRefusedWithAnExplanation) {
  const auto advice = [](const std::string& url) {
    const absl::Status status = HostOfUrl(url).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << url;
    return std::string(status.message());
  };
  EXPECT_THAT(advice(""), HasSubstr("must be given"));
  for (const char* url :
       {"hooks.example", "ftp://a", "javascript://a", "https:/a", "//a", "http//a"})
    EXPECT_THAT(advice(url), HasSubstr("begins with https://")) << url;
  for (const char* url : {"https://", "https:///a", "https://:80", "https://?a", "https://#a"})
    EXPECT_THAT(advice(url), HasSubstr("names no host")) << url;
  EXPECT_THAT(advice("https://u:p@a"), HasSubstr("user name"));
  for (const char* url :
       {"https://a b", " https://a", "https://a/ ", "https://a\nb", "https://a\tb"})
    EXPECT_THAT(advice(url), HasSubstr("%20")) << url;
  EXPECT_THAT(advice("https://a\\b"), HasSubstr("backslash"));
  for (const char* url : {"https://b\u00fccher.example/", "https://\u4f8b\u3048.jp:443",
                          "https://b%C3%BCcher.example/", "https://b\xfc.example"})
    EXPECT_THAT(advice(url), HasSubstr("xn--")) << url;
  EXPECT_THAT(advice("https://a.example/b\u00fccher"), HasSubstr("percent-encode"));
  for (const char* url :
       {"https://a:0", "https://a:65536", "https://a:99999999999999999999", "https://a:-1",
        "https://a:8o", "https://a: 80", "https://[::1]:0", "https://[::1]x", "https://a:80:81/"})
    EXPECT_THAT(advice(url), testing::AnyOf(HasSubstr("port"), HasSubstr("%20"))) << url;
  for (const char* url : {"https://::1/", "https://2001:db8::1/", "https://[::1", "https://[]/",
                          "https://[::g]", "https://[127.0.0.1]/", "https://[fe80::1%25eth0]/"})
    EXPECT_THAT(advice(url), HasSubstr("IPv6")) << url;
  for (const char* url : {"https://256.0.0.1/", "https://1.2.3.4.5", "https://hooks.1/",
                          "https://hooks.0x7g.0x1/", "https://1.2.3.0x", "https://9999999999/"})
    EXPECT_THAT(advice(url), HasSubstr("IPv4")) << url;
  for (const std::string& url :
       {std::string("https://./"), std::string("https://.a"), std::string("https://a..b"),
        std::string("https://a.."), "https://" + std::string(64, 'a'),
        "https://a." + std::string(64, 'b') + ".c",
        "https://" + std::string(126, 'a').replace(50, 1, ".").replace(100, 1, ".") + "." +
            std::string(126, 'b').replace(50, 1, ".").replace(100, 1, ".") + ".cc"})
    EXPECT_THAT(advice(url), HasSubstr("63")) << url;
  for (const char* url :
       {"https://a!b/", "https://a,b", "https://{a}", "https://a*", "https://\"a\""})
    EXPECT_THAT(advice(url), HasSubstr("letters")) << url;
}

TEST(EndpointRulesTest, AMailAddressHoldsNothingElse) {
  for (const char* address : {"ada.l+todo@mail.example.org", "a.b+c@x-y.example",
                              "o'neil@example.com", "a@b", "a@xn--exmple-cua.com"})
    EXPECT_TRUE(CheckMailAddress(address).ok()) << address;
  for (const char* address : {"",
                              "ada",
                              "@a",
                              "a@",
                              "a@b@c",
                              "a@@b.c",
                              "a b@c.d",
                              "a@b c",
                              "a@b.c\r\nBcc: x@y.z",
                              "<a@b.c>",
                              "a@b.c>",
                              "a@b.c,d@e.f",
                              "a,b@c.d",
                              "\"a\"@b.c",
                              "\"a b\"@c.d",
                              "a(x)@b.c",
                              "-a@b.c",
                              "a@-b.c",
                              "a@.b",
                              "a@b.",
                              ".a@b.c",
                              "a.@b.c",
                              "a..b@c.d",
                              "a@b..c",
                              "a@b_c.org",
                              "a@b=c.d",
                              "a@[127.0.0.1]",
                              "\xc3\xa9@b.c",
                              "a@\xc3\xa9.c"})
    EXPECT_THAT(CheckMailAddress(address), StatusIs(absl::StatusCode::kInvalidArgument)) << address;
  EXPECT_TRUE(CheckMailAddress(std::string(64, 'a') + "@b.c").ok());
  EXPECT_THAT(CheckMailAddress(std::string(65, 'a') + "@b.c"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(CheckMailAddress("a@" + std::string(260, 'b')),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(WebhookBodyTest, IsSmallWhateverTheEventSays) {
  const std::string bad(900'000, '\x01');
  const std::string body = ReminderWebhookBody(Event(bad), true);
  EXPECT_LE(body.size(), kMaxWebhookBodyBytes);
  EXPECT_EQ(json::parse(body)["data"]["late"], true);

  TaskEvent event;
  event.kind = ChangeKind::kCompleted;
  event.task.emplace();
  event.task->fields.title = "t";
  event.task->fields.description = std::string(10'000, 'd');
  json whole = json::parse(TaskWebhookBody(event));
  EXPECT_EQ(whole["type"], "task.completed");
  EXPECT_EQ(whole["data"]["task_data"]["description"].get<std::string>().size(), 10'000u);

  event.task->fields.description = std::string(30'000, 'd');
  const std::string cut = TaskWebhookBody(event);
  EXPECT_LE(cut.size(), kMaxWebhookBodyBytes);
  whole = json::parse(cut);
  EXPECT_TRUE(whole["data"]["task_data"]["description"].is_null());
  EXPECT_EQ(whole["data"]["description_omitted"], true);
  EXPECT_EQ(whole["data"]["task_data"]["title"], "t");

  event.task->fields.recurrence_rule = bad;
  const std::string bare = TaskWebhookBody(event);
  EXPECT_LE(bare.size(), kMaxWebhookBodyBytes);
  EXPECT_FALSE(json::parse(bare)["data"].contains("task_data"));
}

TEST(MailTest, NamesTheTaskAndItsTimeInTheUsersZone) {
  const MailText mail = ComposeMail({ReminderOf("Buy <b>groceries</b> & more\r\nBcc: x")});
  EXPECT_EQ(mail.subject, "Reminder: Buy <b>groceries</b> & more  Bcc: x");
  EXPECT_THAT(mail.text, HasSubstr("due 2026-10-24 12:00 (Europe/Berlin)"));
  EXPECT_THAT(mail.html, HasSubstr("Buy &lt;b&gt;groceries&lt;/b&gt; &amp; more"));
  EXPECT_THAT(mail.html, Not(HasSubstr("<b>groceries")));
}

TEST(MailTest, ADayIsThatDayInEveryZone) {
  DueReminder reminder = ReminderOf("x");
  reminder.due = *ResolveLocalDue("2026-11-30", "Pacific/Auckland");
  for (const char* zone : {"America/New_York", "Pacific/Auckland", "UTC", "Nowhere/Land"}) {
    reminder.time_zone = zone;
    EXPECT_EQ(ComposeMail({reminder}).text, "x\ndue 2026-11-30\n") << zone;
    EXPECT_EQ(json::parse(ComposePush({reminder}))["body"], "due 2026-11-30") << zone;
  }
  reminder.late = true;
  EXPECT_THAT(ComposeMail({reminder, reminder}).text, HasSubstr("due 2026-11-30, late\n"));
  reminder.due = *ResolveLocalDue("2026-11-30T00:00:00", "Pacific/Auckland");
  reminder.time_zone = "UTC";
  EXPECT_THAT(ComposeMail({reminder}).text, HasSubstr("due 2026-11-29 11:00 (UTC)"))
      << "a time is one in a zone";
  reminder.due = {};
  EXPECT_THAT(ComposeMail({reminder}).text, HasSubstr("reminder of 2026-10-24 09:00 (UTC)"));
}

TEST(MailTest, ListsSeveralAndCountsTheRest) {
  std::vector<DueReminder> reminders;
  for (int i = 0; i < 25; ++i) {
    reminders.push_back(ReminderOf("task " + std::to_string(i)));
    reminders.back().late = true;
  }
  const MailText mail = ComposeMail(reminders);
  EXPECT_EQ(mail.subject, "25 reminders");
  EXPECT_THAT(mail.text, HasSubstr("- task 0\n"));
  EXPECT_THAT(mail.text, HasSubstr(", late"));
  EXPECT_THAT(mail.text, HasSubstr("and 5 more"));
  EXPECT_THAT(mail.text, Not(HasSubstr("task 20")));
}

TEST(PushTest, StaysBelowTheLimitWhateverTheTitles) {
  std::vector<DueReminder> reminders(30, ReminderOf(std::string(2'000, '"')));
  EXPECT_LE(ComposePush(reminders).size(), kMaxPushPayloadBytes);
  EXPECT_LE(ComposePush({reminders[0]}).size(), kMaxPushPayloadBytes);
  EXPECT_EQ(json::parse(ComposePush({ReminderOf("x")}))["title"], "x");
  EXPECT_EQ(json::parse(ComposePush(reminders))["title"], "30 reminders");
}

TEST(DeliveryDelayTest, GrowsOverAboutADayEachWithinItsJitter) {
  const Uuid id = *Uuid::Parse("550e8400-e29b-41d4-a716-446655440000");
  const std::chrono::milliseconds nominal[] = {std::chrono::seconds(5),
                                               std::chrono::seconds(30),
                                               minutes(2),
                                               minutes(10),
                                               hours(1),
                                               hours(3),
                                               hours(6),
                                               hours(12)};
  for (int failures = 1; failures <= 8; ++failures) {
    const auto delay = DeliveryDelay(failures, id);
    ASSERT_TRUE(delay);
    EXPECT_GE(*delay, nominal[failures - 1] * 8 / 10);
    EXPECT_LE(*delay, nominal[failures - 1] * 12 / 10);
    EXPECT_EQ(delay, DeliveryDelay(failures, id));
  }
  EXPECT_EQ(DeliveryDelay(9, id), std::nullopt);
  EXPECT_EQ(DeliveryDelay(0, id), std::nullopt);
  EXPECT_NE(DeliveryDelay(4, id),
            DeliveryDelay(4, *Uuid::Parse("660e8400-e29b-41d4-a716-446655440000")));
}

TEST(WebhookSecretTest, BelongsToItsEndpointAndVersion) {
  const Uuid id = *Uuid::Parse("550e8400-e29b-41d4-a716-446655440000");
  const std::string secret = WebhookSecret("master", id, 1);
  EXPECT_EQ(secret.size(), 32u);
  EXPECT_EQ(WebhookSecret("master", id, 1), secret);
  EXPECT_NE(WebhookSecret("master", id, 2), secret);
  EXPECT_NE(WebhookSecret("other", id, 1), secret);
  EXPECT_NE(WebhookSecret("master", Uuid(), 1), secret);
  EXPECT_THAT(FormatWebhookSecret(secret), testing::StartsWith("whsec_"));
}

TEST(NotificationUpdateTest, IsAnUpdateWithoutSeqAndTask) {
  const json record = json::parse(NotificationUpdateRecord(Event("x"), At("2026-10-24T09:00:01Z")));
  EXPECT_EQ(record["type"], "todo.task.changed.v1");
  EXPECT_EQ(record["id"], record["data"]["id"]);
  EXPECT_EQ(record["data"]["change"], "notification");
  EXPECT_EQ(record["data"]["notification_id"], "550e8400-e29b-41d4-a716-446655440000");
  EXPECT_FALSE(record["data"].contains("seq"));
  EXPECT_FALSE(record["data"].contains("task"));
}

}  // namespace
}  // namespace todo::domain
