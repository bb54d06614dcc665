// The promises of DeliveryStore, of the delivery log, and of calls that queue deliveries.

#include <gmock/gmock.h>

#include <set>

#include "contract/notification_contract.h"
#include "support/status_matchers.h"
#include "util/status.h"

namespace todo::contract {

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

TEST_P(NotificationContract, EachEndpointGetsOneDeliveryOfAReminder) {
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

TEST_P(NotificationContract, ADeliveryKnowsThePlaceOfItsEventInATrace) {
  AddEndpoint(ann_, "a.example", /*task_events=*/true);
  ASSERT_TRUE(store().SetMailAddress(ann_, "ann@example.org").ok());
  ReminderNotice notice = Notice(ann_);
  notice.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  Remind({notice});
  EnqueueTaskWebhook(ann_);
  std::multiset<std::string> traces;
  for (const Pace pace : {Pace::kNew, Pace::kQuick}) {
    while (const auto leased = Lease(pace, now_)) {
      for (const ports::QueuedDelivery& delivery : leased->deliveries)
        traces.insert(delivery.traceparent);
      EXPECT_TRUE(Finish(*leased, DeliveryState::kDelivered, now_));
    }
  }
  EXPECT_THAT(traces, testing::UnorderedElementsAre(notice.traceparent, notice.traceparent,
                                                    "00-4bf92f3577b34da6a3ce929d0e0e4736-"
                                                    "00f067aa0ba902b7-01"));
}

TEST_P(NotificationContract, DisabledChannelsAndEndpointsGetNothing) {
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

TEST_P(NotificationContract, ALeasedLaneIsLeasedAgainOnlyWhenItsLeaseHasEnded) {
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

TEST_P(NotificationContract, AnEndpointThatAskedForAPauseGetsNoOtherDeliveryMeanwhile) {
  AddEndpoint(ann_, "a.example");
  Remind({Notice(ann_), Notice(ann_)});
  const Instant pause_end = now_ + hours(1);
  const auto leased = Lease(Pace::kNew, now_);
  ASSERT_TRUE(leased);
  EXPECT_TRUE(Finish(*leased, DeliveryState::kFailed, now_, Pace::kQuick, pause_end));
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
  EXPECT_TRUE(Finish(*of_bob, DeliveryState::kPending, now_, Pace::kQuick, pause_end));
  EXPECT_FALSE(Lease(Pace::kNew, now_ + minutes(2)));
  ASSERT_TRUE(store()
                  .UpdateEndpoint(bob_, of_bob->lane.endpoint,
                                  {.url = "https://b.example/other", .host = "b.example"})
                  .ok());
  EXPECT_TRUE(Lease(Pace::kNew, now_ + minutes(2))) << "another URL has asked for nothing";
}

TEST_P(NotificationContract, TheNextTurnIsWhenALaneIsDueOrItsLeaseEnds) {
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
  EXPECT_TRUE(Finish(*of_bob, DeliveryState::kPending, now_, Pace::kSlow, now_ + hours(1)));
  EXPECT_EQ(NextTurn(Pace::kSlow), now_ + hours(1)) << "it has asked for a pause";
  EXPECT_EQ(NextTurn(Pace::kNew), std::nullopt);

  const auto again = Lease(Pace::kQuick, now_ + minutes(5));
  ASSERT_TRUE(again);
  EXPECT_TRUE(Finish(*again, DeliveryState::kDelivered, now_));
  EXPECT_EQ(NextTurn(Pace::kQuick), std::nullopt) << "nothing waits";
}

TEST_P(NotificationContract, TheTurnOfALaneThatWaitsForOtherLanesOfItsUserIsInThePast) {
  AddEndpoint(ann_, "a.example");
  AddEndpoint(ann_, "b.example");
  Remind({Notice(ann_)});
  ASSERT_TRUE(Lease(Pace::kNew, now_));
  EXPECT_FALSE(Lease(Pace::kNew, now_ + seconds(1)));
  EXPECT_EQ(NextTurn(Pace::kNew), now_);
}

TEST_P(NotificationContract, ACallThatMakesLanesDueRingsAfterTheCommit) {
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

TEST_P(NotificationContract, ACallThatMakesNoLaneDueDoesNotRing) {
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
  EXPECT_TRUE(Finish(*first, DeliveryState::kDelivered, now + milliseconds(1), Pace::kSlow));
  const auto second = Lease(Pace::kNew, now + milliseconds(2));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->lane.user, bob_)
      << "nineteen others wait at the first one, and wait their turn";
}

TEST_P(NotificationContract, OneNewLaneOfAUserAndFourOfAHostAreLeasedAtATime) {
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

TEST_P(NotificationContract, OneSlowLaneOfAUserAndTwoOfAHostAreLeasedAndNoNewLaneWaitsForThem) {
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
    EXPECT_TRUE(Finish(*leased, DeliveryState::kFailed, now_, Pace::kSlow));
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

TEST_P(NotificationContract, GroupedDeliveriesAreSentTogetherAndOthersAlone) {
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

TEST_P(NotificationContract, LateRemindersThatFollowEachOtherAreSentTogether) {
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

TEST_P(NotificationContract, NoLateReminderWaitsForOthersForMoreThanAMinute) {
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
  // The last delivery waits with the others, and so leaves after fewer seconds.
  EXPECT_THAT(messages, ElementsAre(std::pair(domain::kMaxGroupingTime, 13u)));
}

TEST_P(NotificationContract, ADeliveryThatWaitsForTheMorningIsNotSentWithALateOne) {
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

TEST_P(NotificationContract, MailsAndPushesAboutCompletedOrDeletedTasksAreDropped) {
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
      EXPECT_TRUE(Finish(*leased, DeliveryState::kDelivered, now_ + hours(8), Pace::kSlow));
      if (leased->lane.channel == Channel::kWebhook) continue;
      for (const ports::QueuedDelivery& delivery : leased->deliveries)
        told.insert(delivery.reminder->id);
    }
    EXPECT_EQ(told, wanted) << static_cast<int>(pace);
  }
  EXPECT_FALSE(Lease(Pace::kQuick, now_ + hours(24)));
}

TEST_P(NotificationContract, AStoppedEndpointIsDisabledAndItsWaitingDeliveriesFail) {
  const WebhookEndpoint endpoint = AddEndpoint(ann_, "a.example");
  Remind({Notice(ann_), Notice(ann_)});
  const auto leased = Lease(Pace::kNew, now_);
  ASSERT_TRUE(leased);
  EXPECT_TRUE(Finish(*leased, DeliveryState::kFailed, now_, Pace::kSlow));
  EXPECT_TRUE(deliveries().StopEndpoint(*leased, "gone", now_).ok());
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
  EXPECT_TRUE(Finish(*leased, DeliveryState::kFailed, now_, Pace::kSlow));
  EXPECT_TRUE(deliveries().StopEndpoint(*leased, "gone", now_).ok());
  EXPECT_THAT(*store().ListSubscriptions(ann_), IsEmpty());
}

TEST_P(NotificationContract, AnAddressThatDoesNotExistIsForgotten) {
  ASSERT_TRUE(store().SetMailAddress(ann_, "ann@example.org").ok());
  Remind({Notice(ann_), Notice(ann_)});
  const auto leased = Lease(Pace::kQuick, now_);
  ASSERT_TRUE(leased);
  EXPECT_TRUE(Finish(*leased, DeliveryState::kFailed, now_));
  EXPECT_TRUE(deliveries().StopEndpoint(*leased, "gone", now_).ok());
  EXPECT_EQ(*store().MailAddress(ann_), "");
  EXPECT_FALSE(Lease(Pace::kQuick, now_ + hours(1)));
}

TEST_P(NotificationContract, AnAnswerOfTheOldUrlOrAddressDoesNotStopTheNewOne) {
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
    EXPECT_TRUE(deliveries().StopEndpoint(leased, "gone", now_).ok());
  }
  EXPECT_EQ(store().GetEndpoint(ann_, endpoint.id)->disabled_reason, "");
  EXPECT_EQ(*store().MailAddress(ann_), "new@example.org");
  std::set<std::string> addresses;
  while (const auto leased = Lease(Pace::kQuick, now_ + seconds(1)))
    addresses.insert(leased->address);
  EXPECT_THAT(addresses, ElementsAre("https://a.example/new", "new@example.org"));
}

TEST_P(NotificationContract, ADisabledOrRemovedEndpointGetsNothingMore) {
  const WebhookEndpoint disabled = AddEndpoint(ann_, "a.example");
  const WebhookEndpoint removed = AddEndpoint(ann_, "b.example");
  Remind({Notice(ann_)});
  ASSERT_TRUE(store().UpdateEndpoint(ann_, disabled.id, {.disabled_reason = "off"}).ok());
  ASSERT_TRUE(store().RemoveEndpoint(ann_, removed.id).ok());
  EXPECT_FALSE(Lease(Pace::kNew, now_));
  EXPECT_EQ(store().ListDeliveries(ann_, disabled.id, 10, "")->deliveries.at(0).state,
            DeliveryState::kFailed);
}

TEST_P(NotificationContract, ADeliveryThatWaitedTooLongFails) {
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

TEST_P(NotificationContract, APendingDeliveryIsNotRedelivered) {
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
  EXPECT_EQ(leased->lane.endpoint, wants.id);
  EXPECT_EQ(leased->deliveries[0].body, webhook.body);
  EXPECT_TRUE(Finish(*leased, DeliveryState::kDelivered, now_));
  EXPECT_FALSE(Lease(Pace::kNew, now_ + hours(1)));
  EXPECT_FALSE(Lease(Pace::kQuick, now_ + hours(1)));
}

}  // namespace todo::contract
