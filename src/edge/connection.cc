#include "edge/connection.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>
#include <utility>
#include <variant>

#include "edge/response_text.h"
#include "edge/web_socket_handshake.h"
#include "edge/web_socket_session.h"
#include "util/http_problem.h"
#include "util/log.h"

namespace todo::edge {
namespace {

using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Of a body that nobody wants: reading it keeps the connection for the next request.
constexpr std::uint64_t kMaxDropBytes = 64UL * 1024;
/// Received ahead while a request is in progress.
constexpr std::size_t kMaxAheadBytes = 16UL * 1024;

}  // namespace

Connection::Connection(std::unique_ptr<Transport> transport, std::string peer, ServerState& server)
    : server_(server),
      transport_(std::move(transport)),
      peer_(std::move(peer)),
      timer_(*server.io),
      opened_at_(steady_clock::now()),
      phase_begin_(opened_at_) {
  ++server_.open_count;
}

Connection::~Connection() { Close(); }

void Connection::Start() {
  EnterPhase(Phase::kHandshake, server_.options.patience);
  transport_->Handshake([self = shared_from_this()](error_code error, std::size_t) {
    if (self->phase_ != Phase::kHandshake) return;
    if (error) return self->Close();
    self->AwaitHead();
    self->SetPhaseDeadline(steady_clock::now() + self->server_.options.patience);
    self->Advance();
  });
}

void Connection::FinishSoon() {
  keep_alive_ = false;
  if (!IsAtWork() && phase_ != Phase::kClosing) Close();
}

Guest::Standing Connection::standing() const {
  if (phase_ == Phase::kBody || (phase_ == Phase::kAnswer && writing_)) return Standing::kSlow;
  // A client that sends no more has perhaps gone: its answer waits for nobody then.
  if (phase_ == Phase::kAnswer) return client_done_ ? Standing::kSlow : Standing::kBusy;
  return Standing::kIdle;
}

Connection::TimePoint Connection::since() const {
  if (!proven_) return opened_at_;
  return phase_ == Phase::kAnswer && writing_ ? writing_since_ : phase_begin_;
}

void Connection::Advance() {
  for (bool more = true; more;) {
    switch (phase_) {
      case Phase::kHead: more = AdvanceHead(); break;
      case Phase::kBody: more = AdvanceBody(); break;
      case Phase::kAnswer: more = AdvanceAnswer(); break;
      case Phase::kDrop: more = AdvanceDrop(); break;
      case Phase::kHandshake:
      case Phase::kClosing:
      case Phase::kClosed: return;
    }
  }
}

void Connection::AwaitHead() {
  EnterPhase(Phase::kHead, server_.options.idle_patience);
  searched_ = 0;
  head_begun_ = false;
  skipped_line_ = false;
  keep_alive_ = !server_.stopping;
  http_1_0_ = false;
  head_only_ = false;
  more_fields_.clear();
  answer_has_body_ = true;
  answer_chunked_ = false;
  answer_complete_ = false;
}

bool Connection::AdvanceHead() {
  // Some clients send an empty line after a body.
  if (in_.starts_with("\r\n")) {
    if (std::exchange(skipped_line_, true)) {
      Refuse(400, "there are empty lines before the request");
      return true;
    }
    in_.erase(0, 2);
    searched_ = 0;
    return true;
  }
  const std::optional<std::size_t> end = FindHeadEnd(in_, std::min(searched_, in_.size()));
  if (end.value_or(in_.size()) > server_.options.max_head_bytes) {
    const bool in_first_line = in_.find('\n') >= server_.options.max_head_bytes;
    Refuse(in_first_line ? 414 : 431, in_first_line ? "the target of the request is too long"
                                                    : "the head of the request is too long");
    return true;
  }
  if (!end) {
    searched_ = in_.size();
    if (!in_.empty() && !std::exchange(head_begun_, true)) {
      phase_begin_ = steady_clock::now();
      SetPhaseDeadline(phase_begin_ + server_.options.patience);
    }
    Receive();
    return false;
  }
  auto result = ParseHead(std::string_view(in_).substr(0, *end), server_.options.max_head_fields);
  in_.erase(0, *end);
  searched_ = 0;
  if (const auto* fault = std::get_if<HeadFault>(&result)) {
    Refuse(fault->status, fault->detail);
  } else {
    OnRequest(std::move(std::get<ParsedHead>(result)));
  }
  return true;
}

void Connection::OnRequest(ParsedHead parsed) {
  ++server_.request_count;
  parsed.head.peer = peer_;
  parsed.head.encrypted = transport_->encrypted();
  keep_alive_ = parsed.keep_alive && !server_.stopping;
  http_1_0_ = parsed.http_1_0;
  head_only_ = parsed.head.method == "HEAD";
  more_fields_ = server_.origins.FieldsFor(parsed.head);
  util::HttpDecision decision = Decide(parsed.head);
  if (auto* response = std::get_if<util::HttpResponse>(&decision)) {
    AnswerEarly(std::move(*response), parsed);
  } else if (const auto* acceptance = std::get_if<util::WebSocketAcceptance>(&decision)) {
    Upgrade(*acceptance, parsed);
  } else {
    Accept(std::move(std::get<util::HttpAcceptance>(decision)), parsed);
  }
}

util::HttpDecision Connection::Decide(const util::HttpRequestHead& head) {
  if (std::optional<util::HttpResponse> answer = server_.origins.Answer(head))
    return std::move(*answer);
  try {
    return server_.handler.Decide(head);
  } catch (const std::exception& error) {
    util::Log(util::Severity::kError, "http_handler_failed", {{"error", error.what()}});
    return util::HttpProblem(500, "internal error");
  }
}

void Connection::AnswerEarly(util::HttpResponse response, const ParsedHead& parsed) {
  body_left_ = parsed.head.content_length.value_or(0);
  // A client that waits for "100 Continue" may send its body or not: only closing is clear.
  const bool comes = parsed.chunked || body_left_ > 0;
  if (comes && (parsed.chunked || parsed.expects_continue || body_left_ > kMaxDropBytes)) {
    keep_alive_ = false;
    body_left_ = 0;
  }
  EnterPhase(Phase::kAnswer, milliseconds::max());
  SendWhole(std::move(response));
}

void Connection::Accept(util::HttpAcceptance acceptance, const ParsedHead& parsed) {
  if (!HasRoomFor(acceptance.holder)) {
    return Refuse(acceptance.too_many
                      ? acceptance.too_many()
                      : util::HttpProblem(429, "too many of your requests are in progress"));
  }
  proven_ = true;
  holder_ = std::move(acceptance.holder);
  if (!holder_.empty()) ++server_.requests_of[holder_];
  body_left_ = parsed.head.content_length.value_or(0);
  acceptance_ = std::move(acceptance);
  if (body_left_ > acceptance_->max_body_bytes) return RefuseLength();
  if (parsed.chunked) decoder_.emplace(acceptance_->max_body_bytes);
  EnterPhase(Phase::kBody, server_.options.patience);
  if (parsed.expects_continue && (parsed.chunked || body_left_ > 0))
    Send("HTTP/1.1 100 Continue\r\n\r\n");
}

void Connection::Upgrade(const util::WebSocketAcceptance& acceptance, const ParsedHead& parsed) {
  auto answer = AnswerHandshake(parsed, acceptance.subprotocol);
  if (auto* refusal = std::get_if<util::HttpResponse>(&answer))
    return AnswerEarly(std::move(*refusal), parsed);
  // The bytes of a read in progress would come to this object.
  if (reading_)
    return Refuse(400, "ask for a WebSocket only after the answer to the request before");
  more_fields_.emplace_back("connection", "upgrade");
  const std::string head =
      ResponseHeadText(std::get<util::HttpResponseHead>(answer), more_fields_, {});
  const auto session =
      std::make_shared<WebSocketSession>(std::move(transport_), server_, acceptance);
  phase_ = Phase::kClosed;
  timer_.cancel();
  server_.places.Pass(*this, *session);
  session->Start(acceptance.open, head, in_);
}

bool Connection::HasRoomFor(const std::string& holder) const {
  const int max = server_.options.max_requests_per_holder;
  if (max == 0 || holder.empty()) return true;
  const auto found = server_.requests_of.find(holder);
  return found == server_.requests_of.end() || found->second < max;
}

void Connection::ReleaseRequest() {
  server_.request_bytes -= std::exchange(body_bytes_, 0);
  if (holder_.empty()) return;
  const auto found = server_.requests_of.find(holder_);
  if (--found->second == 0) server_.requests_of.erase(found);
  holder_.clear();
}

bool Connection::AdvanceBody() {
  const ChunkedDecoder::State state = TakeBody();
  server_.request_bytes += body_.size() - body_bytes_;
  body_bytes_ = body_.size();
  if (state == ChunkedDecoder::State::kBad) {
    Refuse(400, "the chunks of the body are malformed, or have too much besides the body");
  } else if (state == ChunkedDecoder::State::kTooLarge) {
    RefuseLength();
  } else if (server_.request_bytes > server_.options.max_request_bytes_held) {
    Refuse(503, "the server holds too many requests: try again later");
  } else if (state == ChunkedDecoder::State::kDone) {
    Handle();
  } else {
    // The deadline grows with the bytes of the body only, so none of them may trickle in.
    SetPhaseDeadline(phase_begin_ + server_.options.patience + TimeFor(body_bytes_));
    Receive();
    return false;
  }
  return true;
}

ChunkedDecoder::State Connection::TakeBody() {
  if (decoder_) {
    std::string_view bytes = in_;
    const ChunkedDecoder::State state = decoder_->Decode(bytes, body_);
    in_.erase(0, in_.size() - bytes.size());
    return state;
  }
  const std::size_t count = std::min<std::uint64_t>(body_left_, in_.size());
  body_.append(in_, 0, count);
  in_.erase(0, count);
  body_left_ -= count;
  return body_left_ == 0 ? ChunkedDecoder::State::kDone : ChunkedDecoder::State::kMore;
}

void Connection::Handle() {
  EnterPhase(Phase::kAnswer, milliseconds::max());
  const auto wake = [io = server_.io, weak = weak_from_this()] {
    boost::asio::post(*io, [weak] {
      if (const std::shared_ptr<Connection> self = weak.lock()) {
        self->Pump();
        self->Advance();
      }
    });
  };
  channel_ = std::make_shared<AnswerChannel>(wake, server_.options.max_unsent_bytes);
  const util::HttpAcceptance acceptance = std::move(*std::exchange(acceptance_, std::nullopt));
  decoder_.reset();
  try {
    acceptance.handle(std::exchange(body_, {}), MakeExchange(channel_));
  } catch (const std::exception& error) {
    util::Log(util::Severity::kError, "http_handler_failed", {{"error", error.what()}});
    std::exchange(channel_, nullptr)->Cancel();
    SendWhole(util::HttpProblem(500, "internal error"));
  }
  Pump();
}

void Connection::Pump() {
  if (phase_ != Phase::kAnswer || channel_ == nullptr || answer_complete_) return;
  const std::shared_ptr<AnswerChannel> channel = channel_;  // Close lets go of it
  if (channel->overflowed()) return Close();
  AnswerChannel::Given given = channel->Take();
  if (given.whole) {
    SendWhole(std::move(*given.whole));
  } else {
    if (given.head) SendHead(*given.head, std::nullopt);
    for (const std::string& piece : given.pieces) SendPiece(piece);
    if (given.ended) {
      if (answer_has_body_ && answer_chunked_) Send(kLastChunk);
      answer_complete_ = true;
    } else if (given.abandoned) {
      return Close();
    }
  }
  channel->SetHeld(out_bytes_);
  KeepToBudget();
}

bool Connection::AdvanceAnswer() {
  if (answer_complete_ && out_.empty()) {
    EndRequest();
    return true;
  }
  if (in_.size() < kMaxAheadBytes) Receive();
  return false;
}

void Connection::EndRequest() {
  ReleaseRequest();
  channel_.reset();
  if (!keep_alive_ || server_.stopping || (client_done_ && in_.empty())) {
    Linger();
  } else if (body_left_ > 0) {
    EnterPhase(Phase::kDrop, server_.options.patience);
  } else {
    AwaitHead();
  }
}

bool Connection::AdvanceDrop() {
  const std::size_t count = std::min<std::uint64_t>(body_left_, in_.size());
  in_.erase(0, count);
  body_left_ -= count;
  if (body_left_ == 0) {
    AwaitHead();
    return true;
  }
  Receive();
  return false;
}

void Connection::RefuseLength() {
  std::optional<util::HttpResponse> answer = std::move(acceptance_->too_long);
  Refuse(answer ? std::move(*answer)
                : util::HttpProblem(413, "the body of the request is too long"));
}

void Connection::Refuse(int status, std::string_view detail) {
  Refuse(util::HttpProblem(status, detail));
}

void Connection::Refuse(util::HttpResponse answer) {
  keep_alive_ = false;
  acceptance_.reset();
  decoder_.reset();
  std::exchange(body_, {}).clear();
  ReleaseRequest();
  EnterPhase(Phase::kAnswer, milliseconds::max());
  SendWhole(std::move(answer));
}

void Connection::Close() {
  if (std::exchange(phase_, Phase::kClosed) == Phase::kClosed) return;
  if (channel_ != nullptr) channel_->Cancel();
  channel_.reset();
  acceptance_.reset();
  ReleaseRequest();
  server_.response_bytes -= std::exchange(out_bytes_, 0);
  timer_.cancel();
  transport_->Close();
  server_.places.Give(*this);
  --server_.open_count;
  if (server_.on_left) server_.on_left();
}

}  // namespace todo::edge
