#include "api/feed_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "api/socket_messages.h"
#include "fake_feed.h"
#include "support/status_matchers.h"
#include "util/status.h"

namespace todo::api {
namespace {

using nlohmann::json;
using support::HasReason;
using support::IsOk;
using support::StatusIs;
using testing::AllOf;
using namespace std::chrono_literals;

json Parsed(const ports::FeedMessage& message) {
  const std::string text = *JsonOf(message);
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  const json parsed = json::parse(text);
  EXPECT_EQ(parsed["type"], TypeOf(message));
  return parsed;
}

TEST(FeedJson, EveryKindOfMessage) {
  const std::string id = CursorOf(5).event_id.value();
  EXPECT_EQ(Parsed(ports::FeedResumed{CursorOf(5)}),
            json({{"type", "resumed"}, {"seq", 5}, {"event_id", id}}));
  EXPECT_EQ(Parsed(ports::FeedHead{}), json({{"type", "ping"}, {"seq", 0}, {"event_id", nullptr}}));
  EXPECT_EQ(Parsed(ports::FeedResync{ports::FeedResync::Reason::kTooFarBehind}),
            json({{"type", "resync"}, {"reason", "TOO_FAR_BEHIND"}}));
  const domain::Instant at = *domain::ParseInstant("2026-10-24T09:00:00.5Z");
  EXPECT_EQ(Parsed(ports::FeedNotification{CursorOf(9).event_id.uuid, domain::TaskId{7}, at}),
            json({{"type", "notification"},
                  {"notification_id", CursorOf(9).event_id.value()},
                  {"task_id", 7},
                  {"timestamp", "2026-10-24T09:00:00.500Z"}}));
  EXPECT_EQ(Parsed(ports::FeedNotification{CursorOf(9).event_id.uuid, {}, at})["task_id"], nullptr);
  EXPECT_EQ(Parsed(ChangeOfFeed(5, "ada"))["event_id"], id);

  const json snapshot = Parsed(ports::FeedSnapshot{
      .tasks = {TaskOfFeed(1, "ada", "one \"quoted\"\n"), TaskOfFeed(2, "ada", "two")},
      .last = true,
      .cursor = CursorOf(5)});
  EXPECT_EQ(snapshot["seq"], 5);
  EXPECT_EQ(snapshot["event_id"], id);
  EXPECT_EQ(snapshot["last"], true);
  ASSERT_EQ(snapshot["tasks"].size(), 2u);
  EXPECT_EQ(snapshot["tasks"][0]["title"], "one \"quoted\"\n");
  EXPECT_EQ(Parsed(ports::FeedSnapshot{}), json({{"type", "snapshot"},
                                                 {"seq", 0},
                                                 {"event_id", nullptr},
                                                 {"tasks", json::array()},
                                                 {"last", false}}));
}

TEST(FeedJson, ErrorsAreThoseOfTheApi) {
  const absl::Status status =
      util::WithReason(absl::UnavailableError("say \"no\" \xff"), "SERVER_STOPPING");
  EXPECT_EQ(json::parse(ErrorMessageOf(status).json), json({{"type", "error"},
                                                            {"code", "SERVER_STOPPING"},
                                                            {"message", "say \"no\" ?"},
                                                            {"retry_after_ms", 1'000}}));
  EXPECT_EQ(
      json::parse(ErrorMessageOf(util::WithRetryAfter(status, 1'234ms)).json)["retry_after_ms"],
      1'234);
  const ErrorMessage internal = ErrorMessageOf(absl::InternalError("secret"));
  EXPECT_EQ(internal.reason, "INTERNAL");
  EXPECT_EQ(json::parse(internal.json),
            json({{"type", "error"}, {"code", "INTERNAL"}, {"message", "internal error"}}));
}

TEST(FeedJson, ATokenThatNeverExpiresHasNoTime) {
  EXPECT_EQ(TokenAcceptedJson(std::nullopt), R"({"type":"token_accepted"})");
}

TEST(FeedJson, CursorsAsText) {
  for (const domain::ChangeCursor& cursor :
       {domain::ChangeCursor(), CursorOf(1), CursorOf(1L << 62)})
    EXPECT_EQ(ParseCursor(FormatCursor(cursor)), cursor);
  for (const char* text :
       {"", "5", "5.", ".", "00.", "0.00000000-0000-0000-0000-000000000000",
        "5.00000000-0000-7000-8000-00000000000", "+5.00000000-0000-7000-8000-000000000005"})
    EXPECT_EQ(ParseCursor(text), std::nullopt) << text;
}

TEST(SocketMessages, MalformedOnesAreRefusedWithoutAQuote) {
  const std::string id = CursorOf(5).event_id.value();
  const std::string deep = std::string(10'000, '[') + std::string(10'000, ']');
  for (const std::string& text : std::vector<std::string>{
           "",
           "null",
           "[]",
           "\"hello\"",
           "{",
           "{}",
           R"({"type":7})",
           R"({"type":"bye"})",
           R"({"type":"hello","type":"hello"})",
           "{\"type\":\"hello\"} x",
           "\xEF\xBB\xBF{\"type\":\"hello\"}",
           R"({"type":"hello","color":"secret"})",
           R"({"type":"hello","token":7})",
           R"({"type":"hello","token":null})",
           R"({"type":"hello","ticket":""})",
           R"({"type":"hello","ticket":"a","token":"b"})",
           R"({"type":"hello","ticket":"a","user_id":"b"})",
           R"({"type":"hello","snapshot":"few"})",
           R"({"type":"hello","seq":5})",
           R"({"type":"hello","event_id":null})",
           R"({"type":"hello","seq":5,"event_id":null})",
           R"({"type":"hello","seq":5,"event_id":"x"})",
           R"({"type":"hello","seq":"5","event_id":")" + id + "\"}",
           R"({"type":"hello","seq":-5,"event_id":")" + id + "\"}",
           R"({"type":"hello","seq":5.0,"event_id":")" + id + "\"}",
           R"({"type":"hello","seq":0,"event_id":")" + id + "\"}",
           R"({"type":"hello","seq":9223372036854775808,"event_id":")" + id + "\"}",
           R"({"type":"token"})",
           R"({"type":"token","token":"a","seq":1})",
           R"({"type":"hello","token":)" + deep + "}"}) {
    const absl::Status status = ParseSocketMessage(text).status();
    EXPECT_THAT(status,
                AllOf(StatusIs(absl::StatusCode::kInvalidArgument), HasReason("MALFORMED_MESSAGE")))
        << text;
    EXPECT_EQ(std::string(status.message()).find("secret"), std::string::npos);
  }
}

TEST(SocketMessages, WhiteSpaceAndEscapesAreFine) {
  const auto message = ParseSocketMessage(" { \"type\" : \"h\\u0065llo\",\n\"token\":\"a\" }\n");
  ASSERT_THAT(message.status(), IsOk());
  EXPECT_EQ(std::get<HelloMessage>(*message).token, "a");
}

}  // namespace
}  // namespace todo::api
