#include "api/connect/call.h"

#include <utility>

#include "api/connect/codec.h"
#include "api/connect/envelope.h"
#include "api/connect/error.h"
#include "api/connect/gzip.h"
#include "util/status.h"

namespace todo::api::connect {
namespace {

/// Shorter answers are sent as they are: packing would cost more than it saves.
constexpr std::size_t kMinGzipBytes = 1024;

}  // namespace

// ---- both kinds

absl::Status Call::ParseRequest(google::protobuf::Message& message) const {
  if (!is_compressed()) return Parse(head().codec, payload(), message);
  TODO_ASSIGN_OR_RETURN(const std::string unpacked, Gunzip(payload(), request_.max_message_bytes));
  return Parse(head().codec, unpacked, message);
}

void Call::AddHeader(std::string name, std::string value) {
  headers_.emplace_back(std::move(name), std::move(value));
}

void Call::AddTrailer(std::string name, std::string value) {
  trailers_.emplace_back(std::move(name), std::move(value));
}

// ---- one answer

std::string_view UnaryCall::payload() const {
  return request_.head.message.has_value() ? *request_.head.message : request_.body;
}

absl::Status UnaryCall::EncodeResponse(const google::protobuf::Message& message) {
  TODO_ASSIGN_OR_RETURN(response_.body, Serialize(head().codec, message));
  if (head().codec == Codec::kJson) response_.body.push_back('\n');  // for terminals
  response_.headers = {{"content-type", head().content_type()}, {"vary", "accept-encoding"}};
  if (head().accepts_gzip && response_.body.size() >= kMinGzipBytes) {
    response_.body = Gzip(response_.body);
    response_.headers.emplace_back("content-encoding", "gzip");
  }
  return absl::OkStatus();
}

void UnaryCall::Finish(const google::rpc::Status& status) {
  if (status.code() != 0) response_ = UnaryError(status);
  for (auto& header : headers_) response_.headers.push_back(std::move(header));
  for (auto& [name, value] : trailers_)
    response_.headers.emplace_back("trailer-" + name, std::move(value));
  exchange_->Respond(std::move(response_));
}

// ---- a stream of answers

StreamCall::StreamCall(Request request, std::unique_ptr<util::HttpExchange> exchange)
    : Call(std::move(request), std::move(exchange)) {}

StreamCall::~StreamCall() = default;

bool StreamCall::is_compressed() const {
  return (static_cast<std::uint8_t>(request_.body.front()) & kCompressed) != 0;
}

std::string_view StreamCall::payload() const {
  return std::string_view(request_.body).substr(kEnvelopePrefixBytes);
}

void StreamCall::BeginOnce() {
  if (std::exchange(begun_, true)) return;
  util::HttpResponseHead response{.status = 200,
                                  .headers = {{"content-type", head().content_type()}}};
  if (head().accepts_gzip) response.headers.emplace_back("connect-content-encoding", "gzip");
  for (auto& header : headers_) response.headers.push_back(std::move(header));
  exchange_->Begin(std::move(response));
}

absl::Status StreamCall::Send(const google::protobuf::Message& message) {
  TODO_ASSIGN_OR_RETURN(std::string bytes, Serialize(head().codec, message));
  std::uint8_t flags = 0;
  if (head().accepts_gzip && bytes.size() >= kMinGzipBytes) {
    bytes = Gzip(bytes);
    flags = kCompressed;
  }
  BeginOnce();
  if (exchange_->Write(Wrap({.flags = flags, .payload = bytes}))) return absl::OkStatus();
  gone_ = true;
  return absl::CancelledError("the caller has gone, or leaves too much unread");
}

void StreamCall::OnCancel(std::function<void()> callback) {
  *on_cancel_->Lock() = std::move(callback);
  exchange_->OnCancel([holder = on_cancel_] {
    if (const auto taken = std::exchange(*holder->Lock(), nullptr)) taken();
  });
}

void StreamCall::Finish(const google::rpc::Status& status) {
  *on_cancel_->Lock() = nullptr;
  BeginOnce();
  const std::string end = EndOfStreamJson(status, trailers_);
  if (!gone_) exchange_->Write(Wrap({.flags = kEndOfStream, .payload = end}));
  exchange_->End();
}

}  // namespace todo::api::connect
