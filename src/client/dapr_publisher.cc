#include "client/dapr_publisher.h"

#include <fmt/format.h>

#include <utility>

#include "client/grpc_status.h"
#include "util/span.h"
#include "util/status.h"
#include "util/trace_context.h"

namespace todo::client {
namespace {

namespace runtime = dapr::proto::runtime::v1;

constexpr char kContentType[] = "application/cloudevents+json";
constexpr char kRawPayload[] = "rawPayload";
constexpr char kPartitionKey[] = "partitionKey";
constexpr std::size_t kMaxQuotedErrorBytes = 300;

absl::Status FromFailedEntries(const runtime::BulkPublishResponse& response) {
  if (response.failedentries().empty()) return absl::OkStatus();
  const auto& first = response.failedentries(0);
  return absl::InternalError(fmt::format("{} entries failed, first {}: {}",
                                         response.failedentries_size(), first.entry_id(),
                                         first.error().substr(0, kMaxQuotedErrorBytes)));
}

}  // namespace

/// One Publish. Owned by the callback of its call in flight; deletes itself after `done`.
class DaprPublisher::Call {
 public:
  Call(DaprPublisher& publisher, std::string_view topic, std::vector<ports::OutgoingEvent> events,
       std::function<void(absl::Status)> done)
      : publisher_(publisher), topic_(topic), events_(std::move(events)), done_(std::move(done)) {}

  /// Sends the next piece, or ends the call when there is none.
  void SendNext() {
    if (sent_ == events_.size()) return Finish(absl::OkStatus());
    if (publisher_.options_.bulk) {
      BuildBulkRequest();
      // Not inside the call's argument: the lock would be held until SendBulk returns.
      const bool alpha1 = publisher_.state_.Lock()->use_alpha1;
      SendBulk(alpha1);
    } else {
      SendSingle();
    }
  }

  /// To be called by the destructor of the publisher only, for a call in `running`.
  std::shared_ptr<grpc::ClientContext> context() const { return context_; }

 private:
  void BuildBulkRequest() {
    bulk_request_.Clear();
    bulk_request_.set_pubsub_name(publisher_.options_.pubsub_name);
    bulk_request_.set_topic(topic_);
    (*bulk_request_.mutable_metadata())[kRawPayload] = "true";
    std::size_t bytes = 0;
    std::set<std::string> ids;
    for (; sent_ < events_.size(); ++sent_) {
      ports::OutgoingEvent& event = events_[sent_];
      bytes += event.payload.size() + event.key.size();
      if (bulk_request_.entries_size() > 0 && bytes > publisher_.options_.max_call_bytes) break;
      // The sidecar refuses a request that names an entry twice.
      if (!ids.insert(event.entry_id).second) break;
      auto& entry = *bulk_request_.add_entries();
      entry.set_entry_id(std::move(event.entry_id));
      entry.set_event(std::move(event.payload));
      entry.set_content_type(kContentType);
      // Not in the metadata of the request: that would win over every entry's own.
      (*entry.mutable_metadata())[kPartitionKey] = std::move(event.key);
    }
  }

  void SendBulk(bool alpha1) {
    if (!Open()) return Finish(absl::CancelledError("shutting down"));
    bulk_response_.Clear();
    auto on_answer = [this, alpha1](const grpc::Status& status) { OnBulkAnswer(alpha1, status); };
    auto* async = publisher_.client_.stub().async();
    if (alpha1) {
      async->BulkPublishEventAlpha1(context_.get(), &bulk_request_, &bulk_response_,
                                    std::move(on_answer));
    } else {
      async->BulkPublishEvent(context_.get(), &bulk_request_, &bulk_response_,
                              std::move(on_answer));
    }
  }

  void OnBulkAnswer(bool alpha1, const grpc::Status& status) {
    Close();
    if (IsUnknownMethod(status) && !other_name_tried_) {
      other_name_tried_ = true;
      return SendBulk(!alpha1);
    }
    if (!status.ok()) return Finish(FromGrpc(status));
    if (other_name_tried_) publisher_.state_.Lock()->use_alpha1 = alpha1;
    other_name_tried_ = false;
    if (absl::Status failed = FromFailedEntries(bulk_response_); !failed.ok())
      return Finish(failed);
    SendNext();
  }

  void SendSingle() {
    ports::OutgoingEvent& event = events_[sent_++];
    single_request_.Clear();
    single_request_.set_pubsub_name(publisher_.options_.pubsub_name);
    single_request_.set_topic(topic_);
    single_request_.set_data(std::move(event.payload));
    single_request_.set_data_content_type(kContentType);
    (*single_request_.mutable_metadata())[kRawPayload] = "true";
    (*single_request_.mutable_metadata())[kPartitionKey] = std::move(event.key);
    if (!Open()) return Finish(absl::CancelledError("shutting down"));
    publisher_.client_.stub().async()->PublishEvent(
        context_.get(), &single_request_, &empty_, [this](const grpc::Status& status) {
          Close();
          status.ok() ? SendNext() : Finish(FromGrpc(status));
        });
  }

  /// Makes the context of the next call, which the destructor may cancel from now on. False: the
  /// destructor has begun.
  bool Open() {
    const util::WithTrace trace(trace_);  // later pieces are sent by threads of gRPC
    std::shared_ptr<grpc::ClientContext> context =
        publisher_.client_.NewContext(publisher_.options_.timeout);
    auto state = publisher_.state_.Lock();
    if (state->closed) return false;
    context_.swap(context);
    state->running.insert(this);
    return true;
  }
  void Close() { publisher_.state_.Lock()->running.erase(this); }

  void Finish(absl::Status status) {
    DaprPublisher& publisher = publisher_;
    done_(util::Annotate(status, fmt::format("dapr: publish to {}", topic_)));
    delete this;
    auto state = publisher.state_.Lock();
    // Notifies with the lock held: once the lock is free, the publisher may be gone.
    if (--state->open_count == 0) publisher.none_open_.notify_all();
  }

  DaprPublisher& publisher_;
  const std::string topic_;
  std::vector<ports::OutgoingEvent> events_;
  std::function<void(absl::Status)> done_;
  const util::TraceContext trace_ = util::CurrentTrace();
  std::size_t sent_ = 0;  // events moved into requests
  bool other_name_tried_ = false;
  std::shared_ptr<grpc::ClientContext> context_;
  runtime::BulkPublishRequest bulk_request_;
  runtime::BulkPublishResponse bulk_response_;
  runtime::PublishEventRequest single_request_;
  google::protobuf::Empty empty_;
};

DaprPublisher::DaprPublisher(DaprClient& client, Options options)
    : client_(client), options_(std::move(options)) {}

DaprPublisher::~DaprPublisher() {
  std::vector<std::shared_ptr<grpc::ClientContext>> contexts;
  {
    auto state = state_.Lock();
    state->closed = true;
    for (const Call* call : state->running) contexts.push_back(call->context());
  }
  for (const auto& context : contexts) context->TryCancel();
  auto state = state_.Lock();
  none_open_.wait(state.lock(), [&] { return state->open_count == 0; });
}

void DaprPublisher::Publish(std::string_view topic, std::vector<ports::OutgoingEvent> events,
                            std::function<void(absl::Status)> done) {
  ++state_.Lock()->open_count;
  (new Call(*this, topic, std::move(events), std::move(done)))->SendNext();
}

}  // namespace todo::client
