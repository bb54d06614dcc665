#include "api/watch_methods.h"

#include <functional>
#include <memory>
#include <utility>

#include "api/request_parts.h"
#include "api/watch_encoding.h"
#include "api/watch_keeper.h"
#include "todo/v1/todo_service.pb.h"
#include "util/status.h"

namespace todo::api {
namespace {

/// The end of a watch at a stream. Belongs to the feed, and keeps the watch: the two part when the
/// feed lets go of the sink, or the caller goes.
class StreamSink final : public ports::FeedSink {
 public:
  explicit StreamSink(std::shared_ptr<ResponseStream> stream) : stream_(std::move(stream)) {}

  WatchKeeper& watch() { return watch_; }

  bool Send(const ports::FeedMessage& message) override {
    const absl::StatusOr<v1::WatchTasksResponse> encoded = EncodeFeedMessage(message);
    if (encoded.ok()) return stream_->Send(*encoded);
    stream_->Finish(encoded.status());
    return false;
  }
  void OnDrained(std::function<void()> callback) override {
    stream_->OnDrained(std::move(callback));
  }
  void End(const ports::FeedEnd& end) override { stream_->Finish(StatusOf(end)); }

 private:
  const std::shared_ptr<ResponseStream> stream_;
  WatchKeeper watch_;
};

absl::Status WatchTasks(ports::ChangeFeed& feed, const Caller& caller,
                        const v1::WatchTasksRequest& request,
                        const std::shared_ptr<ResponseStream>& stream) {
  TODO_ASSIGN_OR_RETURN(WatchWish wish, DecodeWatchTasks(request));
  const auto sink = std::make_shared<StreamSink>(stream);
  stream->OnCancel([weak = std::weak_ptr(sink)] {
    if (const auto gone = weak.lock()) gone->watch().End();
  });
  // The expiry of the identity is the stream's affair.
  TODO_ASSIGN_OR_RETURN(std::unique_ptr<ports::FeedWatch> watch,
                        feed.Watch({.user = caller.identity.user,
                                    .cursor = std::move(wish.cursor),
                                    .scope = wish.scope,
                                    .expiry = std::nullopt},
                                   sink));
  sink->watch().Keep(std::move(watch));
  return absl::OkStatus();
}

}  // namespace

MethodDefinition WatchTasksMethod(ports::ChangeFeed& feed) {
  return ServerStreaming<v1::WatchTasksRequest, v1::WatchTasksResponse>(
      "WatchTasks", [&feed](const Caller& caller, const v1::WatchTasksRequest& request,
                            const std::shared_ptr<ResponseStream>& stream) {
        return WatchTasks(feed, caller, request, stream);
      });
}

MethodDefinition CreateWatchTicketMethod(const ports::WatchTickets& tickets) {
  return Unary<v1::CreateWatchTicketRequest, v1::CreateWatchTicketResponse>(
      "CreateWatchTicket",
      [&tickets](const Caller& caller, const v1::CreateWatchTicketRequest& /*request*/)
          -> absl::StatusOr<v1::CreateWatchTicketResponse> {
        TODO_ASSIGN_OR_RETURN(ports::WatchTickets::Ticket ticket, tickets.Make(caller.identity));
        v1::CreateWatchTicketResponse response;
        response.set_ticket(std::move(ticket.text));
        *response.mutable_expire_time() = EncodeInstant(ticket.expires_at);
        return response;
      });
}

}  // namespace todo::api
