#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "api/connect/call_head.h"
#include "google/protobuf/message.h"
#include "google/rpc/status.pb.h"
#include "util/guarded.h"
#include "util/http_exchange.h"

namespace todo::api::connect {

/// One call whose request has arrived. Thread safety: IsCancelled from any thread at any time; the
/// other functions from any thread, one after another. Nothing blocks; parsing and encoding take
/// time in proportion to the message, and belong on a worker.
class Call {
 public:
  struct Request {
    CallHead head;
    std::chrono::system_clock::time_point deadline = std::chrono::system_clock::time_point::max();
    std::string body;
    std::size_t max_message_bytes = 0;  // after unpacking
  };

  virtual ~Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  const CallHead& head() const { return request_.head; }
  std::chrono::system_clock::time_point deadline() const { return request_.deadline; }
  bool IsCancelled() const { return exchange_->IsCancelled(); }

  /// Unpacks and parses the request. An error is for the caller.
  absl::Status ParseRequest(google::protobuf::Message& message) const;

  /// Adds a header to the answer. It has no effect when the answer has begun.
  void AddHeader(std::string name, std::string value);
  /// Adds a trailer to the answer, before Finish.
  void AddTrailer(std::string name, std::string value);

 protected:
  Call(Request request, std::unique_ptr<util::HttpExchange> exchange)
      : request_(std::move(request)), exchange_(std::move(exchange)) {}

  virtual bool is_compressed() const = 0;
  virtual std::string_view payload() const = 0;

  const Request request_;
  const std::unique_ptr<util::HttpExchange> exchange_;
  util::HttpHeaders headers_;
  util::HttpHeaders trailers_;
};

/// A call with one answer.
class UnaryCall final : public Call {
 public:
  UnaryCall(Request request, std::unique_ptr<util::HttpExchange> exchange)
      : Call(std::move(request), std::move(exchange)) {}

  /// Encodes the answer for Finish to send. kInternal: it cannot be encoded.
  absl::Status EncodeResponse(const google::protobuf::Message& message);

  /// Answers: with the encoded response when `status` is OK, else with an error. To be called once.
  void Finish(const google::rpc::Status& status);

 private:
  bool is_compressed() const override { return request_.head.gzipped; }
  std::string_view payload() const override;

  util::HttpResponse response_;
};

/// A call with a stream of answers.
class StreamCall final : public Call {
 public:
  /// The flags and the payload come from the envelope in the body.
  StreamCall(Request request, std::unique_ptr<util::HttpExchange> exchange);
  ~StreamCall() override;

  /// Sends one message. kCancelled: the caller has gone, or leaves too much unread; only Finish
  /// remains to be called. kInternal: the message cannot be encoded.
  absl::Status Send(const google::protobuf::Message& message);
  /// `callback` is called once when the caller goes before Finish; at once when it has gone.
  void OnCancel(std::function<void()> callback);
  /// As util::HttpExchange::OnDrained.
  void OnDrained(std::function<void()> callback) { exchange_->OnDrained(std::move(callback)); }
  /// Ends the stream. To be called once.
  void Finish(const google::rpc::Status& status);

 private:
  using Callback = util::Guarded<std::function<void()>>;

  bool is_compressed() const override;
  std::string_view payload() const override;
  void BeginOnce();

  bool begun_ = false;
  bool gone_ = false;  // the caller
  const std::shared_ptr<Callback> on_cancel_ = std::make_shared<Callback>();
};

}  // namespace todo::api::connect
