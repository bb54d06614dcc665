#include "domain/event/dead_letter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "domain/event/event_reader.h"
#include "domain/task/task.h"
#include "support/status_matchers.h"
#include "util/status.h"
#include "util/utf8.h"

namespace todo::domain {
namespace {

using nlohmann::json;
using support::StatusIs;
using testing::HasSubstr;
using testing::Le;

/// The limit of a broker with default settings for a batch of one record.
constexpr std::size_t kMaxBusBytes = 1'048'588;

BusRecord RecordOf(std::string key, std::string bytes) {
  BusRecord record;
  record.topic = "task-events";
  record.partition = 1;
  record.offset = 7;
  record.key = std::move(key);
  record.content_type = "application/json";
  record.bytes = std::move(bytes);
  return record;
}

DeadLetter Unreadable(const BusRecord& record) {
  const absl::StatusOr<TaskEvent> event = ParseTaskEventRecord(record.bytes);
  EXPECT_THAT(event, StatusIs(absl::StatusCode::kInvalidArgument));
  return UnreadableDeadLetter("recurring-tasks", record, util::FromAbsl(event.status().message()),
                              kMinInstant);
}

/// The record on the dead-letter topic, checked for what every consumer of it needs.
json Travels(const DeadLetter& letter) {
  const std::string text = DeadLetterRecord(letter);
  EXPECT_LT(letter.record.key.size() + text.size(), kMaxDeadLetterBytes);
  EXPECT_TRUE(util::CountCharacters(text).has_value()) << "is UTF-8";
  EXPECT_TRUE(text.starts_with('{'));
  json event = json::parse(text, nullptr, false);
  EXPECT_FALSE(event.is_discarded());
  EXPECT_FALSE(event.at("dlqreason").get<std::string>().empty());
  return event;
}

TEST(DeadLetterRecord, CarriesJsonAsData) {
  const std::string bytes = R"({ "specversion":"1.0", "big":12345678901234567890123 })";
  const DeadLetter letter = Unreadable(RecordOf("ada", bytes));
  EXPECT_THAT(DeadLetterRecord(letter), HasSubstr("\"data\":" + bytes));
  EXPECT_EQ(Travels(letter).count("data_base64"), 0u);
}

TEST(DeadLetterRecord, CarriesOtherBytesAsBase64) {
  // The last one is JSON behind a byte order mark: our parser skips the mark, but other parsers
  // refuse it in the middle of a text.
  for (const std::string bytes : {"{\"cut", "\xff\xfe", "\xef\xbb\xbf{}"}) {
    const json event = Travels(Unreadable(RecordOf("ada", bytes)));
    EXPECT_EQ(event.count("data"), 0u);
    EXPECT_EQ(event.count("data_base64"), 1u);
  }
}

TEST(DeadLetterRecord, LeavesOutARecordThatDoesNotFit) {
  // Not JSON, so a third larger as base64, and the parser's reason quotes what it has read.
  const DeadLetter letter =
      Unreadable(RecordOf("ada", R"({"specversion":"1.0","x":")" + std::string(900'000, 'x')));
  EXPECT_EQ(letter.record.bytes.size(), 900'026u) << "the row keeps it";
  const json event = Travels(letter);
  EXPECT_EQ(event.count("data") + event.count("data_base64"), 0u);
  EXPECT_THAT(event.at("dlqreason").get<std::string>(), HasSubstr("is not JSON"));
  EXPECT_THAT(event.at("dlqreason").get<std::string>(),
              HasSubstr("does not fit the dead-letter topic"));
}

TEST(DeadLetter, KeepsItsTextsShort) {
  const std::string long_text = std::string(999, 'x') + std::string(500'000, '\xc3') + "\xc3\xa4";
  BusRecord record = RecordOf(long_text, "{}");
  record.content_type = long_text;
  ReceivedEvent received;
  received.record = record;
  for (const DeadLetter& letter :
       {UnreadableDeadLetter("c", record, long_text, kMinInstant),
        DeadLetterOf("c", received, 4, kMinInstant, kMinInstant, long_text)}) {
    // A page of 500 of them fits into a message of 4 MiB.
    EXPECT_THAT(letter.reason.size() + letter.record.key.size() + letter.record.content_type.size(),
                Le(6'000u));
  }
}

TEST(DeadLetter, CutsTextsBetweenCharacters) {
  for (std::size_t shift = 0; shift < 4; ++shift) {
    std::string reason(shift, 'x');
    while (reason.size() < 3'000) reason += "\xf0\x9f\x94\xa5";
    const DeadLetter letter = UnreadableDeadLetter("c", RecordOf(reason, ""), reason, kMinInstant);
    EXPECT_TRUE(util::CountCharacters(letter.reason).has_value());
    EXPECT_TRUE(util::CountCharacters(letter.record.key).has_value());
    EXPECT_TRUE(letter.reason.ends_with("…"));
  }
}

// A record that does not fit would stop its shard of the outbox for ever.
TEST(DeadLetterRecord, FitsTheBusWhateverTheRecord) {
  std::mt19937_64 random(4);  // NOLINT(cert-msc51-cpp): the same on every run
  const auto up_to = [&random](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit)(random);
  };
  const auto bytes = [&](std::size_t size, std::string_view filling) {
    std::string text(size, ' ');
    for (std::size_t i = 0; i < size; ++i)
      text[i] = filling.empty() ? static_cast<char>(random()) : filling[i % filling.size()];
    return text;
  };
  const std::vector<std::string> fillings = {"", "x", "\x01", "\"\\", "\xc3", "[", "9", "ä"};
  using Build = std::function<std::string(const std::string&)>;
  const std::vector<Build> forms = {
      [](const std::string& text) { return text; },
      [](const std::string& text) { return "\xef\xbb\xbf" + text; },
      [](const std::string& text) { return "{\"specversion\":\"1.0\",\"x\":\"" + text; },
      [](const std::string& text) { return "{\"specversion\":\"" + text + "\"}"; },
      [](const std::string& text) { return "{\"specversion\":" + text + "}"; },
      [](const std::string& text) { return "{\"" + text + "\":1}"; },
      [](const std::string& text) {
        return R"({"specversion":"1.0","data":{"id":")" + text + "\"}}";
      },
      [](const std::string& text) {
        return R"({"specversion":"1.0","data":{},"datacontenttype":")" + text + "\"}";
      }};
  for (std::size_t form = 0; form < forms.size(); ++form) {
    const std::size_t room = kMaxBusBytes - forms[form]("").size();
    for (const std::size_t key_size : {std::size_t{0}, up_to(room), room}) {
      const std::string& filling = fillings[up_to(fillings.size() - 1)];
      const BusRecord record =
          RecordOf(bytes(key_size, filling), forms[form](bytes(room - key_size, filling)));
      SCOPED_TRACE(record.bytes.substr(0, 60));
      Travels(Unreadable(record));
    }
    for (const std::string& filling : fillings)
      Travels(Unreadable(RecordOf("", forms[form](filling))));
  }
}

}  // namespace
}  // namespace todo::domain
