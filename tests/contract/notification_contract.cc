#include "contract/notification_contract.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <set>

#include "support/status_matchers.h"
#include "util/status.h"

namespace todo::contract {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(NotificationContract);

using absl::StatusCode;
using domain::Channel;
using domain::Instant;
using domain::UserId;
using domain::Uuid;
using ports::DeliveryState;
using ports::LeasedLane;
using ports::Pace;
using ports::ReminderNotice;
using ports::WebhookEndpoint;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using support::IsOk;
using support::IsOkAndHolds;
using support::StatusIs;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

WebhookEndpoint NotificationContract::AddEndpoint(const UserId& user, const std::string& host,
                                                  bool task_events) {
  WebhookEndpoint endpoint;
  endpoint.id = NewEventId().uuid;
  endpoint.url = "https://" + host + "/hook";
  endpoint.host = host;
  endpoint.task_events = task_events;
  endpoint.created_at = now_;
  const auto added = store().AddEndpoint(user, endpoint, "content", {});
  EXPECT_TRUE(added.ok()) << added.status();
  return added.value_or(endpoint);
}

ports::PushSubscription NotificationContract::AddSubscription(const UserId& user,
                                                              const std::string& endpoint) {
  const auto added = store().AddSubscription(user, {.id = NewEventId().uuid,
                                                    .endpoint = endpoint,
                                                    .host = "push.example",
                                                    .p256dh = std::string("\x04\x00\xff", 3),
                                                    .auth = "auth",
                                                    .created_at = now_});
  EXPECT_TRUE(added.ok()) << added.status();
  return added.value_or(ports::PushSubscription());
}

ReminderNotice NotificationContract::Notice(const UserId& user) {
  ReminderNotice notice;
  notice.user = user;
  notice.now = now_;
  notice.reminder = {.id = NewEventId(),
                     .task_id = domain::TaskId{7},
                     .title = "call \"mum\" \u00e9",
                     .remind_at = now_ - minutes(1),
                     .due = *domain::ResolveInstantDue(now_ + hours(1)),
                     .time_zone = "Europe/Berlin",
                     .late = false};
  notice.webhook_body = R"({"type":"reminder.due"})";
  notice.disturb_at = now_;
  notice.topic = "task-updates";
  notice.update_id = NewEventId().uuid;
  notice.update = fmt::format(R"({{"id":"{}"}})", notice.update_id.value());
  return notice;
}

void NotificationContract::Remind(const std::vector<ReminderNotice>& notices) {
  const absl::Status status =
      environment_->inbox().Transact([&](ports::InboxTransaction& transaction) {
        return transaction.notifications().Remind(notices);
      });
  EXPECT_TRUE(status.ok()) << status;
}

std::optional<LeasedLane> NotificationContract::Lease(Pace pace, Instant now) {
  auto leased = deliveries().Lease(pace, {Channel::kWebhook, Channel::kEmail, Channel::kPush}, now,
                                   now + seconds(60));
  EXPECT_TRUE(leased.ok()) << leased.status();
  return leased.ok() ? *leased : std::nullopt;
}

std::optional<Instant> NotificationContract::NextTurn(Pace pace) {
  const auto turn =
      deliveries().NextTurn(pace, {Channel::kWebhook, Channel::kEmail, Channel::kPush});
  EXPECT_THAT(turn, IsOk());
  return turn.value_or(std::nullopt);
}

void NotificationContract::EnqueueTaskWebhook(const UserId& user) {
  EXPECT_THAT(environment_->inbox().Transact([&](ports::InboxTransaction& transaction) {
    return transaction.notifications().EnqueueTaskWebhooks({{.user = user,
                                                             .event_id = NewEventId(),
                                                             .kind = "task.completed",
                                                             .body = "{}",
                                                             .now = now_}});
  }),
              IsOk());
}

bool NotificationContract::Finish(const LeasedLane& leased, DeliveryState state, Instant at,
                                  bool slow, std::optional<Instant> paused_until) {
  ports::DeliveryAttempt attempt;
  attempt.at = at;
  attempt.outcome = "retry";
  attempt.status_code = 503;
  attempt.detail = "try later";
  attempt.paused_until = paused_until;
  for (const ports::QueuedDelivery& delivery : leased.deliveries) {
    attempt.results.push_back({.id = delivery.id, .state = state, .due_at = at + minutes(5)});
  }
  const auto finished = deliveries().Finish(leased.lane, attempt, slow);
  EXPECT_TRUE(finished.ok()) << finished.status();
  return finished.ok() && *finished;
}

// ---- the list

TEST_P(NotificationContract, AReminderIsInTheListOnceAndAnnouncedOnce) {
  const ReminderNotice notice = Notice(ann_);
  Remind({notice});
  Remind({notice});
  const auto page = store().List(ann_, false, 10, "");
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_THAT(page->notifications, SizeIs(1));
  EXPECT_EQ(page->notifications[0].reminder, notice.reminder);
  EXPECT_EQ(page->notifications[0].at, now_);
  EXPECT_EQ(page->notifications[0].read_at, std::nullopt);
  EXPECT_EQ(page->unread_count, 1);
  EXPECT_THAT(environment_->Messages(), ElementsAre(notice.update));
  EXPECT_THAT(store().List(bob_, false, 10, "")->notifications, IsEmpty());
}

TEST_P(NotificationContract, WhatIsNotToBeShownIsNeitherListedNorAnnounced) {
  ReminderNotice notice = Notice(ann_);
  notice.in_app = false;
  Remind({notice});
  EXPECT_THAT(store().List(ann_, false, 10, "")->notifications, IsEmpty());
  EXPECT_EQ(store().List(ann_, false, 10, "")->unread_count, 0);
  EXPECT_THAT(environment_->Messages(), IsEmpty());
}

TEST_P(NotificationContract, PagesShowEveryNotificationOnceTheNewestFirst) {
  std::vector<ReminderNotice> notices;
  for (int i = 0; i < 5; ++i) {
    notices.push_back(Notice(ann_));
    notices.back().now = now_ + seconds(i / 2);  // some at the same time
  }
  Remind(notices);
  std::vector<ports::Notification> seen;
  std::string cursor;
  do {
    const auto page = store().List(ann_, false, 2, cursor);
    ASSERT_TRUE(page.ok()) << page.status();
    seen.insert(seen.end(), page->notifications.begin(), page->notifications.end());
    cursor = page->next_cursor;
  } while (!cursor.empty());
  ASSERT_THAT(seen, SizeIs(5));
  std::set<std::string> ids;
  for (const auto& notification : seen) ids.insert(notification.reminder.id.value());
  EXPECT_THAT(ids, SizeIs(5));
  EXPECT_TRUE(std::ranges::is_sorted(seen, std::greater(), &ports::Notification::at));
  EXPECT_EQ(store().List(ann_, false, 2, "nonsense").status().code(), StatusCode::kInvalidArgument);
}

TEST_P(NotificationContract, ReadingMarksOnceAndOnlyOnesOwn) {
  const ReminderNotice one = Notice(ann_);
  const ReminderNotice two = Notice(ann_);
  Remind({one, two, Notice(bob_)});
  const std::vector<Uuid> ids = {one.reminder.id.uuid};
  EXPECT_EQ(*store().MarkRead(bob_, ids, now_), 0);
  EXPECT_EQ(*store().MarkRead(ann_, ids, now_ + seconds(1)), 1);
  EXPECT_EQ(*store().MarkRead(ann_, ids, now_ + seconds(9)), 0);
  const auto unread = store().List(ann_, true, 10, "");
  ASSERT_THAT(unread->notifications, SizeIs(1));
  EXPECT_EQ(unread->notifications[0].reminder.id, two.reminder.id);
  EXPECT_EQ(*store().MarkRead(ann_, std::nullopt, now_), 1);
  EXPECT_EQ(store().List(ann_, false, 10, "")->unread_count, 0);
  EXPECT_EQ(store().List(bob_, false, 10, "")->unread_count, 1);
}

// ---- targets

TEST_P(NotificationContract, EndpointsBelongToTheirUser) {
  const WebhookEndpoint endpoint = AddEndpoint(ann_, "a.example");
  EXPECT_EQ(store().GetEndpoint(bob_, endpoint.id).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(store().UpdateEndpoint(bob_, endpoint.id, {}).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(store().RemoveEndpoint(bob_, endpoint.id).code(), StatusCode::kNotFound);
  EXPECT_EQ(store().RotateSecret(bob_, endpoint.id, {.id = endpoint.id}).status().code(),
            StatusCode::kNotFound);
  EXPECT_EQ(store().ListDeliveries(bob_, endpoint.id, 10, "").status().code(),
            StatusCode::kNotFound);
  EXPECT_THAT(*store().ListEndpoints(bob_), IsEmpty());
  EXPECT_THAT(*store().ListEndpoints(ann_), SizeIs(1));
}

TEST_P(NotificationContract, AddingAnEndpointAgainAnswersTheFirst) {
  WebhookEndpoint endpoint = AddEndpoint(ann_, "a.example");
  WebhookEndpoint again = endpoint;
  again.url = "https://elsewhere.example";
  EXPECT_EQ(store().AddEndpoint(ann_, again, "content", {})->url, endpoint.url);
  EXPECT_EQ(store().AddEndpoint(ann_, again, "other", {}).status().code(),
            StatusCode::kAlreadyExists);
  EXPECT_EQ((**store().FindAdded(ann_, again, "content", {})).url, endpoint.url);
  EXPECT_EQ(store().FindAdded(ann_, again, "other", {}).status().code(),
            StatusCode::kAlreadyExists);
}

TEST_P(NotificationContract, ARequestToAddAnEndpointIsAnsweredAsTheFirstTimeWhateverBecameOfIt) {
  WebhookEndpoint wanted;
  wanted.id = NewEventId().uuid;
  wanted.url = "https://a.example/hook";
  wanted.host = "a.example";
  wanted.created_at = now_;
  const domain::RequestId request = NewRequestId();
  const auto add = [&](const WebhookEndpoint& endpoint, const std::string& fingerprint) {
    return store().AddEndpoint(ann_, endpoint, fingerprint, request);
  };
  const auto find = [&](const std::string& fingerprint) {
    return store().FindAdded(ann_, wanted, fingerprint, request);
  };
  EXPECT_FALSE(find("content")->has_value());
  EXPECT_THAT(*store().ListEndpoints(ann_), IsEmpty()) << "a look adds nothing";
  ASSERT_TRUE(add(wanted, "content").ok());
  EXPECT_EQ(find("other").status().code(), StatusCode::kAlreadyExists);
  ASSERT_TRUE(store().UpdateEndpoint(ann_, wanted.id, {.url = "https://b.example"}).ok());
  EXPECT_EQ((**find("content")).url, wanted.url);
  WebhookEndpoint again = wanted;
  again.created_at = now_ + hours(1);
  EXPECT_EQ(add(again, "content")->url, wanted.url) << "not what is there";
  EXPECT_EQ(store().GetEndpoint(ann_, wanted.id)->url, "https://b.example");
  ASSERT_TRUE(store().RemoveEndpoint(ann_, wanted.id).ok());
  const auto after = add(again, "content");
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->id, wanted.id);
  EXPECT_EQ(after->created_at, now_);
  EXPECT_EQ(after->secret_version, 1);
  EXPECT_EQ((**find("content")).created_at, now_);
  EXPECT_THAT(*store().ListEndpoints(ann_), IsEmpty()) << "nothing is revived";
  EXPECT_EQ(add(again, "other").status().code(), StatusCode::kAlreadyExists);
  for (int i = 0; i < domain::kMaxWebhookEndpoints; ++i) AddEndpoint(ann_, "a.example");
  EXPECT_TRUE(add(again, "content").ok()) << "it adds none";
  EXPECT_TRUE(store().AddEndpoint(bob_, wanted, "other", request).ok()) << "another user's";
}

TEST_P(NotificationContract, ADueDateIsKeptAsItWasMeant) {
  std::vector<domain::Due> dues = {
      {},
      *domain::ResolveInstantDue(now_ + hours(1)),
      *domain::ResolveLocalDue("2026-11-30", "Pacific/Auckland"),
      *domain::ResolveLocalDue("2026-11-30T09:05:07", "America/New_York")};
  ASSERT_TRUE(store().SetMailAddress(ann_, "ann@example.org").ok());
  std::vector<ReminderNotice> notices;
  for (const domain::Due& due : dues) {
    notices.push_back(Notice(ann_));
    notices.back().reminder.due = due;
    notices.back().now = now_ + seconds(static_cast<int>(notices.size()));
    notices.back().disturb_at = notices.back().now;
    notices.back().grouped = true;
  }
  Remind(notices);
  const auto page = store().List(ann_, false, 10, "");
  ASSERT_TRUE(page.ok()) << page.status();
  const auto leased = Lease(Pace::kQuick, now_ + minutes(2));
  ASSERT_TRUE(leased);
  ASSERT_THAT(leased->deliveries, SizeIs(dues.size()));
  for (std::size_t i = 0; i < dues.size(); ++i) {
    EXPECT_EQ(page->notifications.at(dues.size() - 1 - i).reminder.due, dues[i]);
    EXPECT_EQ(leased->deliveries[i].reminder->due, dues[i]);
  }
}

TEST_P(NotificationContract, EndpointsAndSubscriptionsAreLimited) {
  for (int i = 0; i < domain::kMaxWebhookEndpoints; ++i) AddEndpoint(ann_, "a.example");
  WebhookEndpoint one_more;
  one_more.id = NewEventId().uuid;
  one_more.created_at = now_;
  EXPECT_EQ(store().AddEndpoint(ann_, one_more, "c", {}).status().code(),
            StatusCode::kResourceExhausted);
  EXPECT_TRUE(store().AddEndpoint(bob_, one_more, "c", {}).ok());

  for (int i = 0; i < domain::kMaxPushSubscriptions; ++i)
    AddSubscription(ann_, fmt::format("https://push.example/{}", i));
  EXPECT_EQ(store()
                .AddSubscription(ann_, {.id = one_more.id, .endpoint = "x", .created_at = now_})
                .status()
                .code(),
            StatusCode::kResourceExhausted);
  AddSubscription(ann_, "https://push.example/3");  // replaces
}

TEST_P(NotificationContract, APatchChangesWhatItNames) {
  const WebhookEndpoint endpoint = AddEndpoint(ann_, "a.example");
  const auto off = store().UpdateEndpoint(ann_, endpoint.id, {.disabled_reason = "so"});
  ASSERT_TRUE(off.ok()) << off.status();
  EXPECT_EQ(off->disabled_reason, "so");
  EXPECT_EQ(off->url, endpoint.url);
  EXPECT_TRUE(off->reminders);
  const auto moved = store().UpdateEndpoint(ann_, endpoint.id,
                                            {.url = "https://b.example",
                                             .host = "b.example",
                                             .task_events = true,
                                             .disabled_reason = ""});
  EXPECT_EQ(moved->url, "https://b.example");
  EXPECT_EQ(moved->host, "b.example");
  EXPECT_TRUE(moved->task_events);
  EXPECT_EQ(moved->disabled_reason, "");
}

TEST_P(NotificationContract, ARotationHappensOnce) {
  const WebhookEndpoint endpoint = AddEndpoint(ann_, "a.example");
  const auto rotate = [&](const Uuid& id, Instant now) {
    const auto rotated = store().RotateSecret(
        ann_, endpoint.id, {.id = id, .now = now, .previous_until = now + hours(24)});
    EXPECT_TRUE(rotated.ok()) << rotated.status();
    return rotated.value_or(WebhookEndpoint());
  };
  const Uuid first = NewEventId().uuid;
  EXPECT_EQ(rotate(first, now_).secret_version, 2);
  EXPECT_EQ(rotate(first, now_).previous_until, now_ + hours(24));
  EXPECT_EQ(rotate(first, now_ + hours(48)).secret_version, 2);
  EXPECT_EQ(rotate(NewEventId().uuid, now_ + hours(48)).secret_version, 3);
  EXPECT_EQ(rotate(first, now_ + hours(48)).secret_version, 3) << "an older one that comes again";
}

TEST_P(NotificationContract, TheSecretsOfTheLastDaySignThreeAtMost) {
  const WebhookEndpoint endpoint = AddEndpoint(ann_, "a.example");
  const auto rotate = [&](Instant now) {
    const auto rotated = store().RotateSecret(
        ann_, endpoint.id,
        {.id = NewEventId().uuid, .now = now, .previous_until = now + hours(24)});
    EXPECT_TRUE(rotated.ok()) << rotated.status();
    return rotated.value_or(WebhookEndpoint()).previous_count;
  };
  EXPECT_EQ(rotate(now_), 1);
  EXPECT_EQ(rotate(now_ + hours(1)), 2);
  Remind({Notice(ann_), Notice(ann_)});
  const auto leased = Lease(Pace::kNew, now_ + hours(24));
  ASSERT_TRUE(leased);
  EXPECT_EQ(leased->secret_version, 3);
  EXPECT_EQ(leased->previous_secrets, 2);
  EXPECT_TRUE(Finish(*leased, DeliveryState::kDelivered, now_ + hours(24)));
  const auto later = Lease(Pace::kQuick, now_ + hours(25));
  ASSERT_TRUE(later);
  EXPECT_EQ(later->previous_secrets, 0) << "their day is over";
  EXPECT_EQ(rotate(now_ + hours(26)), 1);
  for (const int count : {2, 3, 3}) EXPECT_EQ(rotate(now_ + hours(27)), count);
}

TEST_P(NotificationContract, ASubscriptionAddedAgainKeepsItsIdAndGetsTheNewKeys) {
  const auto first = AddSubscription(ann_, "https://push.example/1");
  const auto second = store().AddSubscription(ann_, {.id = NewEventId().uuid,
                                                     .endpoint = first.endpoint,
                                                     .host = first.host,
                                                     .p256dh = "new",
                                                     .auth = "keys",
                                                     .created_at = now_});
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->id, first.id);
  EXPECT_EQ(second->p256dh, "new");
  EXPECT_THAT(*store().ListSubscriptions(ann_), SizeIs(1));
  EXPECT_EQ(store().RemoveSubscription(bob_, first.id).code(), StatusCode::kNotFound);
  EXPECT_TRUE(store().RemoveSubscription(ann_, first.id).ok());
  EXPECT_EQ(store().RemoveSubscription(ann_, first.id).code(), StatusCode::kNotFound);
}

TEST_P(NotificationContract, ABrowserThatChangesItsUserTellsOnlyTheNewOne) {
  const auto of_ann = AddSubscription(ann_, "https://push.example/1");
  const auto of_carl = store().AddSubscription(UserId{"carl"}, {.id = NewEventId().uuid,
                                                                .endpoint = of_ann.endpoint,
                                                                .host = of_ann.host,
                                                                .p256dh = "guessed",
                                                                .auth = of_ann.auth,
                                                                .created_at = now_});
  ASSERT_TRUE(of_carl.ok()) << of_carl.status();
  EXPECT_THAT(*store().ListSubscriptions(ann_), SizeIs(1)) << "the endpoint alone proves nothing";
  Remind({Notice(ann_)});
  AddSubscription(bob_, of_ann.endpoint);
  EXPECT_THAT(*store().ListSubscriptions(ann_), IsEmpty());
  EXPECT_THAT(*store().ListSubscriptions(bob_), SizeIs(1));
  EXPECT_FALSE(Lease(Pace::kNew, now_)) << "what waited for ann";
}

TEST_P(NotificationContract, AMailAddressIsSetAndCleared) {
  EXPECT_EQ(*store().MailAddress(ann_), "");
  EXPECT_TRUE(store().SetMailAddress(ann_, "ann@example.org").ok());
  EXPECT_TRUE(store().SetMailAddress(ann_, "a@example.org").ok());
  EXPECT_EQ(*store().MailAddress(ann_), "a@example.org");
  EXPECT_EQ(*store().MailAddress(bob_), "");
  EXPECT_TRUE(store().SetMailAddress(ann_, "").ok());
  EXPECT_EQ(*store().MailAddress(ann_), "");
}

TEST_P(NotificationContract, OnlyUsersWithAnEnabledEndpointForTaskEventsWantThem) {
  AddEndpoint(ann_, "a.example");
  EXPECT_THAT(*store().WantTaskEvents({ann_, bob_}), IsEmpty());
  const WebhookEndpoint endpoint = AddEndpoint(bob_, "b.example", true);
  EXPECT_THAT(*store().WantTaskEvents({ann_, bob_}), ElementsAre(bob_));
  ASSERT_TRUE(store().UpdateEndpoint(bob_, endpoint.id, {.disabled_reason = "off"}).ok());
  EXPECT_THAT(*store().WantTaskEvents({ann_, bob_}), IsEmpty());
}

// ---- deliveries

TEST_P(NotificationContract, EachTargetGetsOneDeliveryOfAReminder) {
  AddEndpoint(ann_, "a.example");
  AddEndpoint(ann_, "b.example");
  AddSubscription(ann_, "https://push.example/1");
  ASSERT_TRUE(store().SetMailAddress(ann_, "ann@example.org").ok());
  const ReminderNotice notice = Notice(ann_);
  Remind({notice});
  Remind({notice});
  std::multiset<std::string> addresses;
  for (const Pace pace : {Pace::kNew, Pace::kQuick}) {
    while (const auto leased = Lease(pace, now_)) {
      ASSERT_THAT(leased->deliveries, SizeIs(1));
      addresses.insert(leased->address);
      EXPECT_EQ(leased->deliveries[0].reminder, notice.reminder);
      if (leased->lane.channel == Channel::kWebhook) {
        EXPECT_EQ(leased->deliveries[0].body, notice.webhook_body);
        EXPECT_EQ(leased->secret_version, 1);
        EXPECT_EQ(leased->previous_secrets, 0);
      }
      if (leased->lane.channel == Channel::kPush) {
        EXPECT_EQ(leased->p256dh, std::string("\x04\x00\xff", 3));
      }
      EXPECT_TRUE(Finish(*leased, DeliveryState::kDelivered, now_));
    }
  }
  EXPECT_THAT(addresses,
              testing::UnorderedElementsAre("https://a.example/hook", "https://b.example/hook",
                                            "https://push.example/1", "ann@example.org"));
}

TEST_P(NotificationContract, SwitchedOffWaysAndEndpointsGetNothing) {
  const WebhookEndpoint endpoint = AddEndpoint(ann_, "a.example");
  ASSERT_TRUE(store().SetMailAddress(ann_, "ann@example.org").ok());
  ReminderNotice notice = Notice(ann_);
  notice.webhook = notice.email = notice.push = false;
  Remind({notice});
  ASSERT_TRUE(store().UpdateEndpoint(ann_, endpoint.id, {.disabled_reason = "off"}).ok());
  notice = Notice(ann_);
  notice.email = false;
  Remind({notice});
  EXPECT_FALSE(Lease(Pace::kNew, now_));
  EXPECT_FALSE(Lease(Pace::kQuick, now_));
}

TEST_P(NotificationContract, ALaneIsOutOnceAndComesBackWhenItsLeaseIsOver) {
  AddEndpoint(ann_, "a.example");
  Remind({Notice(ann_), Notice(ann_)});
  const auto leased = Lease(Pace::kNew, now_);
  ASSERT_TRUE(leased);
  EXPECT_FALSE(Lease(Pace::kNew, now_ + seconds(59)));
  const auto again = Lease(Pace::kNew, now_ + seconds(61));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->deliveries[0].id, leased->deliveries[0].id);
  EXPECT_FALSE(Finish(*leased, DeliveryState::kDelivered, now_)) << "its lease was lost";
  EXPECT_TRUE(Finish(*again, DeliveryState::kDelivered, now_));
  EXPECT_TRUE(Lease(Pace::kQuick, now_ + seconds(62))) << "the other one";
}

TEST_P(NotificationContract, AFailedAttemptWaitsUntilItIsDueAgain) {
  const WebhookEndpoint endpoint = AddEndpoint(ann_, "a.example");
  Remind({Notice(ann_)});
  const auto leased = Lease(Pace::kNew, now_);
  ASSERT_TRUE(leased);
  EXPECT_TRUE(Finish(*leased, DeliveryState::kPending, now_));
  EXPECT_FALSE(Lease(Pace::kQuick, now_ + minutes(5) - seconds(1)));
  const auto again = Lease(Pace::kQuick, now_ + minutes(5));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->deliveries[0].id, leased->deliveries[0].id) << "the same on every attempt";
  EXPECT_EQ(again->deliveries[0].failures, 1);
  EXPECT_TRUE(Finish(*again, DeliveryState::kFailed, now_));
  EXPECT_FALSE(Lease(Pace::kQuick, now_ + hours(24)));
  const auto log = store().ListDeliveries(ann_, endpoint.id, 10, "");
  ASSERT_THAT(log->deliveries, SizeIs(1));
  const ports::LoggedDelivery& delivery = log->deliveries[0];
  EXPECT_EQ(delivery.state, DeliveryState::kFailed);
  EXPECT_EQ(delivery.kind, "reminder.due");
  ASSERT_THAT(delivery.attempts, SizeIs(2));
  EXPECT_EQ(delivery.attempts[0].status_code, 503);
  EXPECT_EQ(delivery.attempts[0].detail, "try later");
  EXPECT_EQ(delivery.attempts[0].at, now_);
}

TEST_P(NotificationContract, ATargetThatAskedForAPauseIsNotCalledWithAnythingElse) {
  AddEndpoint(ann_, "a.example");
  Remind({Notice(ann_), Notice(ann_)});
  const Instant pause_end = now_ + hours(1);
  const auto leased = Lease(Pace::kNew, now_);
  ASSERT_TRUE(leased);
  EXPECT_TRUE(Finish(*leased, DeliveryState::kFailed, now_, false, pause_end));
  ReminderNotice later = Notice(ann_);
  later.now = now_ + minutes(1);
  Remind({later});
  ASSERT_TRUE(store().Redeliver(ann_, leased->deliveries[0].id, now_ + minutes(1)).ok());
  EXPECT_FALSE(Lease(Pace::kQuick, pause_end - seconds(1)));
  const auto again = Lease(Pace::kQuick, pause_end);
  ASSERT_TRUE(again);
  EXPECT_TRUE(Finish(*again, DeliveryState::kDelivered, pause_end));
  EXPECT_TRUE(Lease(Pace::kQuick, pause_end)) << "the pause is over";

  AddEndpoint(bob_, "b.example");
  Remind({Notice(bob_), Notice(bob_)});
  const auto of_bob = Lease(Pace::kNew, now_);
  ASSERT_TRUE(of_bob);
  EXPECT_TRUE(Finish(*of_bob, DeliveryState::kPending, now_, false, pause_end));
  EXPECT_FALSE(Lease(Pace::kNew, now_ + minutes(2)));
  ASSERT_TRUE(store()
                  .UpdateEndpoint(bob_, of_bob->lane.target,
                                  {.url = "https://b.example/other", .host = "b.example"})
                  .ok());
  EXPECT_TRUE(Lease(Pace::kNew, now_ + minutes(2))) << "another URL has asked for nothing";
}

TEST_P(NotificationContract, TheNextTurnIsWhenALaneIsDueOrItsLeaseIsOver) {
  EXPECT_EQ(NextTurn(Pace::kNew), std::nullopt);
  AddEndpoint(ann_, "a.example");
  AddEndpoint(bob_, "b.example");
  Remind({Notice(ann_)});
  EXPECT_EQ(NextTurn(Pace::kNew), now_);
  EXPECT_EQ(NextTurn(Pace::kQuick), std::nullopt);
  EXPECT_THAT(deliveries().NextTurn(Pace::kNew, {Channel::kEmail, Channel::kPush}),
              IsOkAndHolds(std::nullopt));
  const auto of_ann = Lease(Pace::kNew, now_);
  ASSERT_TRUE(of_ann);
  EXPECT_EQ(NextTurn(Pace::kNew), now_ + seconds(60)) << "its lease";
  ReminderNotice later = Notice(bob_);
  later.now = now_ + seconds(5);
  Remind({later});
  EXPECT_EQ(NextTurn(Pace::kNew), later.now);
  const auto of_bob = Lease(Pace::kNew, later.now);
  ASSERT_TRUE(of_bob);
  EXPECT_EQ(NextTurn(Pace::kNew), now_ + seconds(60));

  EXPECT_TRUE(Finish(*of_ann, DeliveryState::kPending, now_));
  EXPECT_EQ(NextTurn(Pace::kQuick), now_ + minutes(5));
  EXPECT_EQ(NextTurn(Pace::kNew), later.now + seconds(60));
  EXPECT_TRUE(Finish(*of_bob, DeliveryState::kPending, now_, /*slow=*/true, now_ + hours(1)));
  EXPECT_EQ(NextTurn(Pace::kSlow), now_ + hours(1)) << "it has asked for a pause";
  EXPECT_EQ(NextTurn(Pace::kNew), std::nullopt);

  const auto again = Lease(Pace::kQuick, now_ + minutes(5));
  ASSERT_TRUE(again);
  EXPECT_TRUE(Finish(*again, DeliveryState::kDelivered, now_));
  EXPECT_EQ(NextTurn(Pace::kQuick), std::nullopt) << "nothing waits";
}

TEST_P(NotificationContract, ALaneThatWaitsForOthersOfItsUserHasATurnThatHasPassed) {
  AddEndpoint(ann_, "a.example");
  AddEndpoint(ann_, "b.example");
  Remind({Notice(ann_)});
  ASSERT_TRUE(Lease(Pace::kNew, now_));
  EXPECT_FALSE(Lease(Pace::kNew, now_ + seconds(1)));
  EXPECT_EQ(NextTurn(Pace::kNew), now_);
}

TEST_P(NotificationContract, WhoMakesLanesDueTellsItAfterTheCommit) {
  const WebhookEndpoint endpoint = AddEndpoint(ann_, "a.example", true);
  EXPECT_EQ(environment_->TellCount(), 0);
  Remind({Notice(ann_), Notice(bob_)});
  EXPECT_EQ(environment_->TellCount(), 1);
  EnqueueTaskWebhook(ann_);
  EXPECT_EQ(environment_->TellCount(), 2);

  const auto leased = Lease(Pace::kNew, now_);
  ASSERT_TRUE(leased);
  EXPECT_TRUE(Finish(*leased, DeliveryState::kFailed, now_));
  ASSERT_THAT(store().Redeliver(ann_, leased->deliveries[0].id, now_), IsOk());
  EXPECT_EQ(environment_->TellCount(), 3);
  ASSERT_THAT(
      store().UpdateEndpoint(ann_, endpoint.id, {.url = "https://c.example/", .host = "c.example"}),
      IsOk());
  EXPECT_EQ(environment_->TellCount(), 4);
}

TEST_P(NotificationContract, WhatMakesNothingDueTellsNothing) {
  ReminderNotice silent = Notice(ann_);
  silent.webhook = silent.email = silent.push = false;
  Remind({silent});
  EXPECT_THAT(environment_->inbox().Transact([&](ports::InboxTransaction& transaction) {
    EXPECT_THAT(transaction.notifications().Remind({Notice(ann_)}), IsOk());
    return absl::AbortedError("rolled back");
  }),
              StatusIs(StatusCode::kAborted));
  EXPECT_THAT(store().Redeliver(ann_, NewUuid(), now_), StatusIs(StatusCode::kNotFound));
  EXPECT_EQ(environment_->TellCount(), 0);
}

TEST_P(NotificationContract, ALaneWithManyDeliveriesTakesTurnsWithOthers) {
  AddEndpoint(ann_, "a.example");
  AddEndpoint(bob_, "b.example");
  std::vector<ReminderNotice> notices;
  for (int i = 0; i < 20; ++i) notices.push_back(Notice(ann_));
  Remind(notices);
  ReminderNotice later = Notice(bob_);
  later.now = now_ + seconds(1);
  Remind({later});
  Instant now = now_ + seconds(1);
  const auto first = Lease(Pace::kNew, now);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->lane.user, ann_);
  EXPECT_TRUE(Finish(*first, DeliveryState::kDelivered, now + milliseconds(1), true));
  const auto second = Lease(Pace::kNew, now + milliseconds(2));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->lane.user, bob_)
      << "nineteen others wait at the first one, and wait their turn";
}

TEST_P(NotificationContract, OfNewLanesAUserHasOneOutAndAHostFour) {
  for (int i = 0; i < 10; ++i) AddEndpoint(UserId{fmt::format("user-{}", i)}, "a.example");
  AddEndpoint(ann_, "b.example");
  AddEndpoint(ann_, "c.example");
  std::vector<ReminderNotice> notices = {Notice(ann_)};
  for (int i = 0; i < 10; ++i) notices.push_back(Notice(UserId{fmt::format("user-{}", i)}));
  Remind(notices);
  const auto take_all = [&](Pace pace, Instant now) {
    std::vector<LeasedLane> out;
    while (auto leased = Lease(pace, now)) out.push_back(*std::move(leased));
    return out;
  };
  const auto of_ann = [&](const LeasedLane& leased) { return leased.lane.user == ann_; };
  std::vector<LeasedLane> out = take_all(Pace::kNew, now_);
  EXPECT_THAT(out, SizeIs(5));
  EXPECT_EQ(std::ranges::count_if(out, of_ann), 1);
  for (const LeasedLane& leased : out) EXPECT_TRUE(Finish(leased, DeliveryState::kDelivered, now_));
  EXPECT_THAT(take_all(Pace::kNew, now_), SizeIs(5)) << "the others have their turn";
}

TEST_P(NotificationContract, OfSlowLanesAUserHasOneOutAndAHostTwoAndNoNewOneWaitsForThem) {
  const std::vector<UserId> users = {UserId{"u1"}, UserId{"u2"}, UserId{"u3"}, ann_};
  for (const UserId& user : users) AddEndpoint(user, "tarpit.example");
  AddEndpoint(ann_, "b.example");
  std::vector<ReminderNotice> notices;
  for (const UserId& user : users) {
    notices.push_back(Notice(user));
    notices.push_back(Notice(user));
  }
  Remind(notices);
  while (const auto leased = Lease(Pace::kNew, now_))
    EXPECT_TRUE(Finish(*leased, DeliveryState::kFailed, now_, /*slow=*/true));
  std::vector<LeasedLane> out;
  while (auto leased = Lease(Pace::kSlow, now_)) out.push_back(*std::move(leased));
  std::set<UserId> of_tarpit;
  std::multiset<UserId> of_users;
  for (const LeasedLane& leased : out) {
    of_users.insert(leased.lane.user);
    if (leased.address == "https://tarpit.example/hook") of_tarpit.insert(leased.lane.user);
  }
  EXPECT_THAT(of_tarpit, SizeIs(2));
  EXPECT_EQ(of_users.count(ann_), 1u) << "whichever of her two";

  AddEndpoint(bob_, "tarpit.example");
  Remind({Notice(bob_)});
  const auto of_bob = Lease(Pace::kNew, now_);
  ASSERT_TRUE(of_bob) << "it is new, though its host keeps others waiting";
  EXPECT_EQ(of_bob->lane.user, bob_);
}

TEST_P(NotificationContract, GroupedDeliveriesGoOutTogetherAndOthersAlone) {
  ASSERT_TRUE(store().SetMailAddress(ann_, "ann@example.org").ok());
  std::vector<ReminderNotice> notices;
  for (int i = 0; i < 4; ++i) {
    notices.push_back(Notice(ann_));
    notices.back().grouped = i < 3;
    notices.back().disturb_at = now_ + seconds(i < 3 ? 10 : 20);
  }
  Remind(notices);
  EXPECT_FALSE(Lease(Pace::kQuick, now_));
  const auto together = Lease(Pace::kQuick, now_ + seconds(30));
  ASSERT_TRUE(together);
  EXPECT_THAT(together->deliveries, SizeIs(3));
  EXPECT_TRUE(Finish(*together, DeliveryState::kDelivered, now_ + seconds(30)));
  const auto alone = Lease(Pace::kQuick, now_ + seconds(31));
  ASSERT_TRUE(alone);
  EXPECT_THAT(alone->deliveries, SizeIs(1));
}

TEST_P(NotificationContract, LateOnesThatFollowEachOtherLeaveTogether) {
  ASSERT_TRUE(store().SetMailAddress(ann_, "ann@example.org").ok());
  const auto remind_late = [&](seconds after) {
    ReminderNotice notice = Notice(ann_);
    notice.now = now_ + after;
    notice.disturb_at = notice.now + domain::kGroupingTime;
    notice.grouped = true;
    Remind({notice});
  };
  std::vector<std::size_t> messages;
  for (seconds after{0}; after < seconds(60); ++after) {
    if (after <= seconds(21) && after.count() % 7 == 0) remind_late(after);
    while (const auto leased = Lease(Pace::kQuick, now_ + after)) {
      messages.push_back(leased->deliveries.size());
      EXPECT_TRUE(Finish(*leased, DeliveryState::kDelivered, now_ + after));
    }
  }
  EXPECT_THAT(messages, ElementsAre(4u));
}

TEST_P(NotificationContract, NoLateOneWaitsForOthersForMoreThanAMinute) {
  ASSERT_TRUE(store().SetMailAddress(ann_, "ann@example.org").ok());
  std::vector<std::pair<seconds, std::size_t>> messages;
  for (seconds after{0}; after < seconds(120); after += seconds(5)) {
    ReminderNotice notice = Notice(ann_);
    notice.now = now_ + after;
    notice.disturb_at = notice.now + domain::kGroupingTime;
    notice.grouped = true;
    Remind({notice});
    while (const auto leased = Lease(Pace::kQuick, notice.now)) {
      messages.emplace_back(after, leased->deliveries.size());
      EXPECT_TRUE(Finish(*leased, DeliveryState::kDelivered, notice.now));
    }
  }
  // What came last waits with the rest, and so leaves after fewer seconds.
  EXPECT_THAT(messages, ElementsAre(std::pair(domain::kMaxGroupingTime, 13u)));
}

TEST_P(NotificationContract, WhatWaitsForTheMorningStaysThereWhenALateOneFollows) {
  ASSERT_TRUE(store().SetMailAddress(ann_, "ann@example.org").ok());
  ReminderNotice waits = Notice(ann_);
  waits.disturb_at = now_ + hours(8);
  ReminderNotice late = Notice(ann_);
  late.disturb_at = now_ + domain::kGroupingTime;
  waits.grouped = late.grouped = true;
  Remind({waits, late});
  const auto first = Lease(Pace::kQuick, now_ + seconds(30));
  ASSERT_TRUE(first);
  ASSERT_THAT(first->deliveries, SizeIs(1));
  EXPECT_EQ(first->deliveries[0].reminder->id, late.reminder.id);
  EXPECT_TRUE(Finish(*first, DeliveryState::kDelivered, now_ + seconds(30)));
  EXPECT_FALSE(Lease(Pace::kQuick, now_ + hours(8) - seconds(1)));
  EXPECT_TRUE(Lease(Pace::kQuick, now_ + hours(8)));
}

TEST_P(NotificationContract, MailAndPushesAboutWhatIsDoneByNowAreDropped) {
  ASSERT_TRUE(store().SetMailAddress(ann_, "ann@example.org").ok());
  AddSubscription(ann_, "https://push.example/1");
  AddEndpoint(ann_, "a.example");
  const auto remind = [&](domain::TaskId task) {
    ReminderNotice notice = Notice(ann_);
    notice.reminder.task_id = task;
    notice.disturb_at = now_ + hours(8);
    notice.grouped = true;
    Remind({notice});
    return notice.reminder.id;
  };
  const auto add_task = [&] { return environment_->tasks().Apply(Create(ann_, "a task"))->task; };
  const domain::Task completed = add_task();
  const domain::Task deleted = add_task();
  const domain::Task open = add_task();
  remind(completed.id);
  remind(deleted.id);
  const std::set<domain::EventId> wanted = {remind(open.id),
                                            remind(domain::TaskId{1'000'000})};  // a foreign one
  for (const auto& [kind, task] : {std::pair(domain::ChangeKind::kCompleted, completed),
                                   std::pair(domain::ChangeKind::kDeleted, deleted)})
    ASSERT_TRUE(environment_->tasks().Apply(ChangeOf(kind, task)).ok());
  for (const Pace pace : {Pace::kQuick, Pace::kNew}) {
    std::set<domain::EventId> told;
    while (const auto leased = Lease(pace, now_ + hours(8))) {
      EXPECT_TRUE(Finish(*leased, DeliveryState::kDelivered, now_ + hours(8), /*slow=*/true));
      if (leased->lane.channel == Channel::kWebhook) continue;
      for (const ports::QueuedDelivery& delivery : leased->deliveries)
        told.insert(delivery.reminder->id);
    }
    EXPECT_EQ(told, wanted) << static_cast<int>(pace);
  }
  EXPECT_FALSE(Lease(Pace::kQuick, now_ + hours(24)));
}

TEST_P(NotificationContract, AStoppedEndpointIsDisabledAndWhatWaitsForItHasFailed) {
  const WebhookEndpoint endpoint = AddEndpoint(ann_, "a.example");
  Remind({Notice(ann_), Notice(ann_)});
  const auto leased = Lease(Pace::kNew, now_);
  ASSERT_TRUE(leased);
  EXPECT_TRUE(Finish(*leased, DeliveryState::kFailed, now_, true));
  EXPECT_TRUE(deliveries().StopTarget(*leased, "gone", now_).ok());
  EXPECT_EQ(store().GetEndpoint(ann_, endpoint.id)->disabled_reason, "gone");
  EXPECT_FALSE(Lease(Pace::kNew, now_ + hours(1)));
  const auto log = store().ListDeliveries(ann_, endpoint.id, 10, "");
  ASSERT_THAT(log->deliveries, SizeIs(2));
  for (const auto& delivery : log->deliveries) EXPECT_EQ(delivery.state, DeliveryState::kFailed);
  const Uuid id = leased->deliveries[0].id;
  EXPECT_EQ(store().Redeliver(ann_, id, now_).status().code(), StatusCode::kFailedPrecondition);
}

TEST_P(NotificationContract, AStoppedSubscriptionIsRemoved) {
  AddSubscription(ann_, "https://push.example/1");
  Remind({Notice(ann_)});
  const auto leased = Lease(Pace::kNew, now_);
  ASSERT_TRUE(leased);
  EXPECT_TRUE(Finish(*leased, DeliveryState::kFailed, now_, true));
  EXPECT_TRUE(deliveries().StopTarget(*leased, "gone", now_).ok());
  EXPECT_THAT(*store().ListSubscriptions(ann_), IsEmpty());
}

TEST_P(NotificationContract, AnAddressThatDoesNotExistIsForgotten) {
  ASSERT_TRUE(store().SetMailAddress(ann_, "ann@example.org").ok());
  Remind({Notice(ann_), Notice(ann_)});
  const auto leased = Lease(Pace::kQuick, now_);
  ASSERT_TRUE(leased);
  EXPECT_TRUE(Finish(*leased, DeliveryState::kFailed, now_));
  EXPECT_TRUE(deliveries().StopTarget(*leased, "gone", now_).ok());
  EXPECT_EQ(*store().MailAddress(ann_), "");
  EXPECT_FALSE(Lease(Pace::kQuick, now_ + hours(1)));
}

TEST_P(NotificationContract, WhatTheOldTargetSaysDoesNotStopTheNewOne) {
  const WebhookEndpoint endpoint = AddEndpoint(ann_, "a.example");
  ASSERT_TRUE(store().SetMailAddress(ann_, "ann@example.org").ok());
  Remind({Notice(ann_), Notice(ann_)});
  const auto call = Lease(Pace::kNew, now_);
  const auto mail = Lease(Pace::kQuick, now_);
  ASSERT_TRUE(call && mail);
  ASSERT_TRUE(
      store()
          .UpdateEndpoint(ann_, endpoint.id, {.url = "https://a.example/new", .host = "a.example"})
          .ok());
  ASSERT_TRUE(store().SetMailAddress(ann_, "new@example.org").ok());
  for (const LeasedLane& leased : {*call, *mail}) {
    EXPECT_TRUE(Finish(leased, DeliveryState::kFailed, now_));
    EXPECT_TRUE(deliveries().StopTarget(leased, "gone", now_).ok());
  }
  EXPECT_EQ(store().GetEndpoint(ann_, endpoint.id)->disabled_reason, "");
  EXPECT_EQ(*store().MailAddress(ann_), "new@example.org");
  std::set<std::string> addresses;
  while (const auto leased = Lease(Pace::kQuick, now_ + seconds(1)))
    addresses.insert(leased->address);
  EXPECT_THAT(addresses, ElementsAre("https://a.example/new", "new@example.org"));
}

TEST_P(NotificationContract, ADisabledOrRemovedTargetGetsNothingMore) {
  const WebhookEndpoint disabled = AddEndpoint(ann_, "a.example");
  const WebhookEndpoint removed = AddEndpoint(ann_, "b.example");
  Remind({Notice(ann_)});
  ASSERT_TRUE(store().UpdateEndpoint(ann_, disabled.id, {.disabled_reason = "off"}).ok());
  ASSERT_TRUE(store().RemoveEndpoint(ann_, removed.id).ok());
  EXPECT_FALSE(Lease(Pace::kNew, now_));
  EXPECT_EQ(store().ListDeliveries(ann_, disabled.id, 10, "")->deliveries.at(0).state,
            DeliveryState::kFailed);
}

TEST_P(NotificationContract, WhatWaitedTooLongIsGivenUp) {
  const WebhookEndpoint endpoint = AddEndpoint(ann_, "a.example");
  Remind({Notice(ann_)});
  EXPECT_FALSE(Lease(Pace::kNew, now_ + domain::kMaxDeliveryAge + seconds(1)));
  EXPECT_EQ(store().ListDeliveries(ann_, endpoint.id, 10, "")->deliveries.at(0).state,
            DeliveryState::kFailed);
}

TEST_P(NotificationContract, ALongLaneIsEmptiedWholly) {
  const WebhookEndpoint endpoint = AddEndpoint(ann_, "a.example");
  const WebhookEndpoint disabled = AddEndpoint(ann_, "b.example");
  const WebhookEndpoint removed = AddEndpoint(ann_, "c.example");
  std::vector<ReminderNotice> notices;
  for (int i = 0; i < 1'500; ++i) notices.push_back(Notice(ann_));
  Remind(notices);
  ASSERT_TRUE(store().UpdateEndpoint(ann_, disabled.id, {.disabled_reason = "off"}).ok());
  ASSERT_TRUE(store().RemoveEndpoint(ann_, removed.id).ok());
  EXPECT_FALSE(Lease(Pace::kNew, now_ + domain::kMaxDeliveryAge + seconds(1)));
  for (const Uuid& id : {endpoint.id, disabled.id}) {
    const auto log = store().ListDeliveries(ann_, id, 2'000, "");
    ASSERT_TRUE(log.ok()) << log.status();
    EXPECT_THAT(log->deliveries, SizeIs(notices.size()));
    for (const auto& delivery : log->deliveries) ASSERT_EQ(delivery.state, DeliveryState::kFailed);
  }
}

TEST_P(NotificationContract, RedeliveryStartsANewScheduleUnderTheSameId) {
  const WebhookEndpoint endpoint = AddEndpoint(ann_, "a.example");
  Remind({Notice(ann_)});
  const auto leased = Lease(Pace::kNew, now_);
  ASSERT_TRUE(leased);
  EXPECT_TRUE(Finish(*leased, DeliveryState::kFailed, now_));
  const Uuid id = leased->deliveries[0].id;
  EXPECT_EQ(store().Redeliver(bob_, id, now_).status().code(), StatusCode::kNotFound);
  // Long after the first time: it is as young as its redelivery.
  const Instant later = now_ + domain::kMaxDeliveryAge * 2;
  const auto queued = store().Redeliver(ann_, id, later);
  ASSERT_TRUE(queued.ok()) << queued.status();
  EXPECT_EQ(queued->state, DeliveryState::kPending);
  const auto again = Lease(Pace::kQuick, later);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->deliveries[0].id, id);
  EXPECT_EQ(again->deliveries[0].failures, 0);
  EXPECT_TRUE(Finish(*again, DeliveryState::kDelivered, later));
  EXPECT_THAT(store().ListDeliveries(ann_, endpoint.id, 10, "")->deliveries.at(0).attempts,
              SizeIs(2));
}

TEST_P(NotificationContract, WhatIsPendingIsNotRedelivered) {
  AddEndpoint(ann_, "a.example");
  Remind({Notice(ann_)});
  const auto leased = Lease(Pace::kNew, now_);
  ASSERT_TRUE(leased);
  const Uuid id = leased->deliveries[0].id;
  EXPECT_EQ(store().Redeliver(ann_, id, now_).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Finish(*leased, DeliveryState::kPending, now_));
  EXPECT_EQ(store().Redeliver(ann_, id, now_).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_FALSE(Lease(Pace::kQuick, now_ + minutes(4))) << "it has kept its time";
}

TEST_P(NotificationContract, TheLogOfADeliveryKeepsItsLastAttempts) {
  const WebhookEndpoint endpoint = AddEndpoint(ann_, "a.example");
  Remind({Notice(ann_)});
  Instant at = now_;
  for (int round = 0; round < 40; ++round) {
    at += seconds(1);
    const auto leased = Lease(round == 0 ? Pace::kNew : Pace::kQuick, at);
    ASSERT_TRUE(leased) << round;
    EXPECT_TRUE(Finish(*leased, DeliveryState::kFailed, at));
    if (round == 39) break;
    ASSERT_TRUE(store().Redeliver(ann_, leased->deliveries[0].id, at).ok());
  }
  const auto attempts =
      store().ListDeliveries(ann_, endpoint.id, 10, "")->deliveries.at(0).attempts;
  EXPECT_THAT(attempts, SizeIs(21));
  EXPECT_EQ(attempts.back().at, at);
}

TEST_P(NotificationContract, TaskEventsGoToTheEndpointsThatWantThemOnce) {
  const WebhookEndpoint wants = AddEndpoint(ann_, "a.example", true);
  AddEndpoint(ann_, "b.example", false);
  const ports::TaskWebhook webhook{.user = ann_,
                                   .event_id = NewEventId(),
                                   .kind = "task.completed",
                                   .body = R"({"type":"task.completed"})",
                                   .now = now_};
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(environment_->inbox()
                    .Transact([&](ports::InboxTransaction& transaction) {
                      return transaction.notifications().EnqueueTaskWebhooks({webhook});
                    })
                    .ok());
  }
  const auto leased = Lease(Pace::kNew, now_);
  ASSERT_TRUE(leased);
  EXPECT_EQ(leased->lane.target, wants.id);
  EXPECT_EQ(leased->deliveries[0].body, webhook.body);
  EXPECT_TRUE(Finish(*leased, DeliveryState::kDelivered, now_));
  EXPECT_FALSE(Lease(Pace::kNew, now_ + hours(1)));
  EXPECT_FALSE(Lease(Pace::kQuick, now_ + hours(1)));
}

}  // namespace todo::contract
