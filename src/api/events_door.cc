#include "api/events_door.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "api/connect/call_head.h"
#include "api/feed_json.h"
#include "api/http_refusal.h"
#include "api/watch_encoding.h"
#include "api/watch_keeper.h"
#include "util/http_problem.h"
#include "util/status.h"

namespace todo::api {
namespace {

using std::chrono::milliseconds;

/// How long a client waits before it connects again, unless a later event says otherwise.
constexpr milliseconds kReconnectPause{2'000};

absl::Status Malformed(std::string_view text) {
  return util::WithReason(util::MakeStatus(absl::StatusCode::kInvalidArgument, text),
                          "MALFORMED_REQUEST");
}

/// One event. `json` is on one line.
std::string EventText(std::string_view type, std::string_view id, std::string_view json) {
  std::string text = fmt::format("event: {}\n", type);
  if (!id.empty()) text += fmt::format("id: {}\n", id);
  text += fmt::format("data: {}\n\n", json);
  return text;
}

std::string RetryText(milliseconds pause) { return fmt::format("retry: {}\n\n", pause.count()); }

/// The end of a watch at an answer of /events. Belongs to the feed, and keeps the watch: the two
/// part when the feed lets go of the sink, or the client goes.
class EventsSink final : public ports::FeedSink {
 public:
  EventsSink(std::unique_ptr<util::HttpExchange> exchange, UserLimits::Place place,
             std::optional<domain::ChangeCursor> cursor)
      : exchange_(std::move(exchange)), place_(std::move(place)), cursor_(std::move(cursor)) {}

  WatchKeeper& watch() { return watch_; }
  util::HttpExchange& exchange() { return *exchange_; }

  bool Send(const ports::FeedMessage& message) override {
    return Write(EventText(TypeOf(message), IdAfter(message), *JsonOf(message)));
  }
  void OnDrained(std::function<void()> callback) override {
    exchange_->OnDrained(std::move(callback));
  }
  void End(const ports::FeedEnd& end) override { End(StatusOf(end)); }

  /// Ends the answer, which is a refusal when there was no event.
  void End(const absl::Status& status) {
    if (!begun_) {
      exchange_->Respond(RefusalOf(status));
    } else {
      if (!gone_) {
        const auto pause = util::RetryAfterOf(status);
        Write(EventText("error", "", ErrorMessageOf(status).json) +
              (pause ? RetryText(*pause) : ""));
      }
      exchange_->End();
    }
    place_.Return();
  }

 private:
  /// False: the client has gone.
  bool Write(std::string text) {
    if (!std::exchange(begun_, true)) {
      exchange_->Begin({.status = 200,
                        .headers = {{"content-type", "text/event-stream"},
                                    {"cache-control", "no-store"},
                                    {"x-accel-buffering", "no"}}});
      text.insert(0, RetryText(kReconnectPause));
    }
    gone_ = !exchange_->Write(std::move(text));
    return !gone_;
  }

  /// The cursor of a client that has read everything up to and with `message`; empty: it is as
  /// before.
  std::string IdAfter(const ports::FeedMessage& message) const {
    if (const auto* const change =
            std::get_if<std::shared_ptr<const domain::LiveChange>>(&message)) {
      return FormatCursor((*change)->cursor());
    }
    if (const auto* const part = std::get_if<ports::FeedSnapshot>(&message))
      return part->last ? FormatCursor(part->cursor) : "";
    // Changes follow, unless the client has them all.
    const auto* const resumed = std::get_if<ports::FeedResumed>(&message);
    return resumed != nullptr && resumed->head == cursor_ ? FormatCursor(resumed->head) : "";
  }

  const std::unique_ptr<util::HttpExchange> exchange_;
  UserLimits::Place place_;
  const std::optional<domain::ChangeCursor> cursor_;  // that the client came with
  bool begun_ = false;
  bool gone_ = false;
  WatchKeeper watch_;
};

/// What a request asks for.
struct EventsWish {
  std::string ticket;
  WatchWish watch;
};

absl::StatusOr<EventsWish> ReadWish(const util::HttpRequestHead& head) {
  TODO_ASSIGN_OR_RETURN(auto parameters, connect::DecodeQuery(head.query));
  const auto take = [&](std::string_view name) -> absl::StatusOr<std::optional<std::string>> {
    std::optional<std::string> value;
    for (auto& [key, text] : parameters) {
      if (key != name) continue;
      if (value) return Malformed(fmt::format("query: {} is given twice", name));
      value = std::move(text);
    }
    return value;
  };
  EventsWish wish;
  TODO_ASSIGN_OR_RETURN(const std::optional<std::string> ticket, take("ticket"));
  TODO_ASSIGN_OR_RETURN(const std::optional<std::string> scope, take("snapshot"));
  TODO_ASSIGN_OR_RETURN(std::optional<std::string> cursor, take("cursor"));
  if (ticket == "") return Malformed("query: ticket must not be empty");
  wish.ticket = ticket.value_or("");
  if (scope) {
    const std::optional<ports::SnapshotScope> known = ParseSnapshotScope(*scope);
    if (!known) return Malformed("query: snapshot must be all, open or none");
    wish.watch.scope = *known;
  }
  // The browser adds the header when it connects again, with the URL of the first time.
  if (const std::string_view last = head.Find("last-event-id"); !last.empty())
    cursor = std::string(last);
  if (!cursor) return wish;
  wish.watch.cursor = ParseCursor(*cursor);
  if (!wish.watch.cursor)
    return Malformed(
        "the cursor must be the id of an event of this service: <seq>.<event id>, or 0");
  return wish;
}

}  // namespace

util::HttpDecision EventsDoor::Decide(const util::HttpRequestHead& head) {
  if (head.method != "GET") {
    util::HttpResponse response = util::HttpProblem(405, "events are read with GET");
    response.headers.emplace_back("allow", "GET");
    return response;
  }
  if (const absl::Status origin = origins_.Check(head); !origin.ok()) return RefusalOf(origin);
  absl::StatusOr<EventsWish> wish = ReadWish(head);
  if (!wish.ok()) return RefusalOf(wish.status());
  const CallHeaders headers = ReadHeaders([&](std::string_view name) { return head.All(name); });
  absl::StatusOr<ports::Identity> identity =
      admission_.IdentifyWatcher(headers.credentials, wish->ticket);
  if (!identity.ok()) return RefusalOf(identity.status());
  ports::WatchRequest request{.user = identity->user,
                              .cursor = std::move(wish->watch.cursor),
                              .scope = wish->watch.scope,
                              .expiry = identity->expiry};
  return util::HttpAcceptance{
      .holder = identity->user.value,
      .handle = [this, request = std::move(request)](const std::string& /*body*/,
                                                     std::unique_ptr<util::HttpExchange> exchange) {
        Open(request, std::move(exchange));
      }};
}

void EventsDoor::Open(const ports::WatchRequest& request,
                      std::unique_ptr<util::HttpExchange> exchange) const {
  absl::StatusOr<UserLimits::Place> place = admission_.AdmitWatch(request.user);
  if (!place.ok()) return exchange->Respond(RefusalOf(place.status()));
  const auto sink =
      std::make_shared<EventsSink>(std::move(exchange), *std::move(place), request.cursor);
  sink->exchange().OnCancel([weak = std::weak_ptr(sink)] {
    if (const auto gone = weak.lock()) gone->watch().End();
  });
  absl::StatusOr<std::unique_ptr<ports::FeedWatch>> watch = feed_.Watch(request, sink);
  if (!watch.ok()) return sink->End(watch.status());
  sink->watch().Keep(*std::move(watch));
}

}  // namespace todo::api
