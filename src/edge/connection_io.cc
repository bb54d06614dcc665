// The reading, the writing and the deadlines of a connection; connection.cc has its requests.

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <utility>

#include "edge/connection.h"
#include "edge/response_text.h"

namespace todo::edge {
namespace {

using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Given to the client for each write, see HttpServerOptions::patience.
constexpr std::size_t kSliceBytes = 64UL * 1024;
/// Smaller pieces are joined before they are sent.
constexpr std::size_t kJoinBytes = 16UL * 1024;
/// For a client that still sends when the connection ends: it reads the answer only afterwards.
constexpr milliseconds kLinger{2'000};
constexpr std::size_t kMaxLingerBytes = 1024UL * 1024;

}  // namespace

void Connection::Receive() {
  if (client_done_ && phase_ != Phase::kAnswer) return Close();  // the rest will not come
  if (reading_ || client_done_) return;
  reading_ = true;
  transport_->ReadSome(boost::asio::buffer(chunk_),
                       [self = shared_from_this()](error_code error, std::size_t count) {
                         self->OnRead(error, count);
                       });
}

void Connection::OnRead(error_code error, std::size_t count) {
  reading_ = false;
  if (phase_ == Phase::kClosing || phase_ == Phase::kClosed) return;
  if (error) {
    client_done_ = true;
    // A client may stop sending before it reads its answer. Whether it has gone altogether shows
    // when the answer is sent.
    const bool reads_on = answer_complete_ || error == boost::asio::error::eof;
    if (phase_ != Phase::kAnswer || !reads_on) Close();
    return;
  }
  in_.append(chunk_.data(), count);
  Advance();
}

void Connection::Linger() {
  EnterPhase(Phase::kClosing, std::min(kLinger, server_.options.patience));
  in_.clear();
  transport_->Finish([self = shared_from_this()](error_code error, std::size_t) {
    if (self->phase_ != Phase::kClosing) return;
    if (error || self->client_done_) return self->Close();
    self->DropRest();
  });
}

void Connection::DropRest() {
  transport_->ReadRaw(boost::asio::buffer(chunk_),
                      [self = shared_from_this()](error_code error, std::size_t count) {
                        if (self->phase_ != Phase::kClosing) return;
                        self->dropped_bytes_ += count;
                        if (error || self->dropped_bytes_ > kMaxLingerBytes) return self->Close();
                        self->DropRest();
                      });
}

void Connection::SendWhole(util::HttpResponse response) {
  const bool has_body = HasBody(response.status);
  SendHead({.status = response.status, .headers = std::move(response.headers)},
           response.body.size());
  if (has_body && !head_only_) Send(std::move(response.body));
  answer_complete_ = true;
  KeepToBudget();
}

void Connection::SendHead(const util::HttpResponseHead& head, std::optional<std::size_t> length) {
  answer_has_body_ = HasBody(head.status) && !head_only_;
  answer_chunked_ = !length && !http_1_0_;
  Send(ResponseHeadText(
      head, more_fields_,
      {.keep_alive = keep_alive_, .http_1_0 = http_1_0_, .content_length = length}));
}

void Connection::SendPiece(const std::string& piece) {
  if (answer_has_body_) Send(answer_chunked_ ? ChunkText(piece) : piece);
}

void Connection::Send(std::string bytes) {
  if (bytes.empty()) return;
  out_bytes_ += bytes.size();
  server_.response_bytes += bytes.size();
  const bool back_is_free = out_.size() > (in_flight_ ? 1U : 0U);
  if (back_is_free && out_.back().size() + bytes.size() <= kJoinBytes) {
    out_.back() += bytes;
  } else {
    out_.push_back(std::move(bytes));
  }
  // The write begins when this turn of the event loop is done, with all that comes until then.
  if (std::exchange(writing_, true)) return;
  writing_since_ = steady_clock::now();
  boost::asio::post(*server_.io, [self = shared_from_this()] { self->StartWrite(); });
}

void Connection::StartWrite() {
  if (phase_ == Phase::kClosed) return;
  const std::string& front = out_.front();
  const std::size_t count = std::min(front.size() - front_sent_, kSliceBytes);
  in_flight_ = true;
  write_deadline_ = steady_clock::now() + server_.options.patience + TimeFor(count);
  ArmTimer();
  transport_->Write(boost::asio::buffer(front.data() + front_sent_, count),
                    [self = shared_from_this()](error_code error, std::size_t sent) {
                      self->OnWritten(error, sent);
                    });
}

void Connection::OnWritten(error_code error, std::size_t count) {
  if (phase_ == Phase::kClosed) return;
  if (error) return Close();
  out_bytes_ -= count;
  server_.response_bytes -= count;
  front_sent_ += count;
  if (front_sent_ == out_.front().size()) {
    out_.pop_front();
    front_sent_ = 0;
  }
  if (channel_ != nullptr) channel_->SetHeld(out_bytes_);
  in_flight_ = false;
  if (!out_.empty()) return StartWrite();
  writing_ = false;
  write_deadline_ = TimePoint::max();
  Advance();
}

/// May close this connection.
void Connection::KeepToBudget() {
  const std::size_t limit = server_.options.max_response_bytes_held;
  while (server_.response_bytes > limit && server_.places.FreeUnsent()) {
  }
}

void Connection::EnterPhase(Phase phase, milliseconds patience) {
  phase_ = phase;
  phase_begin_ = steady_clock::now();
  SetPhaseDeadline(patience == milliseconds::max() ? TimePoint::max() : phase_begin_ + patience);
}

void Connection::SetPhaseDeadline(TimePoint deadline) {
  phase_deadline_ = deadline;
  ArmTimer();
}

void Connection::ArmTimer() {
  const TimePoint deadline = std::min(phase_deadline_, write_deadline_);
  // A timer that rings too early is set again then: cheaper than setting it at each change.
  if (deadline >= timer_at_) return;
  timer_at_ = deadline;
  timer_.expires_at(deadline);
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (!error && self->phase_ != Phase::kClosed) self->OnTimer();
  });
}

void Connection::OnTimer() {
  timer_at_ = TimePoint::max();
  if (steady_clock::now() >= std::min(phase_deadline_, write_deadline_)) OnDeadline();
  if (phase_ != Phase::kClosed) ArmTimer();
}

void Connection::OnDeadline() {
  if (phase_ == Phase::kHead && head_begun_) {
    Refuse(408, "the head of the request came too slowly");
  } else if (phase_ == Phase::kBody && steady_clock::now() >= phase_deadline_) {
    Refuse(408, "the body of the request came too slowly");
  } else {
    Close();
  }
}

milliseconds Connection::TimeFor(std::size_t bytes) const {
  return milliseconds(bytes * 1'000 / server_.options.min_bytes_per_second);
}

}  // namespace todo::edge
