#include "telemetry/span_exporter.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "util/span.h"
#include "util/status.h"

namespace todo::telemetry {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

/// A collector whose answers the test decides.
class Collector {
 public:
  Sender sender() {
    return [this](const std::string& body, std::chrono::milliseconds) { return Receive(body); };
  }
  void Answer(absl::StatusOr<std::uint64_t> answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  /// While it is closed, requests hang.
  void SetOpen(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    changed_.notify_all();
  }
  bool AwaitRequests(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 30s, [&] { return requests_.size() >= count; });
  }
  std::vector<std::string> NamesOfSpans() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (const std::string& body : requests_) {
      const json request = json::parse(body);
      for (const json& span : request["resourceSpans"][0]["scopeSpans"][0]["spans"])
        names.push_back(span["name"]);
    }
    return names;
  }

 private:
  absl::StatusOr<std::uint64_t> Receive(const std::string& body) {
    std::unique_lock lock(mutex_);
    requests_.push_back(body);
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    return answer_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  absl::StatusOr<std::uint64_t> answer_ = std::uint64_t{0};
  std::vector<std::string> requests_;
};

SpanExporter::Options Quick() {
  SpanExporter::Options options;
  options.gathering_time = 1ms;
  options.first_backoff = options.last_backoff = 1ms;
  return options;
}

util::SpanRecord Named(std::string name) {
  util::SpanRecord record;
  record.name = std::move(name);
  return record;
}

bool Await(const SpanExporter& exporter, std::uint64_t exported, std::uint64_t dropped) {
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (std::chrono::steady_clock::now() < deadline) {
    const ExportStats stats = exporter.stats();
    if (stats.exported == exported && stats.dropped == dropped) return true;
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

TEST(SpanExporter, BringsSpansToTheCollector) {
  Collector collector;
  SpanExporter exporter(Quick(), collector.sender());
  exporter.Take(Named("one"));
  EXPECT_TRUE(Await(exporter, 1, 0));
  EXPECT_EQ(collector.NamesOfSpans(), std::vector<std::string>{"one"});
}

TEST(SpanExporter, SendsWhatIsLeftAtTheEnd) {
  Collector collector;
  {
    SpanExporter::Options options = Quick();
    options.gathering_time = 1h;
    options.batch_limit = 2;
    SpanExporter exporter(options, collector.sender());
    for (const char* name : {"a", "b", "c"}) exporter.Take(Named(name));
  }
  EXPECT_EQ(collector.NamesOfSpans(), (std::vector<std::string>{"a", "b", "c"}));
}

TEST(SpanExporter, DropsAndCountsWhatDoesNotFit) {
  Collector collector;
  collector.SetOpen(false);
  SpanExporter::Options options = Quick();
  options.queue_limit = 2;
  SpanExporter exporter(options, collector.sender());
  exporter.Take(Named("in the request"));
  ASSERT_TRUE(collector.AwaitRequests(1));
  for (const char* name : {"queued", "queued", "too many"}) exporter.Take(Named(name));
  EXPECT_EQ(exporter.stats().dropped, 1u);
  collector.SetOpen(true);
  EXPECT_TRUE(Await(exporter, 3, 1));
}

TEST(SpanExporter, TriesAgainWhileTheCollectorIsAwayThenDrops) {
  Collector collector;
  collector.Answer(absl::UnavailableError("away"));
  SpanExporter::Options options = Quick();
  options.attempts = 3;
  SpanExporter exporter(options, collector.sender());
  exporter.Take(Named("lost"));
  EXPECT_TRUE(Await(exporter, 0, 1));
  EXPECT_EQ(collector.NamesOfSpans().size(), 3u);
  collector.Answer(std::uint64_t{0});
  exporter.Take(Named("kept"));
  EXPECT_TRUE(Await(exporter, 1, 1));
}

TEST(SpanExporter, DoesNotRepeatWhatTheCollectorCannotTake) {
  Collector collector;
  collector.Answer(absl::FailedPreconditionError("HTTP 400"));
  SpanExporter exporter(Quick(), collector.sender());
  exporter.Take(Named("bad"));
  EXPECT_TRUE(Await(exporter, 0, 1));
  EXPECT_EQ(collector.NamesOfSpans().size(), 1u);
}

TEST(SpanExporter, CountsSpansThatTheCollectorRefused) {
  Collector collector;
  collector.Answer(std::uint64_t{1});
  SpanExporter exporter(Quick(), collector.sender());
  exporter.Take(Named("refused"));
  EXPECT_TRUE(Await(exporter, 0, 1));
}

TEST(SpanExporter, EndsInTimeWithoutACollector) {
  Collector collector;
  collector.Answer(absl::UnavailableError("away"));
  SpanExporter::Options options = Quick();
  options.first_backoff = options.last_backoff = 1h;
  SpanExporter exporter(options, collector.sender());
  exporter.Take(Named("lost"));
  EXPECT_TRUE(collector.AwaitRequests(1));
}  // the destructor must not wait for the back-off: the test would run out of time

}  // namespace
}  // namespace todo::telemetry
