#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "domain/event/event_reader.h"
#include "fixtures.h"
#include "service/consumers/reminder_notifier.h"
#include "service/consumers/task_webhooks.h"
#include "service/notifications/delivery_sender.h"
#include "service/notifications/notification_settings.h"
#include "support/fake_delivery_store.h"
#include "support/fake_event_inbox.h"
#include "support/fake_notification_store.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_senders.h"
#include "support/kept_spans.h"
#include "support/status_matchers.h"

// From a ReminderEvent to the messages that are sent, on the fakes of the store and of the senders.

namespace todo::service {
namespace {

using domain::UserId;
using ports::DeliveryState;
using ports::Pace;
using ports::SendOutcome;
using support::IsOk;
using support::IsOkAndHolds;
using support::StatusIs;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

SendOutcome Outcome(SendOutcome::Kind kind, std::optional<std::chrono::seconds> retry_after = {}) {
  return {.kind = kind, .status_code = 503, .detail = "said so", .retry_after = retry_after};
}

/// The public key of a browser: 65 bytes.
std::string PublicKey() {
  std::string key(65, 'k');
  key[0] = '\x04';
  return key;
}

class NotificationsTest : public testing::Test {
 protected:
  void SetUp() override { SwitchOn(); }

  void SwitchOn() {
    channels_.Set({.webhooks = webhooks_,
                   .webhook_master_key = "a master key of the tests",
                   .mail = mail_,
                   .mail_from = "todo@todo.example",
                   .push = push_,
                   .push_public_key = "public"});
  }

  domain::ReminderEvent Event(std::string title = "call mum") {
    domain::ReminderEvent event;
    event.id = {ids_.NewId()};
    event.task_id = domain::TaskId{7};
    event.user = ada_;
    event.at = clock_.Now();
    event.title = std::move(title);
    return event;
  }

  absl::Status Consume(EventConsumer& consumer, const std::vector<domain::Event>& events) {
    const auto effect = consumer.Prepare(events);
    if (!effect.ok()) return effect.status();
    return inbox_.Transact(
        [&](ports::InboxTransaction& transaction) { return (*effect)(transaction, events); });
  }
  void Remind(const std::vector<domain::Event>& events) {
    const absl::Status status = Consume(notifier_, events);
    EXPECT_TRUE(status.ok()) << status;
  }
  /// Sends all due deliveries. Answers how many attempts that took.
  int SendAll() {
    int count = 0;
    for (const Pace pace : {Pace::kNew, Pace::kSlow, Pace::kQuick}) {
      for (;;) {
        const auto leased = sender_.Lease(pace);
        EXPECT_TRUE(leased.ok()) << leased.status();
        if (!leased.ok() || !leased->has_value()) break;
        EXPECT_TRUE(sender_.Send(**leased).ok());
        ++count;
      }
    }
    return count;
  }
  CallContext Call() {
    return {.user = ada_, .request_id = {}, .fingerprint = "f", .traceparent = {}};
  }
  EndpointWithSecret AddEndpoint(NewEndpoint input = {.url = "https://hooks.example/x"}) {
    auto made = settings_.CreateEndpoint(Call(), input);
    EXPECT_TRUE(made.ok()) << made.status();
    return made.value_or(EndpointWithSecret());
  }
  void AddMail() { EXPECT_TRUE(settings_.SetMailAddress(ada_, "ada@example.org").ok()); }
  void AddPush() {
    EXPECT_TRUE(settings_
                    .AddSubscription(ada_, {.endpoint = "https://push.example/1",
                                            .p256dh = PublicKey(),
                                            .auth = std::string(16, 'a')})
                    .ok());
  }

  const UserId ada_{"ada"};
  SetClock clock_{"2026-10-24T09:00:00Z"};
  CountedIds ids_;
  support::FakeDatabase database_;
  support::FakeEventInbox inbox_{database_};
  support::FakeNotificationStore store_{database_};
  support::FakeDeliveryStore deliveries_{database_};
  support::FakeStateStore state_;
  support::FakePreferredZones zones_{database_};
  std::shared_ptr<support::FakeWebhookSender> webhooks_ =
      std::make_shared<support::FakeWebhookSender>();
  std::shared_ptr<support::FakeMailer> mail_ = std::make_shared<support::FakeMailer>();
  std::shared_ptr<support::FakePushSender> push_ = std::make_shared<support::FakePushSender>();
  ChannelSet channels_;
  ReminderNotifier notifier_{state_, clock_, channels_, "task-updates"};
  TaskWebhooks task_webhooks_{store_, clock_, channels_};
  NotificationSettings settings_{{store_, state_, zones_, clock_, ids_, channels_}};
  DeliverySender sender_{deliveries_, clock_, channels_};
};

TEST_F(NotificationsTest, AnAttemptIsAPartOfTheTraceOfItsEventAndAWebhookIsToldOfIt) {
  support::KeptSpans kept;
  AddEndpoint();
  AddMail();
  domain::ReminderEvent event = Event();
  event.traceparent = util::FormatTraceparent(support::kCause);
  Remind({event});
  webhooks_->Answer(Outcome(SendOutcome::Kind::kRetry));
  SendAll();
  const auto calls = kept.Named("deliver webhook");
  ASSERT_THAT(calls, SizeIs(1));
  EXPECT_EQ(calls[0].kind, util::SpanKind::kClient);
  EXPECT_EQ(calls[0].parent, support::kCause.span);
  EXPECT_TRUE(calls[0].failed);
  ASSERT_THAT(webhooks_->sent(), SizeIs(1));
  EXPECT_EQ(webhooks_->sent()[0].traceparent, util::FormatTraceparent(calls[0].context));
  const auto mails = kept.Named("deliver email");
  ASSERT_THAT(mails, SizeIs(1));
  EXPECT_EQ(mails[0].parent, support::kCause.span);
  EXPECT_FALSE(mails[0].failed);
}

TEST_F(NotificationsTest, AReminderGoesOutOnEveryChannelOnce) {
  const EndpointWithSecret endpoint = AddEndpoint();
  AddMail();
  AddPush();
  const domain::ReminderEvent event = Event();
  Remind({event});
  Remind({event});
  SendAll();
  ASSERT_THAT(webhooks_->sent(), SizeIs(1));
  EXPECT_EQ(webhooks_->sent()[0].url, "https://hooks.example/x");
  EXPECT_THAT(webhooks_->sent()[0].secrets, SizeIs(1));
  EXPECT_EQ(domain::FormatWebhookSecret(webhooks_->sent()[0].secrets[0]), endpoint.secret);
  ASSERT_THAT(mail_->sent(), SizeIs(1));
  EXPECT_EQ(mail_->sent()[0].to, "ada@example.org");
  EXPECT_EQ(mail_->sent()[0].subject, "Reminder: call mum");
  EXPECT_THAT(mail_->sent()[0].message_id, testing::EndsWith("@todo.example"));
  EXPECT_THAT(mail_->sent()[0].list_unsubscribe, HasSubstr("mailto:todo@todo.example"));
  ASSERT_THAT(push_->sent(), SizeIs(1));
  EXPECT_EQ(push_->sent()[0].topic.size(), 32u);
  EXPECT_THAT(push_->sent()[0].payload, HasSubstr("call mum"));
}

TEST_F(NotificationsTest, AnAllDayTaskIsShownAsItsDayWhereverItsUserIs) {
  AddEndpoint();
  AddMail();
  AddPush();
  ASSERT_TRUE(settings_.UpdatePreferences(ada_, {.time_zone = "America/New_York"}, "").ok());
  // A day in Auckland begins on the day before in New York.
  const auto event = domain::ParseReminderEventRecord(
      R"({"specversion":"1.0","id":"550e8400-e29b-41d4-a716-446655440000","source":"todo-service",
          "type":"todo.reminder.due.v1","data":{"task_id":7,"title":"call mum",
          "remind_at":"2026-10-24T09:00:00Z","due_date":"2026-11-29T11:00:00Z","user_id":"ada",
          "due_kind":"date","due_local":"2026-11-30"}})");
  ASSERT_TRUE(event.ok()) << event.status();
  Remind({*event});
  SendAll();
  ASSERT_THAT(mail_->sent(), SizeIs(1));
  EXPECT_THAT(mail_->sent()[0].text, HasSubstr("due 2026-11-30\n"));
  EXPECT_THAT(mail_->sent()[0].html, HasSubstr("due 2026-11-30<"));
  ASSERT_THAT(push_->sent(), SizeIs(1));
  EXPECT_EQ(nlohmann::json::parse(push_->sent()[0].payload)["body"], "due 2026-11-30");
  ASSERT_THAT(webhooks_->sent(), SizeIs(1));
  const auto data = nlohmann::json::parse(webhooks_->sent()[0].body)["data"];
  EXPECT_EQ(data["due_date"], "2026-11-29T11:00:00Z");
  EXPECT_EQ(data["due_kind"], "date");
  EXPECT_EQ(data["due_local"], "2026-11-30");
}

TEST_F(NotificationsTest, WithoutTheStateStoreAnEventIsUnavailableAndNotFailed) {
  state_.FailWith(absl::UnavailableError("away"));
  EXPECT_THAT(Consume(notifier_, {Event()}), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(NotificationsTest, PreferencesChooseTheChannels) {
  AddEndpoint();
  AddMail();
  AddPush();
  ASSERT_TRUE(
      settings_.UpdatePreferences(ada_, {.in_app = false, .webhook = false, .push = false}, "")
          .ok());
  Remind({Event()});
  SendAll();
  EXPECT_THAT(webhooks_->sent(), IsEmpty());
  EXPECT_THAT(push_->sent(), IsEmpty());
  EXPECT_THAT(mail_->sent(), SizeIs(1));
  EXPECT_THAT(store_.List(ada_, false, 10, "")->notifications, IsEmpty());
}

TEST_F(NotificationsTest, InQuietHoursMailAndPushWaitForTheMorningAndComeTogether) {
  AddEndpoint();
  AddMail();
  domain::PreferencesPatch patch;
  patch.quiet_hours = {
      .start = std::chrono::hours(8), .end = std::chrono::hours(10), .time_zone = {}};
  ASSERT_TRUE(settings_.UpdatePreferences(ada_, patch, "").ok());
  Remind({Event("one")});
  Remind({Event("two")});
  SendAll();
  EXPECT_THAT(webhooks_->sent(), SizeIs(2)) << "machines do not sleep";
  EXPECT_THAT(mail_->sent(), IsEmpty());
  clock_.Set("2026-10-24T09:59:59Z");
  EXPECT_EQ(SendAll(), 0);
  clock_.Set("2026-10-24T10:00:00Z");
  SendAll();
  ASSERT_THAT(mail_->sent(), SizeIs(1));
  EXPECT_EQ(mail_->sent()[0].subject, "2 reminders");
}

TEST_F(NotificationsTest, LateRemindersAreMarkedAndGroupedInOneMailButNotInOneWebhook) {
  AddEndpoint();
  AddMail();
  std::vector<domain::Event> events;
  for (const char* title : {"a", "b", "c"}) {
    domain::ReminderEvent event = Event(title);
    event.at -= std::chrono::hours(3);
    events.emplace_back(event);
  }
  Remind(events);
  SendAll();
  EXPECT_THAT(webhooks_->sent(), SizeIs(3));
  EXPECT_EQ(nlohmann::json::parse(webhooks_->sent()[0].body)["data"]["late"], true);
  EXPECT_THAT(mail_->sent(), IsEmpty()) << "others may follow";
  clock_.Set("2026-10-24T09:00:10Z");
  SendAll();
  ASSERT_THAT(mail_->sent(), SizeIs(1));
  EXPECT_EQ(mail_->sent()[0].subject, "3 reminders");
  const auto page = store_.List(ada_, false, 10, "");
  ASSERT_THAT(page->notifications, SizeIs(3));
  EXPECT_TRUE(page->notifications[0].reminder.late);
}

TEST_F(NotificationsTest, AFailingDeliveryIsTriedNineTimesOnItsSchedule) {
  const EndpointWithSecret endpoint = AddEndpoint();
  webhooks_->Answer(Outcome(SendOutcome::Kind::kRetry));
  Remind({Event()});
  std::set<std::string> ids;
  for (int attempt = 1; attempt <= 9; ++attempt) {
    ASSERT_EQ(SendAll(), 1) << attempt;
    const auto log = store_.ListDeliveries(ada_, endpoint.endpoint.id, 10, "");
    const ports::LoggedDelivery& delivery = log->deliveries.at(0);
    ids.insert(webhooks_->sent().back().id);
    if (attempt == 9) {
      EXPECT_EQ(delivery.state, DeliveryState::kFailed);
      break;
    }
    const domain::Instant due = delivery.next_attempt_at.value();
    EXPECT_EQ(due, clock_.Now() + *domain::DeliveryDelay(attempt, delivery.id));
    clock_.Set(domain::FormatInstant(due - std::chrono::milliseconds(1)));
    EXPECT_EQ(SendAll(), 0) << "never early";
    clock_.Set(domain::FormatInstant(due));
  }
  EXPECT_THAT(ids, SizeIs(1));
}

TEST_F(NotificationsTest, RetryAfterLengthensTheWaitButNotForEver) {
  const EndpointWithSecret endpoint = AddEndpoint();
  const auto next = [&] {
    return store_.ListDeliveries(ada_, endpoint.endpoint.id, 10, "")
        ->deliveries.at(0)
        .next_attempt_at.value();
  };
  webhooks_->Answer(Outcome(SendOutcome::Kind::kRetry, std::chrono::seconds(600)));
  Remind({Event()});
  SendAll();
  EXPECT_EQ(next(), clock_.Now() + std::chrono::seconds(600));
  clock_.Set("2026-10-24T09:10:00Z");
  webhooks_->Answer(Outcome(SendOutcome::Kind::kRetry, std::chrono::hours(1'000)));
  SendAll();
  EXPECT_EQ(next(), clock_.Now() + std::chrono::hours(12));
}

TEST_F(NotificationsTest, AttemptsAreCountedByChannelAndOutcome) {
  AddEndpoint();
  AddMail();
  webhooks_->Answer(Outcome(SendOutcome::Kind::kRetry));
  Remind({Event()});
  SendAll();
  const auto attempts = sender_.attempts();
  EXPECT_EQ(attempts.at({"email", "delivered"}), 1u);
  EXPECT_EQ(attempts.at({"webhook", "retry"}), 1u);
  EXPECT_EQ(attempts.at({"webhook", "delivered"}), 0u) << "known before the first one";
  EXPECT_EQ(attempts.size(), 3u * 5u);
  EXPECT_EQ(sender_.attempt_times().at("webhook").count(), 1u);
  EXPECT_EQ(sender_.attempt_times().at("email").count(), 1u);
  EXPECT_EQ(sender_.attempt_times().at("push").count(), 0u);
}

TEST_F(NotificationsTest, RetryAfterIsForTheWholeEndpoint) {
  AddEndpoint();
  webhooks_->Answer(Outcome(SendOutcome::Kind::kRetry, std::chrono::hours(1)));
  Remind({Event()});
  EXPECT_EQ(SendAll(), 1);
  Remind({Event()});
  EXPECT_EQ(SendAll(), 0);
  clock_.Set("2026-10-24T10:00:00Z");
  webhooks_->Answer(Outcome(SendOutcome::Kind::kDelivered));
  EXPECT_EQ(SendAll(), 2);
}

TEST_F(NotificationsTest, AGoneEndpointIsDisabledAndARefusedMessageIsNot) {
  const EndpointWithSecret endpoint = AddEndpoint();
  webhooks_->Answer(Outcome(SendOutcome::Kind::kRefused));
  Remind({Event()});
  EXPECT_EQ(SendAll(), 1);
  EXPECT_EQ(store_.GetEndpoint(ada_, endpoint.endpoint.id)->disabled_reason, "");
  webhooks_->Answer(Outcome(SendOutcome::Kind::kGone));
  Remind({Event()});
  EXPECT_EQ(SendAll(), 1);
  EXPECT_NE(store_.GetEndpoint(ada_, endpoint.endpoint.id)->disabled_reason, "");
  Remind({Event()});
  EXPECT_EQ(SendAll(), 0);
}

TEST_F(NotificationsTest, AnAddressThatDoesNotExistIsForgotten) {
  AddMail();
  mail_->Answer(Outcome(SendOutcome::Kind::kGone));
  Remind({Event()});
  EXPECT_EQ(SendAll(), 1);
  EXPECT_EQ(*store_.MailAddress(ada_), "");
}

TEST_F(NotificationsTest, AForbiddenEndpointIsDisabledWithTheReason) {
  const EndpointWithSecret endpoint = AddEndpoint();
  AddPush();
  webhooks_->Answer(Outcome(SendOutcome::Kind::kForbidden));
  push_->Answer(Outcome(SendOutcome::Kind::kForbidden));
  Remind({Event()});
  SendAll();
  EXPECT_EQ(store_.GetEndpoint(ada_, endpoint.endpoint.id)->disabled_reason, "said so");
  EXPECT_THAT(*store_.ListSubscriptions(ada_), IsEmpty());
}

TEST_F(NotificationsTest, AnEndpointIsNewUntilItAnswersAndSlowUntilItAnswersQuickly) {
  AddEndpoint();
  const auto kind_of_next = [&]() -> std::optional<Pace> {
    for (const Pace pace : {Pace::kNew, Pace::kSlow, Pace::kQuick}) {
      const auto leased = sender_.Lease(pace);
      if (!leased.ok() || !leased->has_value()) continue;
      EXPECT_TRUE(sender_.Send(**leased).ok());
      return pace;
    }
    return std::nullopt;
  };
  Remind({Event()});
  EXPECT_EQ(kind_of_next(), Pace::kNew);
  Remind({Event()});
  webhooks_->OnSend([this] { clock_.Set("2026-10-24T09:00:05Z"); });
  EXPECT_EQ(kind_of_next(), Pace::kQuick);
  Remind({Event()});
  EXPECT_EQ(kind_of_next(), Pace::kSlow) << "it has let us wait for 5 s";
  Remind({Event()});
  EXPECT_EQ(kind_of_next(), Pace::kQuick);
}

TEST_F(NotificationsTest, AChannelThatIsOffGetsNoDeliveriesAndNoEndpoints) {
  AddMail();
  channels_.Set({.webhooks = webhooks_, .webhook_master_key = "k"});
  Remind({Event()});
  EXPECT_EQ(SendAll(), 0);
  EXPECT_THAT(settings_.SetMailAddress(ada_, "b@example.org"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_TRUE(settings_.SetMailAddress(ada_, "").ok());
  EXPECT_THAT(database_.Read()->deliveries, IsEmpty());
}

TEST_F(NotificationsTest, DeliveriesWaitUntilTheChannelsAreKnown) {
  AddEndpoint();
  ChannelSet unknown;
  ReminderNotifier early(state_, clock_, unknown, "task-updates");
  DeliverySender idle(deliveries_, clock_, unknown);
  ASSERT_TRUE(Consume(early, {Event()}).ok());
  EXPECT_FALSE(idle.Lease(Pace::kNew)->has_value());
  EXPECT_EQ(SendAll(), 1);
}

TEST_F(NotificationsTest, TaskEventsGoOnlyToEndpointsThatWantThem) {
  domain::TaskEvent event;
  event.id = {ids_.NewId()};
  event.user = ada_;
  event.kind = domain::ChangeKind::kCompleted;
  EXPECT_THAT(*task_webhooks_.Concerns({event}), ElementsAre(false));
  AddEndpoint({.url = "https://hooks.example/x", .reminders = false, .task_events = true});
  domain::TaskEvent other = event;
  other.user = UserId{"bob"};
  EXPECT_THAT(*task_webhooks_.Concerns({other, event}), ElementsAre(false, true));
  ASSERT_TRUE(Consume(task_webhooks_, {event}).ok());
  EXPECT_EQ(SendAll(), 1);
  EXPECT_EQ(nlohmann::json::parse(webhooks_->sent()[0].body)["type"], "task.completed");
  Remind({Event()});
  EXPECT_EQ(SendAll(), 0) << "no reminders for this one";
}

TEST_F(NotificationsTest, PreferencesAreWrittenOnlyOverTheEtagThatTheCallerSaw) {
  const auto first = settings_.GetPreferences(ada_);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = settings_.UpdatePreferences(ada_, {.email = false}, first->etag);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_FALSE(second->values.email);
  EXPECT_THAT(settings_.UpdatePreferences(ada_, {}, first->etag),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_TRUE(settings_.UpdatePreferences(ada_, {.push = false}, "").ok());
  EXPECT_FALSE(settings_.GetPreferences(ada_)->values.email) << "the others stay";
  EXPECT_THAT(settings_.UpdatePreferences(ada_, {.time_zone = "Nowhere"}, ""),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(NotificationsTest, TheZoneOfThePreferencesIsTheOneOfNewTasks) {
  ASSERT_TRUE(settings_.UpdatePreferences(ada_, {.time_zone = "Europe/Berlin"}, "").ok());
  EXPECT_EQ(zones_.ZoneOf(ada_).value(), "Europe/Berlin");
  clock_.Set("2026-10-24T08:00:00Z");  // another replica, whose clock is behind
  ASSERT_TRUE(settings_.UpdatePreferences(ada_, {.time_zone = "Asia/Tokyo"}, "").ok());
  EXPECT_EQ(zones_.ZoneOf(ada_).value(), "Asia/Tokyo");
}

TEST_F(NotificationsTest, WithoutTheDatabasePreferencesAreReadButNotChanged) {
  ASSERT_THAT(settings_.UpdatePreferences(ada_, {.time_zone = "Asia/Tokyo"}, ""), IsOk());
  database_.FailWith(absl::UnavailableError("no database"));
  EXPECT_THAT(settings_.UpdatePreferences(ada_, {.time_zone = "Europe/Berlin"}, ""),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(settings_.GetPreferences(ada_)->values.time_zone, "Asia/Tokyo");
}

TEST_F(NotificationsTest, AnUpdateThatEndsBeforeTheTasksHaveItsZoneIsRepaired) {
  ASSERT_THAT(settings_.UpdatePreferences(ada_, {.time_zone = "Asia/Tokyo"}, ""), IsOk());
  state_.OnWritten([&] { database_.FailWith(absl::UnavailableError("no database")); });
  EXPECT_THAT(settings_.UpdatePreferences(ada_, {.time_zone = "Europe/Berlin"}, ""),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(settings_.RepairZones(), StatusIs(absl::StatusCode::kUnavailable));
  database_.FailWith(absl::OkStatus());
  EXPECT_EQ(settings_.GetPreferences(ada_)->values.time_zone, "Europe/Berlin");
  EXPECT_THAT(zones_.ZoneOf(ada_), IsOkAndHolds("Asia/Tokyo")) << "a read writes nothing";
  EXPECT_THAT(settings_.RepairZones(), IsOk());
  EXPECT_THAT(zones_.ZoneOf(ada_), IsOkAndHolds("Europe/Berlin"));
  EXPECT_THAT(zones_.ListAnnounced(10), IsOkAndHolds(SizeIs(0)));
}

TEST_F(NotificationsTest, AnAnnouncedZoneWithoutPreferencesIsWithdrawnAfterAMinute) {
  state_.FailWith(absl::UnavailableError("away"));
  ASSERT_THAT(zones_.Announce(ada_, clock_.Now()), IsOk());
  EXPECT_THAT(settings_.RepairZones(), StatusIs(absl::StatusCode::kUnavailable));
  state_.FailWith(absl::OkStatus());
  clock_.Set("2026-10-24T09:01:00Z");
  EXPECT_THAT(settings_.RepairZones(), IsOk());
  EXPECT_THAT(zones_.ListAnnounced(10), IsOkAndHolds(SizeIs(1))) << "its write may be under way";
  clock_.Set("2026-10-24T09:01:00.001Z");
  EXPECT_THAT(settings_.RepairZones(), IsOk());
  EXPECT_THAT(zones_.ListAnnounced(10), IsOkAndHolds(SizeIs(0)));
  EXPECT_THAT(zones_.ZoneOf(ada_), IsOkAndHolds("UTC"));
}

TEST_F(NotificationsTest, ARequestedStopEndsTheRepairOfZones) {
  ASSERT_THAT(zones_.Announce(ada_, clock_.Now()), IsOk());
  state_.FailWith(absl::UnavailableError("away"));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THAT(settings_.RepairZones(stop.get_token()), IsOk()) << "the state store was not asked";
  EXPECT_THAT(zones_.ListAnnounced(10), IsOkAndHolds(SizeIs(1)));
}

TEST_F(NotificationsTest, ARefusedUpdateDoesNotHideAnInterruptedOne) {
  const std::string old = settings_.GetPreferences(ada_)->etag;
  state_.OnWritten([&] { database_.FailWith(absl::UnavailableError("no database")); });
  EXPECT_THAT(settings_.UpdatePreferences(ada_, {.time_zone = "Europe/Berlin"}, ""),
              StatusIs(absl::StatusCode::kUnavailable));
  database_.FailWith(absl::OkStatus());
  EXPECT_THAT(settings_.UpdatePreferences(ada_, {.time_zone = "Asia/Tokyo"}, old),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(settings_.RepairZones(), IsOk());
  EXPECT_THAT(zones_.ZoneOf(ada_), IsOkAndHolds("Europe/Berlin"));
}

TEST_F(NotificationsTest, ARepeatedCreateAnswersTheSameEndpointAndSecret) {
  CallContext call = Call();
  call.request_id = domain::RequestId{ids_.NewId()};
  const NewEndpoint input{.url = "https://hooks.example/x"};
  const auto first = settings_.CreateEndpoint(call, input);
  const auto again = settings_.CreateEndpoint(call, input);
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(first->endpoint.id, again->endpoint.id);
  EXPECT_EQ(first->secret, again->secret);
  call.fingerprint = "other";
  EXPECT_THAT(settings_.CreateEndpoint(call, input), StatusIs(absl::StatusCode::kAlreadyExists));
  call.user = UserId{"bob"};
  EXPECT_NE(settings_.CreateEndpoint(call, input)->endpoint.id, first->endpoint.id);
}

TEST_F(NotificationsTest, AUrlThatThisServerCanNeverCallIsRefused) {
  const auto fields = [](const absl::Status& status) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument)) << status;
    std::string names;
    for (const auto& violation : util::FieldViolationsOf(status)) names += violation.field + " ";
    return names;
  };
  const std::string never = "http://hooks.example/x";
  EXPECT_EQ(fields(settings_.CreateEndpoint(Call(), {.url = never}).status()), "endpoint.url ");
  const EndpointWithSecret endpoint = AddEndpoint();
  EXPECT_EQ(fields(settings_.UpdateEndpoint(ada_, endpoint.endpoint.id, {.url = never}).status()),
            "endpoint.url ");
  EXPECT_EQ(
      fields(settings_
                 .AddSubscription(
                     ada_, {.endpoint = never, .p256dh = PublicKey(), .auth = std::string(16, 'a')})
                 .status()),
      "subscription.endpoint ");
}

TEST_F(NotificationsTest, ACreateRepeatedAfterTheDeleteAnswersTheFirstAndRevivesNothing) {
  CallContext call = Call();
  call.request_id = domain::RequestId{ids_.NewId()};
  const NewEndpoint input{.url = "https://hooks.example/x"};
  const auto first = settings_.CreateEndpoint(call, input);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(store_.RemoveEndpoint(ada_, first->endpoint.id).ok());
  clock_.Set("2026-10-24T10:00:00Z");
  const auto again = settings_.CreateEndpoint(call, input);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->endpoint.id, first->endpoint.id);
  EXPECT_EQ(again->endpoint.created_at, first->endpoint.created_at);
  EXPECT_EQ(again->secret, first->secret);
  EXPECT_THAT(*store_.ListEndpoints(ada_), IsEmpty());
  call.fingerprint = "other";
  EXPECT_THAT(settings_.CreateEndpoint(call, input), StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(NotificationsTest, RotationSignsWithBothForADay) {
  const EndpointWithSecret endpoint = AddEndpoint();
  const auto rotated = settings_.RotateSecret(Call(), endpoint.endpoint.id);
  ASSERT_TRUE(rotated.ok()) << rotated.status();
  EXPECT_NE(rotated->secret, endpoint.secret);
  Remind({Event()});
  SendAll();
  ASSERT_THAT(webhooks_->sent().at(0).secrets, SizeIs(2));
  EXPECT_EQ(domain::FormatWebhookSecret(webhooks_->sent()[0].secrets[0]), rotated->secret);
  EXPECT_EQ(domain::FormatWebhookSecret(webhooks_->sent()[0].secrets[1]), endpoint.secret);
  clock_.Set("2026-10-25T09:00:01Z");
  Remind({Event()});
  SendAll();
  EXPECT_THAT(webhooks_->sent().at(1).secrets, SizeIs(1));
}

TEST_F(NotificationsTest, ATestCallIsSentAtOnceAndOneAtATime) {
  const EndpointWithSecret endpoint = AddEndpoint();
  absl::Status second;
  webhooks_->OnSend([&] { second = settings_.TestEndpoint(ada_, endpoint.endpoint.id).status(); });
  const auto outcome = settings_.TestEndpoint(ada_, endpoint.endpoint.id);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(settings_.TestEndpoint(UserId{"bob"}, endpoint.endpoint.id),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(nlohmann::json::parse(webhooks_->sent().at(0).body)["type"], "webhook.test");
}

TEST_F(NotificationsTest, InvalidKeysOfASubscriptionAreRefused) {
  const auto refused =
      settings_.AddSubscription(ada_, {.endpoint = "ftp://x", .p256dh = "short", .auth = "short"});
  EXPECT_THAT(util::FieldViolationsOf(refused.status()), SizeIs(3));
}

}  // namespace
}  // namespace todo::service
