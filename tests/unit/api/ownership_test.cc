// No caller learns anything about the objects of another user: every method, with every kind of id,
// over both doors, answers as for an id that does not exist.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <gtest/gtest.h>

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/connect/error.h"
#include "api/connect_door.h"
#include "api/notification_methods.h"
#include "api/reminder_methods.h"
#include "api/todo_methods.h"
#include "connect/fake_exchange.h"
#include "fake_feed.h"
#include "fake_tickets.h"
#include "served.h"
#include "support/fake_database.h"
#include "support/fake_event_inbox.h"
#include "support/fake_notification_store.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_reminder_store.h"
#include "support/fake_senders.h"
#include "support/fake_task_store.h"
#include "todo/v1/notification_service.pb.h"
#include "todo/v1/reminder_service.pb.h"

namespace todo::api {
namespace {

using google::protobuf::Message;

class StandingClock final : public ports::Clock {
 public:
  domain::Instant Now() const override { return *domain::ParseInstant("2026-10-24T09:00:00Z"); }
};

class CountingIds final : public ports::IdSource {
 public:
  domain::Uuid NewId() override {
    std::string bytes(16, '\0');
    const int number = ++count_;
    for (std::size_t i = 0; i < 4; ++i) bytes[15 - i] = static_cast<char>(number >> (8 * i));
    return domain::Uuid::FromBytes(bytes, 7);
  }

 private:
  std::atomic<int> count_ = 0;
};

enum class Kind { kTask, kEndpoint, kDelivery, kSubscription };

/// A method, with a request that would succeed if `id` belonged to the caller.
struct Probe {
  std::string path;
  Kind kind = Kind::kTask;
  std::function<std::unique_ptr<Message>(const std::string& id)> request;
};

std::int64_t NumberIn(const std::string& text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

template <typename Request>
Probe OfTask(const std::string& name, std::function<void(Request&)> fill = {}) {
  return {
      .path = "/todo.v1." + name, .kind = Kind::kTask, .request = [fill](const std::string& id) {
        auto request = std::make_unique<Request>();
        if constexpr (requires { request->set_task_id(1); }) {
          request->set_task_id(NumberIn(id));
        } else if constexpr (requires { request->set_id(1); }) {
          request->set_id(NumberIn(id));
        } else {
          request->mutable_task()->set_id(NumberIn(id));
        }
        if (fill) fill(*request);
        return request;
      }};
}

template <typename Request>
Probe OfNotifications(const std::string& name, Kind kind) {
  return {.path = "/todo.v1.NotificationService/" + name,
          .kind = kind,
          .request = [](const std::string& id) {
            auto request = std::make_unique<Request>();
            if constexpr (requires { request->set_id(""); }) {
              request->set_id(id);
            } else if constexpr (requires { request->set_endpoint_id(""); }) {
              request->set_endpoint_id(id);
            } else {
              request->mutable_endpoint()->set_id(id);
              request->mutable_update_mask()->add_paths("reminders");
            }
            return request;
          }};
}

std::vector<Probe> AllProbes() {
  return {
      OfTask<v1::GetTaskRequest>("TodoService/GetTask"),
      OfTask<v1::UpdateTaskRequest>("TodoService/UpdateTask",
                                    [](auto& request) {
                                      request.mutable_task()->set_title("taken");
                                      request.mutable_update_mask()->add_paths("title");
                                    }),
      OfTask<v1::CompleteTaskRequest>("TodoService/CompleteTask"),
      OfTask<v1::UncompleteTaskRequest>("TodoService/UncompleteTask"),
      OfTask<v1::DeleteTaskRequest>("TodoService/DeleteTask"),
      OfTask<v1::RestoreTaskRequest>("TodoService/RestoreTask"),
      {.path = "/todo.v1.TodoService/BatchUpdateTasks",
       .kind = Kind::kTask,
       .request =
           [](const std::string& id) {
             auto request = std::make_unique<v1::BatchUpdateTasksRequest>();
             v1::TaskChange& change = *request->add_changes();
             change.set_id(NumberIn(id));
             change.mutable_tags()->add_add("taken");
             return request;
           }},
      OfTask<v1::SkipTaskRequest>("TodoService/SkipTask"),
      OfTask<v1::StopSeriesRequest>("TodoService/StopSeries"),
      OfTask<v1::CreateReminderRequest>(
          "ReminderService/CreateReminder",
          [](auto& request) { request.mutable_reminder()->set_before("PT5M"); }),
      OfTask<v1::ListRemindersRequest>("ReminderService/ListReminders"),
      OfTask<v1::DeleteReminderRequest>("ReminderService/DeleteReminder",
                                        [](auto& request) { request.set_number(1); }),
      OfTask<v1::SnoozeReminderRequest>("ReminderService/SnoozeReminder",
                                        [](auto& request) {
                                          request.set_number(1);
                                          request.set_duration("PT10M");
                                        }),
      OfNotifications<v1::UpdateWebhookEndpointRequest>("UpdateWebhookEndpoint", Kind::kEndpoint),
      OfNotifications<v1::DeleteWebhookEndpointRequest>("DeleteWebhookEndpoint", Kind::kEndpoint),
      OfNotifications<v1::RotateWebhookSecretRequest>("RotateWebhookSecret", Kind::kEndpoint),
      OfNotifications<v1::TestWebhookEndpointRequest>("TestWebhookEndpoint", Kind::kEndpoint),
      OfNotifications<v1::ListWebhookDeliveriesRequest>("ListWebhookDeliveries", Kind::kEndpoint),
      OfNotifications<v1::RedeliverWebhookRequest>("RedeliverWebhook", Kind::kDelivery),
      OfNotifications<v1::RemovePushSubscriptionRequest>("RemovePushSubscription",
                                                         Kind::kSubscription)};
}

/// The services of users, on stores in memory, behind both doors.
class OwnershipTest : public testing::Test {
 protected:
  OwnershipTest() {
    channels_.Set({.webhooks = std::make_shared<support::FakeWebhookSender>(),
                   .webhook_master_key = "a master key of the tests",
                   .mail = std::make_shared<support::FakeMailer>(),
                   .mail_from = "todo@todo.example",
                   .push = std::make_shared<support::FakePushSender>(),
                   .push_public_key = "public"});
    grpc::ServerBuilder builder;
    for (grpc::Service* service : grpc_door_.services()) builder.RegisterService(service);
    server_ = builder.BuildAndStart();
    channel_ = server_->InProcessChannel({});
  }
  ~OwnershipTest() override { server_->Shutdown(); }

  grpc::Status CallGrpc(const std::string& path, const std::string& bytes, const std::string& user,
                        std::string* answer = nullptr) {
    const grpc::internal::RpcMethod method(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC,
                                           channel_);
    const grpc::Slice slice(bytes);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    const auto context = CallAs(user);
    const grpc::Status status =
        grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer, grpc::ByteBuffer,
                                          grpc::ByteBuffer>(channel_.get(), method, context.get(),
                                                            request, &response);
    grpc::Slice whole;
    if (status.ok() && answer != nullptr && response.DumpToSingleSlice(&whole).ok())
      answer->assign(reinterpret_cast<const char*>(whole.begin()), whole.size());
    return status;
  }

  util::HttpResponse CallJson(const std::string& path, const Message& request,
                              const std::string& user) {
    util::HttpRequestHead head{
        .method = "POST",
        .path = path,
        .query = "",
        .headers = {{"content-type", "application/json"}, {"x-user-id", user}},
        .peer = "",
        .encrypted = false,
        .content_length = std::nullopt};
    return connect::Serve(connect_door_, std::move(head),
                          *connect::Serialize(connect::Codec::kJson, request))
        ->Wait();
  }

  template <typename Response>
  Response Made(const std::string& path, const Message& request, const std::string& user) {
    std::string bytes;
    const grpc::Status status =
        CallGrpc("/todo.v1." + path, request.SerializeAsString(), user, &bytes);
    EXPECT_TRUE(status.ok()) << path << ": " << status.error_message();
    Response response;
    EXPECT_TRUE(response.ParseFromString(bytes));
    return response;
  }

  /// Gives `user` objects of every kind.
  void Furnish(const std::string& user) {
    v1::CreateTaskRequest create;
    create.mutable_task()->set_title("private of " + user);
    create.mutable_task()->mutable_due_date()->set_seconds(1'800'000'000);
    AddTask(create, user);
    create.mutable_task()->set_recurrence_rule("FREQ=DAILY");
    create.mutable_task()->set_time_zone("Europe/Berlin");
    AddTask(create, user);

    v1::CreateWebhookEndpointRequest endpoint;
    endpoint.mutable_endpoint()->set_url("https://hooks.example/x");
    endpoint.mutable_endpoint()->set_reminders(true);
    const std::string endpoint_id =
        Made<v1::WebhookEndpoint>("NotificationService/CreateWebhookEndpoint", endpoint, user).id();
    Note(Kind::kEndpoint, endpoint_id, user);
    v1::AddPushSubscriptionRequest subscription;
    subscription.mutable_subscription()->set_endpoint("https://push.example/" + user);
    subscription.mutable_subscription()->set_p256dh("BA" + std::string(85, 'A'));
    subscription.mutable_subscription()->set_auth(std::string(22, 'A'));
    Note(Kind::kSubscription,
         Made<v1::PushSubscription>("NotificationService/AddPushSubscription", subscription, user)
             .id(),
         user);
    Remind(user);
    v1::ListWebhookDeliveriesRequest list;
    list.set_endpoint_id(endpoint_id);
    const auto deliveries = Made<v1::ListWebhookDeliveriesResponse>(
        "NotificationService/ListWebhookDeliveries", list, user);
    ASSERT_EQ(deliveries.deliveries_size(), 1);
    Note(Kind::kDelivery, deliveries.deliveries(0).id(), user);
  }

  void Note(Kind kind, const std::string& id, const std::string& user) {
    ids_of_[kind].push_back(id);
    owner_of_[id] = user;
  }

  void AddTask(const v1::CreateTaskRequest& create, const std::string& user) {
    const auto task = Made<v1::Task>("TodoService/CreateTask", create, user);
    Note(Kind::kTask, fmt::format("{}", task.id()), user);
    v1::CreateReminderRequest reminder;
    reminder.set_task_id(task.id());
    reminder.mutable_reminder()->set_before("PT1H");
    Made<v1::Reminder>("ReminderService/CreateReminder", reminder, user);
  }

  /// Makes a notification, and with it a delivery.
  void Remind(const std::string& user) {
    ports::ReminderNotice notice;
    notice.user = {user};
    notice.reminder.id = {ids_.NewId()};
    notice.reminder.task_id = {7};
    notice.reminder.title = "private";
    notice.reminder.remind_at = clock_.Now();
    notice.reminder.due = *domain::ResolveInstantDue(clock_.Now() + std::chrono::hours(1));
    notice.now = clock_.Now();
    notice.in_app = notice.webhook = true;
    const absl::Status status = inbox_.Transact([&](ports::InboxTransaction& transaction) {
      return transaction.notifications().Remind({notice});
    });
    EXPECT_TRUE(status.ok()) << status;
  }

  /// All that `user` can see, as text.
  std::string Seen(const std::string& user) {
    std::string seen;
    const auto add = [&](const std::string& path, const Message& request) {
      seen += CallJson("/todo.v1." + path, request, user).body + "\n";
    };
    add("TodoService/ListTasks", v1::ListTasksRequest());
    add("TodoService/ListChanges", v1::ListChangesRequest());
    add("NotificationService/ListNotifications", v1::ListNotificationsRequest());
    add("NotificationService/ListWebhookEndpoints", v1::ListWebhookEndpointsRequest());
    add("NotificationService/ListPushSubscriptions", v1::ListPushSubscriptionsRequest());
    for (const Probe& probe : AllProbes()) {
      if (probe.path.find("/List") == std::string::npos) continue;
      for (const std::string& id : ids_of_[probe.kind])
        seen += CallJson(probe.path, *probe.request(id), user).body + "\n";
    }
    return seen;
  }

  support::FakeDatabase database_;
  support::FakeTaskStore store_{database_};
  support::FakeReminderStore reminder_store_{database_};
  support::FakeNotificationStore notification_store_{database_};
  support::FakeEventInbox inbox_{database_};
  support::FakePreferredZones zones_{database_};
  support::FakeStateStore state_;
  StandingClock clock_;
  CountingIds ids_;
  service::ChannelSet channels_;
  service::TaskService tasks_{store_, zones_, clock_, ids_};
  service::ReminderService reminders_{reminder_store_, clock_, ids_, {}};
  service::NotificationSettings settings_{
      {notification_store_, state_, zones_, clock_, ids_, channels_}};
  NamedCaller authenticator_;
  util::WorkerPool pool_{1, 100};
  FakeFeed feed_;
  FakeTickets tickets_;
  MethodTable methods_{{MakeTodoMethods({tasks_, feed_, tickets_, settings_, clock_}),
                        MakeReminderMethods(reminders_), MakeNotificationMethods(settings_)}};
  Admission admission_{authenticator_, pool_, {}};
  GrpcDoor grpc_door_{methods_, admission_};
  ConnectDoor connect_door_{methods_, admission_};
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::map<Kind, std::vector<std::string>> ids_of_;
  std::map<std::string, std::string> owner_of_;  // by id
};

TEST_F(OwnershipTest, EveryMethodThatTakesAnIdIsProbed) {
  std::set<std::string> probed;
  for (const Probe& probe : AllProbes()) {
    EXPECT_NE(methods_.Find(probe.path), nullptr) << probe.path;
    probed.insert(probe.path);
  }
  // Ids in these requests are ignored, because the server chooses them; or they choose among the
  // changes of the caller.
  const std::set<std::string> without{"/todo.v1.TodoService/CreateTask",
                                      "/todo.v1.TodoService/ListChanges",
                                      "/todo.v1.TodoService/PreviewRecurrence",
                                      "/todo.v1.NotificationService/CreateWebhookEndpoint",
                                      "/todo.v1.NotificationService/AddPushSubscription"};
  for (const Method& method : methods_.methods()) {
    const auto& type = *method.request_prototype->GetDescriptor();
    bool takes_id = false;
    for (int i = 0; i < type.field_count(); ++i) {
      const auto& field = *type.field(i);
      takes_id = takes_id || field.name() == "id" || field.name() == "task_id" ||
                 field.name() == "endpoint_id" ||
                 (field.message_type() != nullptr &&
                  field.message_type()->FindFieldByName("id") != nullptr);
    }
    if (without.contains(method.path)) continue;
    EXPECT_EQ(takes_id, probed.contains(method.path)) << method.path;
  }
}

/// What gRPC shows of a refusal, with a placeholder where the text repeats the id that was asked
/// for.
std::string Shown(const grpc::Status& status, const std::string& id) {
  google::rpc::Status rich;
  rich.ParseFromString(status.error_details());
  EXPECT_EQ(rich.message(), status.error_message());
  if (const std::size_t at = rich.message().find(id); at != std::string::npos)
    rich.mutable_message()->replace(at, id.size(), "ID");
  return rich.SerializeAsString();
}

int CountOfPairs() {
  const char* count = std::getenv("TODO_RANDOM_PAIRS");
  return count == nullptr ? 100'000 : std::atoi(count);
}

TEST_F(OwnershipTest, IdsOfOthersAreAnsweredLikeUnknownOnesByBothDoors) {
  const std::vector<std::string> owners{"ann", "ben"};
  for (const std::string& owner : owners) Furnish(owner);
  std::vector<std::string> before;
  for (const std::string& owner : owners) before.push_back(Seen(owner));

  const std::vector<Probe> probes = AllProbes();
  const std::map<Kind, std::string> unknown{
      {Kind::kTask, "999999999"},
      {Kind::kEndpoint, "00000000-0000-7000-8000-0000ffffffff"},
      {Kind::kDelivery, "00000000-0000-7000-8000-0000ffffffff"},
      {Kind::kSubscription, "00000000-0000-7000-8000-0000ffffffff"}};
  std::vector<std::string> expected;  // by probe
  for (const Probe& probe : probes) {
    const grpc::Status status =
        CallGrpc(probe.path, probe.request(unknown.at(probe.kind))->SerializeAsString(), "ann");
    EXPECT_EQ(status.error_code(), grpc::NOT_FOUND) << probe.path << status.error_message();
    expected.push_back(Shown(status, unknown.at(probe.kind)));
  }

  std::mt19937 random(2026);  // NOLINT(*-msc51-cpp): repeatable
  // Users that own objects themselves, and users that own none.
  const std::vector<std::string> askers{"ann", "ben", "an",  "ann2", "Ann",
                                        "ANN", "bob", "eve", "0",    "ann.ben"};
  for (int i = 0; i < CountOfPairs(); ++i) {
    const std::size_t at = random() % probes.size();
    const Probe& probe = probes[at];
    const auto& ids = ids_of_[probe.kind];
    const std::string& user = askers[random() % askers.size()];
    const std::string& id = ids[random() % ids.size()];
    if (owner_of_.at(id) == user) continue;
    const auto request = probe.request(id);
    const grpc::Status status = CallGrpc(probe.path, request->SerializeAsString(), user);
    const util::HttpResponse response = CallJson(probe.path, *request, user);
    google::rpc::Status rich;
    rich.ParseFromString(status.error_details());
    ASSERT_EQ(Shown(status, id), expected[at]) << probe.path << " as " << user;
    ASSERT_EQ(response.status, 404) << probe.path << " as " << user;
    ASSERT_EQ(response.body, connect::ErrorJson(rich) + "\n") << probe.path << " as " << user;
  }

  for (std::size_t i = 0; i < owners.size(); ++i) EXPECT_EQ(Seen(owners[i]), before[i]);
  // The requests do succeed for their owners: no other mistake hides behind the refusals.
  for (const Probe& probe : probes) {
    const grpc::Status status =
        CallGrpc(probe.path, probe.request(ids_of_[probe.kind].back())->SerializeAsString(), "ben");
    EXPECT_NE(status.error_code(), grpc::INVALID_ARGUMENT) << probe.path << status.error_message();
  }
}

}  // namespace
}  // namespace todo::api
