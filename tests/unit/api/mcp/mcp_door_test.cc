#include "api/mcp_door.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../connect/fake_exchange.h"
#include "../fake_feed.h"
#include "../fake_tickets.h"
#include "../named_caller.h"
#include "absl/strings/str_replace.h"
#include "api/notification_methods.h"
#include "api/reminder_methods.h"
#include "api/todo_methods.h"
#include "support/fake_database.h"
#include "support/fake_notification_store.h"
#include "support/fake_preferred_zones.h"
#include "support/fake_reminder_store.h"
#include "support/fake_senders.h"
#include "support/fake_task_finder.h"
#include "support/fake_task_store.h"
#include "todo/v1/notification_service.pb.h"
#include "util/status.h"

namespace todo::api {
namespace {

using connect::HeaderOf;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// 09:00 of Saturday in Berlin, until it is set.
class StandingClock final : public ports::Clock {
 public:
  domain::Instant Now() const override { return now_; }
  void Set(std::string_view now) { now_ = *domain::ParseInstant(now); }

 private:
  domain::Instant now_ = *domain::ParseInstant("2026-10-24T07:00:00Z");
};

class CountingIds final : public ports::IdSource {
 public:
  domain::Uuid NewId() override {
    std::string bytes(16, '\0');
    bytes[15] = static_cast<char>(++count_);
    return domain::Uuid::FromBytes(bytes, 7);
  }

 private:
  int count_ = 0;
};

constexpr char kRequestId[] = "0193d5a0-0000-7000-8000-000000000001";

/// The door in front of the real methods and stores in memory.
class McpDoorTest : public testing::Test {
 protected:
  util::HttpResponse Post(std::string body, util::HttpHeaders headers = {},
                          const std::string& user = "ada", std::string method = "POST") {
    headers.emplace_back("content-type", "application/json");
    if (!user.empty()) headers.emplace_back("x-user-id", user);
    return connect::Serve(door_,
                          {.method = std::move(method),
                           .path = "/mcp",
                           .query = "",
                           .headers = std::move(headers),
                           .peer = "127.0.0.1",
                           .encrypted = false,
                           .content_length = std::nullopt},
                          std::move(body))
        ->Wait();
  }
  /// The answer to a request.
  json Ask(const std::string& method, json params = json::object(),
           const std::string& user = "ada") {
    const json message = {
        {"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", std::move(params)}};
    return json::parse(Post(message.dump(), {{"mcp-protocol-version", "2025-11-25"}}, user).body);
  }
  /// The result of a tool that succeeds.
  json Call(const std::string& tool, const json& arguments, const std::string& user = "ada") {
    const json answer = Ask("tools/call", {{"name", tool}, {"arguments", arguments}}, user);
    EXPECT_EQ(answer["result"]["isError"], false) << answer.dump();
    const json content = answer["result"].value("structuredContent", json::object());
    EXPECT_EQ(json::parse(answer["result"]["content"][0]["text"].get<std::string>()), content);
    return content;
  }
  /// What an assistant is told when a tool fails.
  std::string Advice(const std::string& tool, const json& arguments,
                     const std::string& user = "ada") {
    const json answer = Ask("tools/call", {{"name", tool}, {"arguments", arguments}}, user);
    EXPECT_EQ(answer["result"]["isError"], true) << answer.dump();
    EXPECT_FALSE(answer["result"].contains("structuredContent"));
    return answer["result"]["content"][0]["text"];
  }
  json Resource(const std::string& uri) {
    const json answer = Ask("resources/read", {{"uri", uri}});
    return json::parse(answer["result"]["contents"][0]["text"].get<std::string>());
  }
  json Add(const std::string& title, json more = json::object()) {
    more["title"] = title;
    return Call("add_task", more)["task"];
  }
  void LiveIn(const std::string& zone) {
    v1::UpdatePreferencesRequest request;
    request.mutable_preferences()->set_time_zone(zone);
    v1::NotificationPreferences response;
    const Method* method = methods_.Find("/todo.v1.NotificationService/UpdatePreferences");
    const Caller ada{
        .identity = {.user = {"ada"}, .roles = {}, .expiry = {}},
        .context = {.user = {"ada"}, .request_id = {}, .fingerprint = {}, .traceparent = {}}};
    ASSERT_TRUE(method->handler(ada, request, response).ok());
  }

  support::FakeDatabase database_;
  support::FakeTaskStore store_{database_};
  support::FakeTaskFinder finder_{database_};
  support::FakeReminderStore reminder_store_{database_};
  support::FakeNotificationStore notification_store_{database_};
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
  FakeFeed feed_;
  FakeTickets tickets_;
  MethodTable methods_{{MakeTodoMethods({.tasks = tasks_,
                                         .feed = feed_,
                                         .tickets = tickets_,
                                         .settings = settings_,
                                         .clock = clock_}),
                        MakeReminderMethods(reminders_), MakeNotificationMethods(settings_)}};
  std::function<absl::Status()> ready_ = [] { return absl::OkStatus(); };
  util::WorkerPool pool_{1, 100};
  Admission admission_{authenticator_, pool_,
                       Admission::Options{.ready = [this] { return ready_(); },
                                          .limits = nullptr,
                                          .alarms = nullptr,
                                          .tickets = nullptr}};
  McpDoor door_{
      admission_,
      {.methods = methods_, .clock = clock_, .ids = ids_, .finder = &finder_, .version = "1.2.3"},
      {"https://app.example"}};
};

// ---- the protocol

TEST_F(McpDoorTest, AHandshakeTellsWhatTheServerIsAndHowToUseIt) {
  const json result =
      Ask("initialize", {{"protocolVersion", "2025-06-18"},
                         {"capabilities", json::object()},
                         {"clientInfo", {{"name", "x"}, {"version", "1"}}}})["result"];
  EXPECT_EQ(result["protocolVersion"], "2025-06-18");
  EXPECT_EQ(result["serverInfo"]["version"], "1.2.3");
  EXPECT_TRUE(result["capabilities"].contains("tools"));
  EXPECT_TRUE(result["capabilities"].contains("resources"));
  EXPECT_THAT(result["instructions"].get<std::string>(), HasSubstr("find_tasks"));
  const auto noted = Post(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  EXPECT_EQ(noted.status, 202);
  EXPECT_EQ(noted.body, "");
  EXPECT_EQ(Ask("ping")["result"], json::object());
}

TEST_F(McpDoorTest, ARequestWithoutAHandshakeIsAnsweredInItsOwnForm) {
  const auto ask = [&](const std::string& method) {
    const json message = {{"jsonrpc", "2.0"},
                          {"id", "a"},
                          {"method", method},
                          {"params",
                           {{"_meta",
                             {{"io.modelcontextprotocol/protocolVersion", "2026-07-28"},
                              {"io.modelcontextprotocol/clientCapabilities", json::object()}}}}}};
    return Post(message.dump(), {{"mcp-protocol-version", "2026-07-28"}, {"mcp-method", method}});
  };
  const json discovered = json::parse(ask("server/discover").body);
  EXPECT_EQ(discovered["id"], "a");
  EXPECT_EQ(discovered["result"]["resultType"], "complete");
  EXPECT_EQ(discovered["result"]["supportedVersions"][0], "2026-07-28");
  EXPECT_EQ(discovered["result"]["cacheScope"], "public");
  EXPECT_EQ(discovered["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"],
            "todo-service");
  EXPECT_EQ(ask("ping").status, 404);
  EXPECT_EQ(json::parse(ask("subscriptions/listen").body)["error"]["code"], -32601);
}

TEST_F(McpDoorTest, WhatTheServerDoesNotKnowIsRefusedByItsName) {
  EXPECT_EQ(Ask("prompts/list")["error"]["code"], -32601);
  EXPECT_EQ(Ask("server/discover")["error"]["code"], -32601);
  EXPECT_EQ(Ask("tools/call", {{"name", "drop_tables"}})["error"]["code"], -32602);
  EXPECT_EQ(Ask("tools/call", {{"name", 7}})["error"]["code"], -32602);
  EXPECT_EQ(Ask("tools/call", {{"name", "find_tasks"}, {"arguments", 1}})["error"]["code"], -32602);
  EXPECT_EQ(Ask("resources/read", {{"uri", "file:///etc/passwd"}})["error"]["code"], -32002);
  EXPECT_EQ(Ask("resources/read")["error"]["code"], -32602);
  EXPECT_EQ(Ask("tools/list")["result"]["tools"].size(), 10u);
}

TEST_F(McpDoorTest, MalformedMessagesGetAnErrorOfJsonRpc) {
  for (const auto& [body, code] :
       std::vector<std::pair<std::string, int>>{{"{", -32700},
                                                {std::string(100'000, '['), -32700},
                                                {"[]", -32600},
                                                {R"({"jsonrpc":"2.0","id":1})", -32600}}) {
    const util::HttpResponse answer = Post(body);
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(HeaderOf(answer, "content-type"), "application/json");
    EXPECT_EQ(json::parse(answer.body)["error"]["code"], code);
  }
  EXPECT_EQ(Post(std::string(256 * 1024 + 1, ' ')).status, 413);
  const json old = json::parse(Post(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})",
                                    {{"mcp-protocol-version", "2024-11-05"}})
                                   .body);
  EXPECT_EQ(old["error"]["code"], -32022);
  EXPECT_EQ(old["id"], 1);
}

TEST_F(McpDoorTest, RequestsAreRefusedByTheirHead) {
  const util::HttpResponse nobody = Post("{}", {}, "");
  EXPECT_EQ(nobody.status, 401);
  EXPECT_EQ(HeaderOf(nobody, "www-authenticate"), "Bearer");
  EXPECT_EQ(json::parse(nobody.body)["id"], nullptr);
  for (const char* method : {"GET", "DELETE", "PUT"}) {
    const util::HttpResponse answer = Post("", {}, "ada", method);
    EXPECT_EQ(answer.status, 405);
    EXPECT_EQ(HeaderOf(answer, "allow"), "POST");
  }
  EXPECT_EQ(Post("{}", {{"host", "todo.example"}, {"origin", "https://evil.example"}}).status, 403);
  const std::string ping = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
  for (const char* origin : {"https://app.example", "http://todo.example"})
    EXPECT_EQ(Post(ping, {{"host", "todo.example"}, {"origin", origin}}).status, 200) << origin;
  EXPECT_EQ(Post(ping, {{"content-type", "text/plain"}}).status, 415);
}

TEST_F(McpDoorTest, AServerThatIsNotReadySaysWhenToComeBack) {
  ready_ = [] { return util::WithReason(absl::UnavailableError("starting"), "SERVER_NOT_READY"); };
  const util::HttpResponse answer = Post(R"({"jsonrpc":"2.0","id":1,"method":"ping"})");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(HeaderOf(answer, "retry-after"), "1");
  EXPECT_EQ(json::parse(answer.body)["error"]["message"], "starting");
}

// ---- the tools

TEST_F(McpDoorTest, ATaskIsAddedFoundAndCompleted) {
  const json task = Add("Buy milk", {{"priority", "high"},
                                     {"tags", {"shop"}},
                                     {"due_local", "2026-10-25T09:00"},
                                     {"time_zone", "Europe/Berlin"}});
  EXPECT_EQ(task["priority"], "high");
  EXPECT_EQ(task["due_local"], "2026-10-25T09:00:00");
  EXPECT_EQ(task["due_date"], "2026-10-25T08:00:00Z");
  Add("Buy bread");
  const json found = Call("find_tasks", {{"words", "MILK"}});
  ASSERT_EQ(found["tasks"].size(), 1u);
  EXPECT_EQ(found["tasks"][0]["id"], task["id"]);
  EXPECT_EQ(found["tasks"][0]["fit"], "all_words");
  EXPECT_EQ(found["now"], "2026-10-24T07:00:00+00:00");
  EXPECT_EQ(Call("find_tasks", {{"words", "buy"}})["tasks"].size(), 2u);

  const json done = Call("complete_task", {{"id", task["id"]}, {"etag", task["etag"]}})["task"];
  EXPECT_EQ(done["completed"], true);
  EXPECT_EQ(Call("find_tasks", {{"completed", false}})["tasks"].size(), 1u);
  EXPECT_EQ(Call("complete_task", {{"id", task["id"]}, {"completed", false}})["task"]["completed"],
            false);
}

TEST_F(McpDoorTest, ALineOfTextMakesATaskUnlessAFieldSaysOtherwise) {
  LiveIn("Europe/Berlin");
  const json added = Call("add_task", {{"text", "call the bank tomorrow at 9 p1 #money"}});
  EXPECT_EQ(added["task"]["title"], "call the bank");
  EXPECT_EQ(added["task"]["due_local"], "2026-10-25T09:00:00");
  EXPECT_EQ(added["task"]["priority"], "high");
  EXPECT_EQ(added["task"]["tags"], json::array({"money"}));
  const json other = Call("add_task", {{"text", "call the bank tomorrow at 9 p1 #money"},
                                       {"title", "Call Ben"},
                                       {"tags", {"people"}},
                                       {"priority", "low"}})["task"];
  EXPECT_EQ(other["title"], "Call Ben");
  EXPECT_EQ(other["tags"], json::array({"people"}));
  EXPECT_EQ(other["priority"], "low");
  EXPECT_EQ(other["due_local"], "2026-10-25T09:00:00");
  EXPECT_THAT(Advice("add_task", json::object()), StartsWith("title: must be given, unless"));
}

TEST_F(McpDoorTest, TheRemindersOfALineAreAddedOnce) {
  LiveIn("Europe/Berlin");
  const json arguments = {{"text", "call the bank tomorrow at 9, remind me 1 hour before"},
                          {"request_id", kRequestId}};
  const json added = Call("add_task", arguments);
  ASSERT_EQ(added["reminders"].size(), 1u) << added.dump();
  EXPECT_EQ(added["reminders"][0]["remind_at"], "2026-10-25T07:00:00Z");
  EXPECT_EQ(Call("add_task", arguments), added);
  const json seen = Resource(fmt::format("todo://tasks/{}", added["task"]["id"].get<int>()));
  EXPECT_EQ(seen["reminders"].size(), 1u);
}

TEST_F(McpDoorTest, ATextThatIsRepeatedOnAnotherDayGetsTheFirstAnswer) {
  LiveIn("Europe/Berlin");
  const json arguments = {{"text", "call the bank tomorrow at 9, remind me today at 5pm"},
                          {"request_id", kRequestId}};
  const json added = Call("add_task", arguments);
  ASSERT_EQ(added["reminders"].size(), 1u) << added.dump();
  clock_.Set("2026-10-24T18:00:00Z");  // behind 5pm
  EXPECT_EQ(Call("add_task", arguments), added);
  clock_.Set("2026-10-25T07:00:00Z");  // behind midnight
  EXPECT_EQ(Call("add_task", arguments), added);
  EXPECT_EQ(Call("find_tasks", json::object())["tasks"].size(), 1u);
  EXPECT_THAT(Advice("add_task", {{"text", "call Ben tomorrow"}, {"request_id", kRequestId}}),
              HasSubstr("new request_id"));
}

TEST_F(McpDoorTest, DatesAreThoseOfTheUsersClock) {
  LiveIn("Europe/Berlin");
  Add("Early", {{"due_local", "2026-10-24"}});
  Add("Late", {{"due_local", "2026-10-25"}});
  const json found = Call("find_tasks", {{"due_from", "2026-10-24"}, {"due_before", "2026-10-25"}});
  ASSERT_EQ(found["tasks"].size(), 1u);
  EXPECT_EQ(found["tasks"][0]["title"], "Early");
  EXPECT_EQ(found["now"], "2026-10-24T09:00:00+02:00");
  EXPECT_EQ(found["time_zone"], "Europe/Berlin");
  EXPECT_EQ(Call("find_tasks", {{"due_before", "2026-10-24T00:00:00+02:00"}})["tasks"].size(), 0u);
  EXPECT_THAT(Advice("find_tasks", {{"due_from", "tomorrow"}}), StartsWith("due_from: must be"));
  EXPECT_THAT(Advice("find_tasks", {{"time_zone", "Mars"}}), StartsWith("time_zone: "));
}

TEST_F(McpDoorTest, TasksThatHaveTheWordsMeetTheOtherConditionsToo) {
  Add("Buy milk", {{"priority", "high"}, {"tags", {"shop"}}, {"due_local", "2026-10-25"}});
  Add("Buy milk for Ben", {{"due_local", "2026-10-27"}});
  Add("Buy milk some day");
  const auto count = [&](json arguments) {
    arguments["words"] = "buy milk";
    return Call("find_tasks", arguments)["tasks"].size();
  };
  EXPECT_EQ(count({{"completed", false}}), 3u);
  EXPECT_EQ(count({{"completed", true}}), 0u);
  EXPECT_EQ(count({{"priority", "high"}}), 1u);
  EXPECT_EQ(count({{"tag", "shop"}}), 1u);
  EXPECT_EQ(count({{"due_from", "2026-10-26"}}), 1u);
  EXPECT_EQ(count({{"due_before", "2026-10-26"}}), 1u);
  EXPECT_EQ(count({{"page_size", 2}}), 2u);
  EXPECT_EQ(Call("find_tasks", {{"words", "buy milk"}})["tasks"][0]["fit"], "exact");
  for (const std::string& words : {std::string(501, 'a'), std::string("a\0b", 3)})
    EXPECT_THAT(Advice("find_tasks", {{"words", words}}),
                StartsWith("words: must have at most 500"));
}

TEST_F(McpDoorTest, MoreTasksThanAreShownComePageByPage) {
  for (const char* title : {"a", "b", "c"}) Add(title);
  const json first = Call("find_tasks", {{"page_size", 2}});
  EXPECT_EQ(first["tasks"].size(), 2u);
  const json second =
      Call("find_tasks", {{"page_size", 2}, {"page_token", first["next_page_token"]}});
  EXPECT_EQ(second["tasks"].size(), 1u);
  EXPECT_FALSE(second.contains("next_page_token"));
  EXPECT_THAT(Advice("find_tasks", {{"page_token", "x"}}), StartsWith("page_token: "));
}

TEST_F(McpDoorTest, OnlyTheGivenFieldsChange) {
  const json task = Add("Call", {{"description", "the bank"}, {"due_local", "2026-10-25"}});
  const json changed = Call(
      "change_task",
      {{"id", task["id"]}, {"title", "Call Ada"}, {"description", ""}, {"tags", nullptr}})["task"];
  EXPECT_EQ(changed["title"], "Call Ada");
  EXPECT_EQ(changed["due_local"], "2026-10-25");
  EXPECT_FALSE(changed.contains("description"));
  EXPECT_FALSE(
      Call("change_task", {{"id", task["id"]}, {"due_local", ""}})["task"].contains("due_local"));
  EXPECT_THAT(Advice("change_task", {{"id", task["id"]}}), HasSubstr("another field"));
  const std::string stale =
      Advice("change_task", {{"id", task["id"]}, {"title", "x"}, {"etag", task["etag"]}});
  EXPECT_THAT(stale, HasSubstr("has changed since"));
  EXPECT_THAT(stale, HasSubstr("find_tasks"));
}

TEST_F(McpDoorTest, APostponedTaskKeepsItsTimeOfDay) {
  const json timed = Add("Report", {{"due_local", "2026-10-25T16:30"}});
  EXPECT_EQ(Call("postpone_task",
                 {{"id", timed["id"]}, {"due_local", "2026-10-27"}})["task"]["due_local"],
            "2026-10-27T16:30:00");
  EXPECT_EQ(Call("postpone_task",
                 {{"id", timed["id"]}, {"due_local", "2026-10-28T08:00"}})["task"]["due_local"],
            "2026-10-28T08:00:00");
  const json whole_day = Add("Rent", {{"due_local", "2026-10-25"}});
  EXPECT_EQ(Call("postpone_task",
                 {{"id", whole_day["id"]}, {"due_local", "2026-10-26"}})["task"]["due_local"],
            "2026-10-26");
  EXPECT_THAT(Advice("postpone_task", {{"id", timed["id"]}, {"due_local", ""}}),
              StartsWith("due_local: must not be empty"));
}

TEST_F(McpDoorTest, APostponedInstantKeepsTheTimeOfDayOfItsZone) {
  service::CreateTaskInput input;
  input.title = "Report";
  input.due.due_date = domain::ParseInstant("2026-10-24T15:30:00Z").value();
  input.time_zone = "Europe/Berlin";
  const service::CallContext call{
      .user = {"ada"}, .request_id = {}, .fingerprint = {}, .traceparent = {}};
  const auto task = tasks_.Create(call, input);
  ASSERT_TRUE(task.ok()) << task.status();
  const std::int64_t id = task->id.value;
  const json moved = Call("postpone_task", {{"id", id}, {"due_local", "2026-10-27"}})["task"];
  EXPECT_EQ(moved["due_date"], "2026-10-27T16:30:00Z") << "17:30, after the clocks went back";
  EXPECT_FALSE(moved.contains("due_local"));
  EXPECT_THAT(Advice("postpone_task", {{"id", id}, {"due_local", "2026-13-27"}}),
              StartsWith("due_local: "));
}

TEST_F(McpDoorTest, RemindersAreAddedByTheUsersClock) {
  LiveIn("Europe/Berlin");
  const json task = Add("Train", {{"due_local", "2026-10-25T09:00"}});
  const auto remind = [&](json arguments) {
    arguments["id"] = task["id"];
    return Call("remind", arguments)["reminder"];
  };
  EXPECT_EQ(remind({{"at", "2026-10-24T20:00"}})["remind_at"], "2026-10-24T18:00:00Z");
  EXPECT_EQ(remind({{"before", "PT1H"}})["remind_at"], "2026-10-25T07:00:00Z");
  EXPECT_THAT(Advice("remind", {{"id", task["id"]}, {"at", "2026-10-25"}}),
              StartsWith("at: needs a time of day"));
  EXPECT_THAT(Advice("remind", {{"id", task["id"]}}), StartsWith("at: "));
  const json seen = Resource(fmt::format("todo://tasks/{}", task["id"].get<int>()));
  EXPECT_EQ(seen["reminders"].size(), 2u);
}

TEST_F(McpDoorTest, NothingIsDeletedWithoutTheIdAndTheEtagThatWereShown) {
  const json task = Add("Keep me");
  EXPECT_THAT(Advice("delete_task", {{"id", task["id"]}}), StartsWith("etag: must be given"));
  EXPECT_THAT(Advice("delete_task", {{"id", task["id"]}, {"etag", ""}}),
              StartsWith("etag: must not be empty"));
  EXPECT_THAT(Advice("delete_task", {{"id", task["id"]}, {"etag", nullptr}}),
              StartsWith("etag: must be given"));
  EXPECT_THAT(Advice("delete_task", {{"id", task["id"]}, {"etag", "v9"}}), HasSubstr("changed"));
  EXPECT_EQ(Call("find_tasks", json::object())["tasks"].size(), 1u);
  EXPECT_EQ(Call("delete_task", {{"id", task["id"]}, {"etag", task["etag"]}})["task"]["title"],
            "Keep me");
  EXPECT_EQ(Call("find_tasks", json::object())["tasks"].size(), 0u);
}

TEST_F(McpDoorTest, ADeletedTaskIsRestored) {
  const json task = Add("Old notes");
  Call("delete_task", {{"id", task["id"]}, {"etag", task["etag"]}});
  EXPECT_THAT(Advice("complete_task", {{"id", task["id"]}}), HasSubstr("restore_task"));
  EXPECT_EQ(Call("restore_task", {{"id", task["id"]}})["task"]["title"], "Old notes");
  EXPECT_EQ(Call("find_tasks", json::object())["tasks"].size(), 1u);
}

TEST_F(McpDoorTest, ARepeatedChangeIsMadeOnce) {
  const json arguments = {{"title", "Once"}, {"request_id", kRequestId}};
  EXPECT_EQ(Call("add_task", arguments), Call("add_task", arguments));
  EXPECT_EQ(Call("find_tasks", json::object())["tasks"].size(), 1u);
  EXPECT_THAT(Advice("add_task", {{"title", "Twice"}, {"request_id", kRequestId}}),
              HasSubstr("new request_id"));
  EXPECT_THAT(Advice("add_task", {{"title", "x"}, {"request_id", "1"}}),
              StartsWith("request_id: "));
  Add("Without an id");
  Add("Without an id");
  EXPECT_EQ(Call("find_tasks", {{"words", "without"}})["tasks"].size(), 2u);
}

TEST_F(McpDoorTest, TasksOfOthersAreNotThere) {
  const json task = Add("Private");
  for (const auto& [tool, more] :
       std::vector<std::pair<std::string, json>>{{"change_task", {{"title", "Taken"}}},
                                                 {"complete_task", json::object()},
                                                 {"postpone_task", {{"due_local", "2026-10-27"}}},
                                                 {"remind", {{"at", "2026-10-27T09:00"}}},
                                                 {"delete_task", {{"etag", task["etag"]}}}}) {
    json arguments = more;
    arguments["id"] = task["id"];
    const std::string theirs = Advice(tool, arguments, "eve");
    arguments["id"] = 999;
    const std::string id = fmt::format("{}", task["id"].get<int>());
    EXPECT_EQ(absl::StrReplaceAll(Advice(tool, arguments, "eve"), {{"999", id}}), theirs) << tool;
    EXPECT_THAT(theirs, HasSubstr("find_tasks")) << tool;
  }
  EXPECT_EQ(Call("find_tasks", json::object(), "eve")["tasks"].size(), 0u);
  EXPECT_EQ(Call("find_tasks", json::object())["tasks"][0], task);
}

TEST_F(McpDoorTest, ARuleIsPreviewed) {
  const json preview =
      Call("preview_rule",
           {{"recurrence_rule", "FREQ=MONTHLY"}, {"due_local", "2026-10-31"}, {"count", 2}});
  ASSERT_EQ(preview["occurrences"].size(), 2u);
  EXPECT_EQ(preview["occurrences"][0]["due_local"], "2026-12-31");
  EXPECT_THAT(preview["warnings"].dump(), HasSubstr("31"));
  EXPECT_THAT(Advice("preview_rule", {{"recurrence_rule", "often"}, {"due_local", "2026-10-31"}}),
              StartsWith("recurrence_rule: "));
}

TEST_F(McpDoorTest, AMethodThatTheServerLacksIsSaidToBeMissing) {
  EXPECT_THAT(Advice("usage", json::object()), HasSubstr("Tell the user"));
}

// ---- the resources

TEST_F(McpDoorTest, TheListOfTheDayHoldsWhatIsDueAndOverdue) {
  LiveIn("Europe/Berlin");
  Add("Yesterday", {{"due_local", "2026-10-23"}});
  Add("This morning", {{"due_local", "2026-10-24T08:00"}});
  Add("All day", {{"due_local", "2026-10-24"}});
  Add("Tonight", {{"due_local", "2026-10-24T23:59"}});
  Add("Tomorrow", {{"due_local", "2026-10-25"}});
  Add("Some day");
  const json today = Resource("todo://today");
  EXPECT_EQ(today["date"], "2026-10-24");
  const auto titles = [](const json& tasks) {
    std::vector<std::string> all;
    for (const json& task : tasks) all.push_back(task["title"]);
    return all;
  };
  EXPECT_THAT(titles(today["overdue"]), testing::ElementsAre("Yesterday", "This morning"));
  EXPECT_THAT(titles(today["due_today"]), testing::ElementsAre("All day", "Tonight"));
  EXPECT_EQ(Ask("resources/list")["result"]["resources"][0]["uri"], "todo://today");
  EXPECT_EQ(Ask("resources/templates/list")["result"]["resourceTemplates"][0]["uriTemplate"],
            "todo://tasks/{id}");
}

TEST_F(McpDoorTest, ATaskIsAResource) {
  const json task = Add("Read me");
  const std::string uri = fmt::format("todo://tasks/{}", task["id"].get<int>());
  EXPECT_EQ(Resource(uri)["task"], task);
  for (const char* wrong : {"todo://tasks/999", "todo://tasks/", "todo://tasks/1x",
                            "todo://tasks/-1", "todo://tasks/99999999999999999999"}) {
    const json error = Ask("resources/read", {{"uri", wrong}})["error"];
    EXPECT_EQ(error["code"], -32002) << wrong;
    EXPECT_EQ(error["data"]["uri"], wrong);
  }
  EXPECT_EQ(Ask("resources/read", {{"uri", uri}}, "eve")["error"]["code"], -32002);
}

}  // namespace
}  // namespace todo::api
