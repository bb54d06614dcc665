#include "api/notification_methods.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "served.h"
#include "support/fake_database.h"
#include "support/fake_event_inbox.h"
#include "support/fake_notification_store.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_senders.h"
#include "todo/v1/notification_service.grpc.pb.h"

namespace todo::api {
namespace {

using domain::Uuid;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;
using testing::UnorderedElementsAre;
using Stub = v1::NotificationService::Stub;

constexpr char kRequestId[] = "7d444840-9dc0-41d1-b245-5ffdce74fad2";
constexpr char kNoSuchId[] = "00000000-0000-7000-8000-00000000ffff";
// 65 bytes that begin with 4, and 16 bytes.
const std::string kP256dh = "BA" + std::string(85, 'A');
const std::string kAuth(22, 'A');

class StandingClock final : public ports::Clock {
 public:
  domain::Instant Now() const override { return *domain::ParseInstant("2026-10-24T09:00:00.5Z"); }
};

class CountingIds final : public ports::IdSource {
 public:
  Uuid NewId() override {
    std::string bytes(16, '\0');
    bytes[15] = static_cast<char>(++count_);
    return Uuid::FromBytes(bytes, 7);
  }

 private:
  std::atomic<int> count_ = 0;
};

/// The service as clients see it, on stores in memory.
class NotificationMethodsTest : public testing::Test {
 protected:
  NotificationMethodsTest() { SwitchOn(webhooks_); }

  void SwitchOn(std::shared_ptr<ports::WebhookSender> webhooks) {
    channels_.Set({.webhooks = std::move(webhooks),
                   .webhook_master_key = "a master key of the tests",
                   .mail = std::make_shared<support::FakeMailer>(),
                   .mail_from = "todo@todo.example",
                   .push = std::make_shared<support::FakePushSender>(),
                   .push_public_key = "public"});
  }

  template <typename Request, typename Response>
  grpc::Status Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response, const std::string& user = "ann") {
    return ((*stub_).*method)(CallAs(user).get(), request, response);
  }
  /// For calls that are refused, or whose answer does not matter.
  template <typename Request, typename Response>
  grpc::Status Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, const std::string& user = "ann") {
    Response response;
    return Call(method, request, &response, user);
  }

  static v1::CreateWebhookEndpointRequest Endpoint(const std::string& url,
                                                   const std::string& request_id = "") {
    v1::CreateWebhookEndpointRequest request;
    request.mutable_endpoint()->set_url(url);
    request.mutable_endpoint()->set_reminders(true);
    request.set_request_id(request_id);
    return request;
  }
  v1::WebhookEndpoint AddEndpoint(const std::string& user = "ann",
                                  const std::string& request_id = "") {
    v1::WebhookEndpoint made;
    const grpc::Status status = Call(&Stub::CreateWebhookEndpoint,
                                     Endpoint("https://hooks.example/x", request_id), &made, user);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return made;
  }
  v1::PushSubscription AddSubscription(const std::string& user = "ann") {
    v1::AddPushSubscriptionRequest request;
    request.mutable_subscription()->set_endpoint("https://push.example/1");
    request.mutable_subscription()->set_p256dh(kP256dh);
    request.mutable_subscription()->set_auth(kAuth);
    v1::PushSubscription added;
    const grpc::Status status = Call(&Stub::AddPushSubscription, request, &added, user);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return added;
  }
  std::vector<v1::WebhookEndpoint> Endpoints(const std::string& user = "ann") {
    v1::ListWebhookEndpointsResponse response;
    EXPECT_TRUE(Call(&Stub::ListWebhookEndpoints, {}, &response, user).ok());
    return {response.endpoints().begin(), response.endpoints().end()};
  }
  /// Answers its id.
  std::string Remind(const std::string& user, const std::string& title) {
    ports::ReminderNotice notice;
    notice.user = {user};
    notice.reminder.id = {ids_.NewId()};
    notice.reminder.task_id = {7};
    notice.reminder.title = title;
    notice.reminder.remind_at = clock_.Now();
    notice.reminder.due = *domain::ResolveInstantDue(clock_.Now() + std::chrono::hours(1));
    notice.now = clock_.Now();
    notice.in_app = notice.webhook = true;
    const absl::Status status = inbox_.Transact([&](ports::InboxTransaction& transaction) {
      return transaction.notifications().Remind({notice});
    });
    EXPECT_TRUE(status.ok()) << status;
    return notice.reminder.id.value();
  }
  std::vector<v1::Notification> Notifications(const std::string& user = "ann") {
    v1::ListNotificationsResponse response;
    EXPECT_TRUE(Call(&Stub::ListNotifications, {}, &response, user).ok());
    return {response.notifications().begin(), response.notifications().end()};
  }

  support::FakeDatabase database_;
  support::FakeEventInbox inbox_{database_};
  support::FakeNotificationStore store_{database_};
  support::FakeStateStore state_;
  support::FakePreferredZones zones_{database_};
  StandingClock clock_;
  CountingIds ids_;
  std::shared_ptr<support::FakeWebhookSender> webhooks_ =
      std::make_shared<support::FakeWebhookSender>();
  service::ChannelSet channels_;
  service::NotificationSettings settings_{{store_, state_, zones_, clock_, ids_, channels_}};
  Served served_{MakeNotificationMethods(settings_)};
  std::unique_ptr<Stub> stub_ = v1::NotificationService::NewStub(served_.channel());
};

// Whose it is.

TEST_F(NotificationMethodsTest, CallersWithoutIdentityAreRefused) {
  EXPECT_EQ(Call(&Stub::ListNotifications, {}, "").error_code(), grpc::UNAUTHENTICATED);
  EXPECT_EQ(
      Call(&Stub::CreateWebhookEndpoint, Endpoint("https://hooks.example/x"), "").error_code(),
      grpc::UNAUTHENTICATED);
}

TEST_F(NotificationMethodsTest, ObjectsOfOthersAreAnsweredLikeUnknownOnes) {
  const v1::WebhookEndpoint endpoint = AddEndpoint("ann");
  const v1::PushSubscription subscription = AddSubscription("ann");
  Remind("ann", "private");
  v1::ListWebhookDeliveriesRequest list;
  list.set_endpoint_id(endpoint.id());
  v1::ListWebhookDeliveriesResponse deliveries;
  ASSERT_TRUE(Call(&Stub::ListWebhookDeliveries, list, &deliveries).ok());
  ASSERT_THAT(deliveries.deliveries(), SizeIs(1));

  // Each call twice: by a stranger with an id of ann's, and by ann with an unknown id.
  const auto codes = [&](const std::string& user, const std::string& endpoint_id,
                         const std::string& delivery_id, const std::string& subscription_id) {
    v1::UpdateWebhookEndpointRequest update;
    update.mutable_endpoint()->set_id(endpoint_id);
    update.mutable_endpoint()->set_url("https://evil.example/");
    update.mutable_update_mask()->add_paths("url");
    v1::DeleteWebhookEndpointRequest remove;
    remove.set_id(endpoint_id);
    v1::RotateWebhookSecretRequest rotate;
    rotate.set_id(endpoint_id);
    v1::TestWebhookEndpointRequest test;
    test.set_id(endpoint_id);
    v1::ListWebhookDeliveriesRequest list_deliveries;
    list_deliveries.set_endpoint_id(endpoint_id);
    v1::RedeliverWebhookRequest redeliver;
    redeliver.set_id(delivery_id);
    v1::RemovePushSubscriptionRequest unsubscribe;
    unsubscribe.set_id(subscription_id);
    std::vector<std::string> answers;
    for (const grpc::Status& status : {Call(&Stub::UpdateWebhookEndpoint, update, user),
                                       Call(&Stub::DeleteWebhookEndpoint, remove, user),
                                       Call(&Stub::RotateWebhookSecret, rotate, user),
                                       Call(&Stub::TestWebhookEndpoint, test, user),
                                       Call(&Stub::ListWebhookDeliveries, list_deliveries, user),
                                       Call(&Stub::RedeliverWebhook, redeliver, user),
                                       Call(&Stub::RemovePushSubscription, unsubscribe, user)}) {
      EXPECT_EQ(status.error_code(), grpc::NOT_FOUND) << status.error_message();
      answers.push_back(status.error_message() + ReasonOf(status));
    }
    return answers;
  };
  EXPECT_EQ(codes("bob", endpoint.id(), deliveries.deliveries(0).id(), subscription.id()),
            codes("ann", kNoSuchId, kNoSuchId, kNoSuchId));

  EXPECT_THAT(Endpoints("bob"), IsEmpty());
  EXPECT_THAT(Notifications("bob"), IsEmpty());
  v1::ListPushSubscriptionsResponse subscriptions;
  ASSERT_TRUE(Call(&Stub::ListPushSubscriptions, {}, &subscriptions, "bob").ok());
  EXPECT_THAT(subscriptions.subscriptions(), IsEmpty());
  // The objects of ann are unchanged, and no endpoint was called.
  ASSERT_THAT(Endpoints("ann"), SizeIs(1));
  EXPECT_EQ(Endpoints("ann")[0].url(), "https://hooks.example/x");
  EXPECT_THAT(webhooks_->sent(), IsEmpty());
}

TEST_F(NotificationMethodsTest, MarkingReadLeavesTheNotificationsOfOthers) {
  const std::string anns = Remind("ann", "ann's");
  Remind("bob", "bob's");
  v1::MarkNotificationsReadRequest request;
  request.add_ids(anns);
  v1::MarkNotificationsReadResponse response;
  ASSERT_TRUE(Call(&Stub::MarkNotificationsRead, request, &response, "bob").ok());
  EXPECT_EQ(response.marked_count(), 0);
  request.Clear();
  request.set_all(true);
  ASSERT_TRUE(Call(&Stub::MarkNotificationsRead, request, &response, "bob").ok());
  EXPECT_EQ(response.marked_count(), 1);
  ASSERT_THAT(Notifications("ann"), SizeIs(1));
  EXPECT_FALSE(Notifications("ann")[0].has_read_at());
}

TEST_F(NotificationMethodsTest, EveryUserHasOwnPreferencesAndAddress) {
  v1::SetEmailAddressRequest address;
  address.set_email_address("ann@example.org");
  v1::Channels channels;
  ASSERT_TRUE(Call(&Stub::SetEmailAddress, address, &channels).ok());
  EXPECT_EQ(channels.email_address(), "ann@example.org");
  ASSERT_TRUE(Call(&Stub::GetChannels, {}, &channels, "bob").ok());
  EXPECT_EQ(channels.email_address(), "");

  v1::UpdatePreferencesRequest update;
  update.mutable_preferences()->set_email(false);
  v1::NotificationPreferences stored;
  ASSERT_TRUE(Call(&Stub::UpdatePreferences, update, &stored).ok());
  EXPECT_FALSE(stored.email());
  ASSERT_TRUE(Call(&Stub::GetPreferences, {}, &stored, "bob").ok());
  EXPECT_TRUE(stored.email()) << "the default";
}

// Secrets.

TEST_F(NotificationMethodsTest, TheSecretIsShownOnceOnly) {
  const v1::WebhookEndpoint made = AddEndpoint("ann", kRequestId);
  EXPECT_THAT(made.secret(), StartsWith("whsec_"));
  EXPECT_EQ(AddEndpoint("ann", kRequestId).secret(), made.secret()) << "the same call, repeated";
  EXPECT_EQ(Endpoints()[0].secret(), "");

  v1::UpdateWebhookEndpointRequest update;
  update.mutable_endpoint()->set_id(made.id());
  update.mutable_endpoint()->set_task_events(true);
  update.mutable_update_mask()->add_paths("task_events");
  v1::WebhookEndpoint updated;
  ASSERT_TRUE(Call(&Stub::UpdateWebhookEndpoint, update, &updated).ok());
  EXPECT_EQ(updated.secret(), "");

  v1::RotateWebhookSecretRequest rotate;
  rotate.set_id(made.id());
  rotate.set_request_id(kRequestId);
  v1::WebhookEndpoint rotated;
  ASSERT_TRUE(Call(&Stub::RotateWebhookSecret, rotate, &rotated).ok());
  EXPECT_THAT(rotated.secret(), AllOf(StartsWith("whsec_"), Not(made.secret())));
  EXPECT_TRUE(rotated.has_previous_secret_until());
  v1::WebhookEndpoint again;
  ASSERT_TRUE(Call(&Stub::RotateWebhookSecret, rotate, &again).ok());
  EXPECT_EQ(again.secret(), rotated.secret());
}

TEST_F(NotificationMethodsTest, SubscriptionsDoNotShowTheirKeys) {
  const v1::PushSubscription added = AddSubscription();
  EXPECT_EQ(added.endpoint(), "https://push.example/1");
  EXPECT_EQ(added.p256dh() + added.auth(), "");
  v1::ListPushSubscriptionsResponse listed;
  ASSERT_TRUE(Call(&Stub::ListPushSubscriptions, {}, &listed).ok());
  ASSERT_THAT(listed.subscriptions(), SizeIs(1));
  EXPECT_EQ(listed.subscriptions(0).p256dh() + listed.subscriptions(0).auth(), "");
  EXPECT_EQ(listed.subscriptions(0).id(), added.id());
}

// Bad input.

TEST_F(NotificationMethodsTest, MalformedIdsAreNamed) {
  for (const std::string bad : {"", "1", "x-y", "7d444840-9dc0-41d1-b245-5ffdce74fadz",
                                "7d444840-9dc0-41d1-b245-5ffdce74fad2'; drop table tasks"}) {
    v1::DeleteWebhookEndpointRequest remove;
    remove.set_id(bad);
    v1::RotateWebhookSecretRequest rotate;
    rotate.set_id(bad);
    v1::TestWebhookEndpointRequest test;
    test.set_id(bad);
    v1::RedeliverWebhookRequest redeliver;
    redeliver.set_id(bad);
    v1::RemovePushSubscriptionRequest unsubscribe;
    unsubscribe.set_id(bad);
    for (const grpc::Status& status :
         {Call(&Stub::DeleteWebhookEndpoint, remove), Call(&Stub::RotateWebhookSecret, rotate),
          Call(&Stub::TestWebhookEndpoint, test), Call(&Stub::RedeliverWebhook, redeliver),
          Call(&Stub::RemovePushSubscription, unsubscribe)}) {
      EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT) << bad;
      EXPECT_THAT(FieldsOf(status), ElementsAre("id")) << bad;
    }
    v1::ListWebhookDeliveriesRequest list;
    list.set_endpoint_id(bad);
    EXPECT_THAT(FieldsOf(Call(&Stub::ListWebhookDeliveries, list)), ElementsAre("endpoint_id"));
    v1::MarkNotificationsReadRequest mark;
    mark.add_ids(kNoSuchId);
    mark.add_ids(bad);
    EXPECT_THAT(FieldsOf(Call(&Stub::MarkNotificationsRead, mark)), ElementsAre("ids[1]"));
  }
}

TEST_F(NotificationMethodsTest, AllViolationsAreNamedAtOnce) {
  v1::ListWebhookDeliveriesRequest list;
  list.set_endpoint_id("x");
  list.set_page_size(-1);
  EXPECT_THAT(FieldsOf(Call(&Stub::ListWebhookDeliveries, list)),
              UnorderedElementsAre("endpoint_id", "page_size"));

  v1::RotateWebhookSecretRequest rotate;
  rotate.set_request_id("not one");
  EXPECT_THAT(FieldsOf(Call(&Stub::RotateWebhookSecret, rotate)),
              UnorderedElementsAre("id", "request_id"));

  v1::CreateWebhookEndpointRequest create;
  create.set_request_id("not one");
  EXPECT_THAT(FieldsOf(Call(&Stub::CreateWebhookEndpoint, create)),
              UnorderedElementsAre("endpoint", "request_id"));

  v1::AddPushSubscriptionRequest add;
  EXPECT_THAT(
      FieldsOf(Call(&Stub::AddPushSubscription, add)),
      UnorderedElementsAre("subscription.endpoint", "subscription.p256dh", "subscription.auth"));

  v1::UpdatePreferencesRequest update;
  EXPECT_THAT(FieldsOf(Call(&Stub::UpdatePreferences, update)), ElementsAre("preferences"));
  v1::NotificationPreferences& preferences = *update.mutable_preferences();
  preferences.set_time_zone(std::string("Europe/Berlin\0", 14));
  preferences.mutable_quiet_hours()->set_start("24:00");
  preferences.mutable_quiet_hours()->set_end("soon");
  EXPECT_THAT(FieldsOf(Call(&Stub::UpdatePreferences, update)),
              UnorderedElementsAre("preferences.time_zone", "preferences.quiet_hours.start",
                                   "preferences.quiet_hours.end"));
}

TEST_F(NotificationMethodsTest, ForbiddenTargetsAreRefused) {
  for (const char* bad : {"", "hooks.example", "ftp://hooks.example", "https://",
                          "https://u:p@h.example", "javascript:alert(1)"}) {
    EXPECT_THAT(FieldsOf(Call(&Stub::CreateWebhookEndpoint, Endpoint(bad))),
                ElementsAre("endpoint.url"))
        << bad;
  }
  EXPECT_THAT(FieldsOf(Call(&Stub::CreateWebhookEndpoint,
                            Endpoint("https://h.example/" + std::string(2'000, 'x')))),
              ElementsAre("endpoint.url"));
  v1::CreateWebhookEndpointRequest nothing = Endpoint("https://hooks.example");
  nothing.mutable_endpoint()->set_reminders(false);
  EXPECT_THAT(FieldsOf(Call(&Stub::CreateWebhookEndpoint, nothing)),
              ElementsAre("endpoint.reminders"));
  EXPECT_THAT(Endpoints(), IsEmpty());

  v1::SetEmailAddressRequest address;
  address.set_email_address("ann@example.org\r\nBcc: bob@example.org");
  EXPECT_THAT(FieldsOf(Call(&Stub::SetEmailAddress, address)), ElementsAre("email_address"));
}

/// What the operator's list does not name any more.
class DenyingSender final
    : public support::FakeSender<ports::WebhookSender, ports::WebhookMessage> {
 public:
  absl::Status Check(const std::string&) const override {
    return absl::PermissionDeniedError("fake sender: not on the list");
  }
};

TEST_F(NotificationMethodsTest, ARepeatedCallGetsTheFirstAnswerEvenIfItsTargetIsForbiddenNow) {
  const v1::WebhookEndpoint made = AddEndpoint("ann", kRequestId);
  SwitchOn(std::make_shared<DenyingSender>());
  v1::WebhookEndpoint again;
  const grpc::Status status =
      Call(&Stub::CreateWebhookEndpoint, Endpoint("https://hooks.example/x", kRequestId), &again);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(again.id(), made.id());
  EXPECT_EQ(again.secret(), made.secret());
  for (const char* url : {"https://hooks.example/y", "nonsense"}) {
    EXPECT_EQ(Call(&Stub::CreateWebhookEndpoint, Endpoint(url, kRequestId)).error_code(),
              grpc::ALREADY_EXISTS)
        << url;
  }
  EXPECT_THAT(FieldsOf(Call(&Stub::CreateWebhookEndpoint, Endpoint("https://hooks.example/x"))),
              ElementsAre("endpoint.url"));
}

TEST_F(NotificationMethodsTest, AUrlIsRefusedUntilTheChannelsAreKnown) {
  const v1::WebhookEndpoint made = AddEndpoint();
  service::ChannelSet not_known;
  service::NotificationSettings early{{store_, state_, zones_, clock_, ids_, not_known}};
  const domain::Uuid id = *domain::Uuid::Parse(made.id());
  service::EndpointChange change;
  change.url = "http://10.0.0.1/";
  EXPECT_EQ(early.UpdateEndpoint({"ann"}, id, change).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(Endpoints()[0].url(), made.url());
  change.url = "nonsense";
  EXPECT_EQ(early.UpdateEndpoint({"ann"}, id, change).status().code(),
            absl::StatusCode::kInvalidArgument);
  change.url.reset();
  change.enabled = false;
  EXPECT_TRUE(early.UpdateEndpoint({"ann"}, id, change).ok()) << "needs no judgement";
}

TEST_F(NotificationMethodsTest, MalformedBrowserKeysAreRefused) {
  v1::AddPushSubscriptionRequest request;
  v1::PushSubscription& subscription = *request.mutable_subscription();
  subscription.set_endpoint("https://push.example/1");
  subscription.set_p256dh("AA" + std::string(85, 'A'));  // not an uncompressed point
  subscription.set_auth(kAuth + "A");
  EXPECT_THAT(FieldsOf(Call(&Stub::AddPushSubscription, request)),
              UnorderedElementsAre("subscription.p256dh", "subscription.auth"));
  subscription.set_p256dh("BA*" + std::string(84, 'A'));
  subscription.set_auth(std::string(100'000, 'A'));
  EXPECT_THAT(FieldsOf(Call(&Stub::AddPushSubscription, request)),
              UnorderedElementsAre("subscription.p256dh", "subscription.auth"));
  subscription.set_p256dh(kP256dh + "=");  // some browsers' libraries pad
  subscription.set_auth(kAuth + "==");
  EXPECT_TRUE(Call(&Stub::AddPushSubscription, request).ok());
}

TEST_F(NotificationMethodsTest, MarkingReadTakesEitherIdsOrAll) {
  v1::MarkNotificationsReadRequest request;
  EXPECT_THAT(FieldsOf(Call(&Stub::MarkNotificationsRead, request)), ElementsAre("ids"));
  request.set_all(true);
  request.add_ids(kNoSuchId);
  EXPECT_THAT(FieldsOf(Call(&Stub::MarkNotificationsRead, request)), ElementsAre("ids"));
  request.set_all(false);
  for (int n = 0; n < 500; ++n) request.add_ids(kNoSuchId);
  EXPECT_THAT(FieldsOf(Call(&Stub::MarkNotificationsRead, request)), ElementsAre("ids"));
}

// Masks.

TEST_F(NotificationMethodsTest, AnUpdateChangesTheFieldsOfItsMaskOnly) {
  const v1::WebhookEndpoint made = AddEndpoint();
  v1::UpdateWebhookEndpointRequest update;
  update.mutable_endpoint()->set_id(made.id());
  update.mutable_endpoint()->set_url("https://other.example/");
  update.mutable_endpoint()->set_task_events(true);
  update.mutable_update_mask()->add_paths("task_events");
  v1::WebhookEndpoint updated;
  ASSERT_TRUE(Call(&Stub::UpdateWebhookEndpoint, update, &updated).ok());
  EXPECT_EQ(updated.url(), "https://hooks.example/x");
  EXPECT_TRUE(updated.task_events() && updated.reminders() && updated.enabled());

  update.mutable_update_mask()->add_paths("url");
  update.mutable_update_mask()->add_paths("reminders");
  update.mutable_update_mask()->add_paths("enabled");
  ASSERT_TRUE(Call(&Stub::UpdateWebhookEndpoint, update, &updated).ok());
  EXPECT_EQ(updated.url(), "https://other.example/");
  EXPECT_FALSE(updated.reminders() || updated.enabled());
  EXPECT_NE(updated.disabled_reason(), "");
  update.mutable_endpoint()->set_enabled(true);
  ASSERT_TRUE(Call(&Stub::UpdateWebhookEndpoint, update, &updated).ok());
  EXPECT_TRUE(updated.enabled());
  EXPECT_EQ(updated.disabled_reason(), "");
}

TEST_F(NotificationMethodsTest, AMaskMustNameKnownFields) {
  const v1::WebhookEndpoint made = AddEndpoint();
  v1::UpdateWebhookEndpointRequest update;
  update.mutable_endpoint()->set_id(made.id());
  EXPECT_THAT(FieldsOf(Call(&Stub::UpdateWebhookEndpoint, update)), ElementsAre("update_mask"));
  for (const char* path :
       {"secret", "id", "created_at", "disabled_reason", "*", "", "url.host", "URL"}) {
    update.mutable_update_mask()->clear_paths();
    update.mutable_update_mask()->add_paths("reminders");
    update.mutable_update_mask()->add_paths(path);
    const grpc::Status status = Call(&Stub::UpdateWebhookEndpoint, update);
    EXPECT_THAT(FieldsOf(status), ElementsAre("update_mask")) << path;
    EXPECT_THAT(status.error_message(), HasSubstr(fmt::format("names \"{}\"", path)));
  }
  EXPECT_TRUE(Endpoints()[0].reminders()) << "a refused update does nothing";
  update.mutable_update_mask()->clear_paths();
  update.mutable_update_mask()->add_paths("url");
  update.mutable_endpoint()->set_url("nonsense");
  EXPECT_THAT(FieldsOf(Call(&Stub::UpdateWebhookEndpoint, update)), ElementsAre("endpoint.url"));
}

// Answers.

TEST_F(NotificationMethodsTest, TheListIsPagedFromNewToOld) {
  for (const char* title : {"first", "second", "third"}) Remind("ann", title);
  v1::ListNotificationsRequest request;
  request.set_page_size(2);
  v1::ListNotificationsResponse page;
  ASSERT_TRUE(Call(&Stub::ListNotifications, request, &page).ok());
  ASSERT_THAT(page.notifications(), SizeIs(2));
  EXPECT_EQ(page.notifications(0).title(), "third");
  EXPECT_EQ(page.notifications(0).task_id(), 7);
  EXPECT_EQ(page.notifications(0).remind_at().seconds(), 1'792'832'400);
  EXPECT_EQ(page.notifications(0).remind_at().nanos(), 500'000'000);
  EXPECT_EQ(page.notifications(0).due_date().seconds(), 1'792'836'000);
  EXPECT_FALSE(page.notifications(0).has_read_at());
  EXPECT_EQ(page.unread_count(), 3);

  request.set_page_token(page.next_page_token());
  ASSERT_TRUE(Call(&Stub::ListNotifications, request, &page).ok());
  ASSERT_THAT(page.notifications(), SizeIs(1));
  EXPECT_EQ(page.next_page_token(), "");

  request.set_page_token("forged");
  EXPECT_EQ(Call(&Stub::ListNotifications, request).error_code(), grpc::INVALID_ARGUMENT);
  request.Clear();
  request.set_page_size(501);
  EXPECT_THAT(FieldsOf(Call(&Stub::ListNotifications, request)), ElementsAre("page_size"));
}

TEST_F(NotificationMethodsTest, TheListShowsADayAsThatDay) {
  ports::ReminderNotice notice;
  notice.user = {"ann"};
  notice.reminder.id = {ids_.NewId()};
  notice.reminder.remind_at = notice.now = clock_.Now();
  notice.reminder.due = *domain::ResolveLocalDue("2026-10-25", "Pacific/Auckland");
  ASSERT_TRUE(inbox_
                  .Transact([&](ports::InboxTransaction& transaction) {
                    return transaction.notifications().Remind({notice});
                  })
                  .ok());
  Remind("ann", "an instant");
  std::vector<std::string> days;
  for (const v1::Notification& notification : Notifications()) {
    EXPECT_TRUE(notification.has_due_date());
    days.push_back(notification.due_local());
  }
  EXPECT_THAT(days, UnorderedElementsAre("", "2026-10-25"));
}

TEST_F(NotificationMethodsTest, ATestCallReturnsTheAnswerOfTheTarget) {
  const v1::WebhookEndpoint endpoint = AddEndpoint();
  webhooks_->Answer({.kind = ports::SendOutcome::Kind::kRetry,
                     .status_code = 503,
                     .detail = "HTTP 503",
                     .retry_after = {}});
  v1::TestWebhookEndpointRequest request;
  request.set_id(endpoint.id());
  v1::TestWebhookEndpointResponse response;
  ASSERT_TRUE(Call(&Stub::TestWebhookEndpoint, request, &response).ok());
  EXPECT_FALSE(response.delivered());
  EXPECT_EQ(response.status_code(), 503);
  EXPECT_EQ(response.detail(), "HTTP 503");
  ASSERT_THAT(webhooks_->sent(), SizeIs(1));
  EXPECT_THAT(webhooks_->sent()[0].body, HasSubstr("webhook.test"));
}

TEST_F(NotificationMethodsTest, UnavailableChannelsAreShownAndRefused) {
  channels_.Set({});
  v1::Channels channels;
  ASSERT_TRUE(Call(&Stub::GetChannels, {}, &channels).ok());
  EXPECT_FALSE(channels.webhook_available() || channels.email_available() ||
               channels.push_available());
  const grpc::Status status =
      Call(&Stub::CreateWebhookEndpoint, Endpoint("https://hooks.example/x"));
  EXPECT_EQ(status.error_code(), grpc::FAILED_PRECONDITION);
  EXPECT_EQ(ReasonOf(status), "CHANNEL_OFF");
  SwitchOn(webhooks_);
  ASSERT_TRUE(Call(&Stub::GetChannels, {}, &channels).ok());
  EXPECT_TRUE(channels.webhook_available() && channels.email_available() &&
              channels.push_available());
  EXPECT_EQ(channels.push_public_key(), "public");
}

TEST_F(NotificationMethodsTest, AnUpdateOfOnePreferenceLeavesTheOthers) {
  v1::UpdatePreferencesRequest update;
  update.mutable_preferences()->set_time_zone("Europe/Berlin");
  v1::NotificationPreferences stored;
  ASSERT_TRUE(Call(&Stub::UpdatePreferences, update, &stored).ok());
  EXPECT_EQ(stored.time_zone(), "Europe/Berlin");
  EXPECT_TRUE(stored.in_app() && stored.webhook() && stored.email() && stored.push());

  update.Clear();
  update.mutable_preferences()->mutable_quiet_hours()->set_start("22:00");
  update.mutable_preferences()->mutable_quiet_hours()->set_end("07:00");
  ASSERT_TRUE(Call(&Stub::UpdatePreferences, update, &stored).ok());
  update.mutable_preferences()->mutable_quiet_hours()->clear_start();
  update.mutable_preferences()->mutable_quiet_hours()->set_end("08:00");
  ASSERT_TRUE(Call(&Stub::UpdatePreferences, update, &stored).ok());
  EXPECT_EQ(stored.quiet_hours().start(), "22:00");
  EXPECT_EQ(stored.quiet_hours().end(), "08:00");
  EXPECT_EQ(stored.time_zone(), "Europe/Berlin");
  EXPECT_TRUE(stored.in_app() && stored.webhook() && stored.email() && stored.push());
}

TEST_F(NotificationMethodsTest, APreferencesMaskChangesItsFieldsAndClearsUnsetOnes) {
  v1::UpdatePreferencesRequest update;
  v1::NotificationPreferences stored;
  const auto masked = [&](const std::vector<std::string>& paths) {
    update.mutable_update_mask()->clear_paths();
    for (const std::string& path : paths) update.mutable_update_mask()->add_paths(path);
    const grpc::Status status = Call(&Stub::UpdatePreferences, update, &stored);
    EXPECT_TRUE(status.ok()) << status.error_message();
  };
  v1::NotificationPreferences& wanted = *update.mutable_preferences();
  wanted.set_in_app(false);
  wanted.set_time_zone("Europe/Berlin");
  wanted.mutable_quiet_hours()->set_start("22:00");
  wanted.mutable_quiet_hours()->set_end("07:00");
  wanted.mutable_quiet_hours()->set_time_zone("Asia/Tokyo");
  masked({"time_zone", "quiet_hours"});
  EXPECT_EQ(stored.time_zone(), "Europe/Berlin");
  EXPECT_EQ(stored.quiet_hours().time_zone(), "Asia/Tokyo");
  EXPECT_TRUE(stored.in_app()) << "not named";

  wanted.Clear();
  masked({"email", "quiet_hours.time_zone"});
  EXPECT_FALSE(stored.email());
  EXPECT_EQ(stored.quiet_hours().start() + stored.quiet_hours().time_zone(), "22:00");
  wanted.mutable_quiet_hours()->set_end("06:00");
  masked({"quiet_hours.end"});
  EXPECT_EQ(stored.quiet_hours().end(), "06:00");
  wanted.Clear();
  masked({"quiet_hours", "time_zone"});
  EXPECT_FALSE(stored.has_quiet_hours());
  EXPECT_EQ(stored.time_zone(), "UTC");
  EXPECT_TRUE(stored.in_app() && stored.webhook() && stored.push() && !stored.email());
  wanted.set_email(true);
  masked({"*"});
  EXPECT_TRUE(!stored.in_app() && !stored.webhook() && !stored.push() && stored.email());

  for (const char* path : {"etag", "", "quiet_hours.color", "EMAIL", "preferences.email"}) {
    update.mutable_update_mask()->clear_paths();
    update.mutable_update_mask()->add_paths("push");
    update.mutable_update_mask()->add_paths(path);
    const grpc::Status status = Call(&Stub::UpdatePreferences, update);
    EXPECT_THAT(FieldsOf(status), ElementsAre("update_mask")) << path;
    EXPECT_THAT(status.error_message(), HasSubstr(fmt::format("names \"{}\"", path)));
  }
  update.mutable_update_mask()->clear_paths();
  update.mutable_update_mask()->add_paths("quiet_hours.start");
  wanted.mutable_quiet_hours()->set_start("22:00");
  EXPECT_THAT(FieldsOf(Call(&Stub::UpdatePreferences, update)),
              ElementsAre("preferences.quiet_hours.end"))
      << "there are none to take it from";
}

TEST_F(NotificationMethodsTest, AWordingIsChangedFieldByFieldOrAsAWhole) {
  v1::UpdatePreferencesRequest update;
  v1::NotificationPreferences stored;
  v1::Wording& wanted = *update.mutable_preferences()->mutable_wording();
  wanted.set_language("german");
  wanted.set_week_start(v1::WEEKDAY_SUNDAY);
  wanted.set_evening("18:30");
  ASSERT_TRUE(Call(&Stub::UpdatePreferences, update, &stored).ok());
  EXPECT_FALSE(stored.wording().has_hour12()) << "not chosen yet";
  EXPECT_EQ(stored.wording().language(), "german");
  EXPECT_EQ(stored.wording().week_start(), v1::WEEKDAY_SUNDAY);
  EXPECT_EQ(stored.wording().evening(), "18:30");
  EXPECT_EQ(stored.wording().morning(), "09:00") << "the default";

  wanted.Clear();
  update.mutable_update_mask()->add_paths("wording.language");
  ASSERT_TRUE(Call(&Stub::UpdatePreferences, update, &stored).ok());
  EXPECT_EQ(stored.wording().language(), "english") << "named and not set";
  EXPECT_EQ(stored.wording().evening(), "18:30") << "not named";
  wanted.set_date_order(v1::DATE_ORDER_MONTH_FIRST);
  update.mutable_update_mask()->set_paths(0, "wording");
  ASSERT_TRUE(Call(&Stub::UpdatePreferences, update, &stored).ok());
  EXPECT_EQ(stored.wording().date_order(), v1::DATE_ORDER_MONTH_FIRST);
  EXPECT_EQ(stored.wording().evening(), "19:00") << "replaced as a whole";

  update.clear_update_mask();
  wanted.set_language("klingon");
  EXPECT_THAT(FieldsOf(Call(&Stub::UpdatePreferences, update)),
              ElementsAre("preferences.wording.language"));
  wanted.set_date_order(static_cast<v1::DateOrder>(9));
  wanted.set_night("late");
  EXPECT_THAT(FieldsOf(Call(&Stub::UpdatePreferences, update)),
              UnorderedElementsAre("preferences.wording.date_order", "preferences.wording.night"));
}

TEST_F(NotificationMethodsTest, AClockIsChosenAndForgotten) {
  v1::UpdatePreferencesRequest update;
  v1::NotificationPreferences stored;
  v1::Wording& wanted = *update.mutable_preferences()->mutable_wording();
  update.mutable_update_mask()->add_paths("wording.hour12");
  for (const bool hour12 : {true, false}) {
    wanted.set_hour12(hour12);
    ASSERT_TRUE(Call(&Stub::UpdatePreferences, update, &stored).ok());
    EXPECT_TRUE(stored.wording().has_hour12());
    EXPECT_EQ(stored.wording().hour12(), hour12);
  }
  wanted.clear_hour12();
  ASSERT_TRUE(Call(&Stub::UpdatePreferences, update, &stored).ok());
  EXPECT_FALSE(stored.wording().has_hour12());
}

TEST_F(NotificationMethodsTest, PreferencesHaveAnEtag) {
  v1::NotificationPreferences first;
  ASSERT_TRUE(Call(&Stub::GetPreferences, {}, &first).ok());
  v1::UpdatePreferencesRequest update;
  v1::NotificationPreferences& wanted = *update.mutable_preferences();
  wanted.set_in_app(true);
  wanted.set_time_zone("Europe/Berlin");
  wanted.mutable_quiet_hours()->set_start("22:00");
  wanted.mutable_quiet_hours()->set_end("07:00");
  wanted.set_etag(first.etag());
  v1::NotificationPreferences stored;
  ASSERT_TRUE(Call(&Stub::UpdatePreferences, update, &stored).ok());
  EXPECT_EQ(stored.quiet_hours().start(), "22:00");
  EXPECT_EQ(stored.quiet_hours().end(), "07:00");
  EXPECT_EQ(stored.time_zone(), "Europe/Berlin");
  EXPECT_TRUE(stored.webhook() && stored.email() && stored.push());
  const grpc::Status stale = Call(&Stub::UpdatePreferences, update);
  EXPECT_EQ(stale.error_code(), grpc::ABORTED);
  EXPECT_EQ(ReasonOf(stale), "STALE_ETAG");

  state_.FailWith(absl::UnavailableError("away"));
  const grpc::Status away = Call(&Stub::GetPreferences, v1::GetPreferencesRequest());
  EXPECT_EQ(away.error_code(), grpc::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(away), "STATE_STORE_AWAY");
}

}  // namespace
}  // namespace todo::api
