#include "api/feed_json.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>
#include <variant>

#include "api/status_encoding.h"
#include "domain/event/event_writer.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "util/require.h"

namespace todo::api {
namespace {

using domain::ChangeCursor;

/// `text` as a JSON string. Bytes that are not UTF-8 are replaced.
std::string Quoted(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// The members `seq` and `event_id`.
std::string CursorMembers(const ChangeCursor& cursor) {
  if (cursor.seq == 0) return R"("seq":0,"event_id":null)";
  return fmt::format(R"("seq":{},"event_id":"{}")", cursor.seq, cursor.event_id.value());
}

std::string SnapshotJson(const ports::FeedSnapshot& snapshot) {
  std::string json =
      fmt::format(R"({{"type":"snapshot",{},"tasks":[)", CursorMembers(snapshot.cursor));
  for (std::size_t i = 0; i < snapshot.tasks.size(); ++i) {
    if (i > 0) json += ',';
    json += domain::FormatTaskJson(snapshot.tasks[i]);
  }
  json += fmt::format(R"(],"last":{}}})", snapshot.last);
  return json;
}

std::string NotificationJson(const ports::FeedNotification& notification) {
  return fmt::format(
      R"({{"type":"notification","notification_id":"{}","task_id":{},"timestamp":"{}"}})",
      notification.notification_id.value(),
      notification.task_id ? fmt::format("{}", notification.task_id->value) : "null",
      domain::FormatInstant(notification.at));
}

struct Writer {
  std::shared_ptr<const std::string> operator()(const ports::FeedResumed& resumed) const {
    return Own(fmt::format(R"({{"type":"resumed",{}}})", CursorMembers(resumed.head)));
  }
  std::shared_ptr<const std::string> operator()(const ports::FeedResync& resync) const {
    return Own(fmt::format(R"({{"type":"resync","reason":"{}"}})", ToString(resync.reason)));
  }
  std::shared_ptr<const std::string> operator()(const ports::FeedSnapshot& snapshot) const {
    return Own(SnapshotJson(snapshot));
  }
  std::shared_ptr<const std::string> operator()(
      const std::shared_ptr<const domain::LiveChange>& change) const {
    return change->json();
  }
  std::shared_ptr<const std::string> operator()(const ports::FeedNotification& note) const {
    return Own(NotificationJson(note));
  }
  std::shared_ptr<const std::string> operator()(const ports::FeedHead& head) const {
    return Own(fmt::format(R"({{"type":"ping",{}}})", CursorMembers(head.head)));
  }
  std::shared_ptr<const std::string> operator()(const ports::FeedAlive&) const {
    return Own(R"({"type":"ping"})");
  }

 private:
  static std::shared_ptr<const std::string> Own(std::string json) {
    return std::make_shared<const std::string>(std::move(json));
  }
};

struct Names {
  std::string_view operator()(const ports::FeedResumed&) const { return "resumed"; }
  std::string_view operator()(const ports::FeedResync&) const { return "resync"; }
  std::string_view operator()(const ports::FeedSnapshot&) const { return "snapshot"; }
  std::string_view operator()(const std::shared_ptr<const domain::LiveChange>&) const {
    return "update";
  }
  std::string_view operator()(const ports::FeedNotification&) const { return "notification"; }
  std::string_view operator()(const ports::FeedHead&) const { return "ping"; }
  std::string_view operator()(const ports::FeedAlive&) const { return "ping"; }
};

std::optional<std::int64_t> ParseSeq(std::string_view text) {
  std::int64_t seq = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, seq);
  if (error != std::errc() || stop != end || seq < 0) return std::nullopt;
  return seq;
}

}  // namespace

std::string_view TypeOf(const ports::FeedMessage& message) { return std::visit(Names(), message); }

std::shared_ptr<const std::string> JsonOf(const ports::FeedMessage& message) {
  return std::visit(Writer(), message);
}

ErrorMessage ErrorMessageOf(const absl::Status& status) {
  TODO_REQUIRE(!status.ok());
  const google::rpc::Status rich = EncodeStatus(status);
  google::rpc::ErrorInfo info;
  google::rpc::RetryInfo retry;
  std::string pause;
  for (const google::protobuf::Any& detail : rich.details()) {
    if (detail.Is<google::rpc::ErrorInfo>()) detail.UnpackTo(&info);
    if (!detail.UnpackTo(&retry)) continue;
    const auto& delay = retry.retry_delay();
    pause =
        fmt::format(R"(,"retry_after_ms":{})", delay.seconds() * 1'000 + delay.nanos() / 1'000'000);
  }
  return {.json = fmt::format(R"({{"type":"error","code":{},"message":{}{}}})",
                              Quoted(info.reason()), Quoted(rich.message()), pause),
          .reason = info.reason()};
}

std::string TokenAcceptedJson(std::optional<domain::Instant> expires_at) {
  if (!expires_at) return R"({"type":"token_accepted"})";
  return fmt::format(R"({{"type":"token_accepted","expires_at":"{}"}})",
                     domain::FormatInstant(*expires_at));
}

std::optional<ChangeCursor> ParseCursor(std::string_view text) {
  if (text == "0") return ChangeCursor();
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::optional<std::int64_t> seq = ParseSeq(text.substr(0, dot));
  std::optional<domain::Uuid> event_id = domain::Uuid::Parse(text.substr(dot + 1));
  if (!seq || *seq == 0 || !event_id) return std::nullopt;
  return ChangeCursor{.seq = *seq, .event_id = {*std::move(event_id)}};
}

std::string FormatCursor(const ChangeCursor& cursor) {
  return cursor.seq == 0 ? "0" : fmt::format("{}.{}", cursor.seq, cursor.event_id.value());
}

std::optional<ports::SnapshotScope> ParseSnapshotScope(std::string_view text) {
  if (text == "all") return ports::SnapshotScope::kAll;
  if (text == "open") return ports::SnapshotScope::kOpen;
  if (text == "none") return ports::SnapshotScope::kNone;
  return std::nullopt;
}

}  // namespace todo::api
