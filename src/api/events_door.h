#pragma once

#include "api/admission.h"
#include "ports/change_feed.h"
#include "util/http_exchange.h"

namespace todo::api {

/// The path /events: the changes of a user as Server-Sent Events (docs/live.md), for EventSource
/// and for curl. The caller is known by a header, or by the ticket in the query. Thread safety: as
/// HttpHandler.
class EventsDoor final : public util::HttpHandler {
 public:
  /// `admission` and `feed` must outlive the door and every answer.
  EventsDoor(const Admission& admission, ports::ChangeFeed& feed)
      : admission_(admission), feed_(feed) {}

  util::HttpDecision Decide(const util::HttpRequestHead& head) override;

 private:
  void Open(const ports::WatchRequest& request, std::unique_ptr<util::HttpExchange> exchange) const;

  const Admission& admission_;
  ports::ChangeFeed& feed_;
};

}  // namespace todo::api
