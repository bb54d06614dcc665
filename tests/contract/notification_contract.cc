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
using std::chrono::minutes;
using std::chrono::seconds;
using support::IsOk;
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
    return transaction.notifications().EnqueueTaskWebhooks(
        {{.user = user,
          .event_id = NewEventId(),
          .kind = "task.completed",
          .body = "{}",
          .now = now_,
          .traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}});
  }),
              IsOk());
}

bool NotificationContract::Finish(const LeasedLane& leased, DeliveryState state, Instant at,
                                  Pace pace, std::optional<Instant> paused_until) {
  ports::DeliveryAttempt attempt;
  attempt.at = at;
  attempt.outcome = "retry";
  attempt.status_code = 503;
  attempt.detail = "try later";
  attempt.paused_until = paused_until;
  for (const ports::QueuedDelivery& delivery : leased.deliveries) {
    attempt.results.push_back({.id = delivery.id, .state = state, .due_at = at + minutes(5)});
  }
  const auto finished = deliveries().Finish(leased.lane, attempt, pace);
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

TEST_P(NotificationContract, AHiddenNotificationIsNeitherListedNorAnnounced) {
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

TEST_P(NotificationContract, MarkReadMarksOnceAndOnlyTheUsersOwn) {
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

TEST_P(NotificationContract,
       ARepeatedRequestToAddAnEndpointGetsTheFirstAnswerEvenAfterItWasRemoved) {
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
  EXPECT_EQ(add(again, "content")->url, wanted.url) << "not the content of the second call";
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

TEST_P(NotificationContract, ADueDateKeepsItsKindAndItsLocalTime) {
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

TEST_P(NotificationContract, APatchChangesOnlyItsOwnFields) {
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

TEST_P(NotificationContract, ABrowserThatSignsInAsAnotherUserShowsOnlyTheNewUsersReminders) {
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
  EXPECT_FALSE(Lease(Pace::kNew, now_)) << "the deliveries that waited for ann";
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

}  // namespace todo::contract
