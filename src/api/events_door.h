#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/admission.h"
#include "api/origin_rule.h"
#include "ports/change_feed.h"
#include "util/http_exchange.h"

namespace todo::api {

/// The path /events: the changes of a user as Server-Sent Events (docs/live.md), for EventSource
/// and for curl. The caller is known by a header, or by the ticket in the query. Pages of other
/// origins than the allowed ones get 403. Thread safety: as HttpHandler.
class EventsDoor final : public util::HttpHandler {
 public:
  /// `admission` and `feed` must outlive the door and every answer. `allowed_origins`: of pages
  /// that may watch, besides the server's own.
  EventsDoor(const Admission& admission, ports::ChangeFeed& feed,
             std::vector<std::string> allowed_origins)
      : origins_(std::move(allowed_origins)), admission_(admission), feed_(feed) {}

  util::HttpDecision Decide(const util::HttpRequestHead& head) override;

 private:
  void Open(const ports::WatchRequest& request, std::unique_ptr<util::HttpExchange> exchange) const;

  const OriginRule origins_;
  const Admission& admission_;
  ports::ChangeFeed& feed_;
};

}  // namespace todo::api
