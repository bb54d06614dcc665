#include "util/log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "util/log_level.h"

namespace todo::util {
namespace {

class LogTest : public testing::Test {
 protected:
  void SetUp() override { testing::internal::CaptureStderr(); }
  void TearDown() override { SetLogThreshold(Severity::kInfo); }

  /// What was logged so far; call it once.
  static std::vector<std::string> Lines() {
    std::vector<std::string> lines;
    const std::string text = testing::internal::GetCapturedStderr();
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = text.find('\n', begin);
      if (end == std::string::npos) {
        ADD_FAILURE() << "a line without an end: " << text.substr(begin);
        break;
      }
      lines.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return lines;
  }
};

TEST_F(LogTest, WritesOneJsonObjectOnOneLine) {
  Log(Severity::kWarning, "relay_failing",
      {{"shard", 3}, {"error", "two\nlines and a \"quote\""}, {"late", true}});
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 1u);
  const auto line = nlohmann::json::parse(lines[0]);
  EXPECT_EQ(line["event"], "relay_failing");
  EXPECT_EQ(line["severity"], "warning");
  EXPECT_EQ(line["shard"], 3);
  EXPECT_EQ(line["error"], "two\nlines and a \"quote\"");
  EXPECT_EQ(line["late"], true);
  const std::string time = line["time"];
  ASSERT_EQ(time.size(), std::string("2026-01-02T03:04:05.123456Z").size());
  EXPECT_EQ(time.back(), 'Z');
  EXPECT_EQ(lines[0].find("{\"time\":"), 0u) << "time, severity and event come first";
}

TEST_F(LogTest, BytesThatAreNotUtf8AreReplaced) {
  Log(Severity::kError, "bad\xff", {{"ke\xffy", "\xc3("}, {"cut", "\xe2\x82"}});
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 1u);
  const auto line = nlohmann::json::parse(lines[0]);
  EXPECT_EQ(line["event"], "bad\ufffd");
  EXPECT_EQ(line["ke\ufffdy"], "\ufffd(");
}

TEST_F(LogTest, BracesInTextsAreNoFormat) {
  Log(Severity::kInfo, "format", {{"text", "{} {0} %v"}});
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(nlohmann::json::parse(lines[0])["text"], "{} {0} %v");
}

TEST_F(LogTest, DropsWhatIsBelowTheThreshold) {
  Log(Severity::kDebug, "by_default_not_seen");
  SetLogThreshold(Severity::kWarning);
  Log(Severity::kInfo, "not_seen");
  Log(Severity::kWarning, "seen");
  SetLogThreshold(Severity::kDebug);
  Log(Severity::kDebug, "seen_too");
  std::vector<std::string> events;
  for (const std::string& line : Lines()) events.push_back(nlohmann::json::parse(line)["event"]);
  EXPECT_EQ(events, (std::vector<std::string>{"seen", "seen_too"}));
}

TEST_F(LogTest, AThresholdForAWhileFallsBack) {
  SetLogThreshold(Severity::kWarning);
  SetLogThresholdFor(Severity::kDebug, std::chrono::hours(1));
  EXPECT_EQ(SettledLogThreshold(), Severity::kWarning);
  Log(Severity::kDebug, "seen");
  SetLogThresholdFor(Severity::kDebug, std::chrono::seconds(0));
  Log(Severity::kInfo, "not_seen");
  SetLogThresholdFor(Severity::kError, std::chrono::seconds(0));
  Log(Severity::kWarning, "seen_too");
  SetLogThresholdFor(Severity::kDebug, std::chrono::hours(1));
  SetLogThreshold(Severity::kError);
  Log(Severity::kWarning, "not_seen");
  std::vector<std::string> events;
  for (const std::string& line : Lines()) events.push_back(nlohmann::json::parse(line)["event"]);
  EXPECT_EQ(events, (std::vector<std::string>{"seen", "seen_too"}));
}

TEST_F(LogTest, LinesOfManyThreadsStayWhole) {
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([i] {
        for (int n = 0; n < 50; ++n) {
          Log(Severity::kInfo, "line", {{"from", i}, {"text", std::string(300, 'x')}});
        }
      });
    }
  }
  const std::vector<std::string> lines = Lines();
  EXPECT_EQ(lines.size(), 200u);
  EXPECT_TRUE(std::ranges::all_of(
      lines, [](const std::string& line) { return nlohmann::json::accept(line); }));
}

}  // namespace
}  // namespace todo::util
