#pragma once

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "edge/answer_channel.h"
#include "edge/chunked_decoder.h"
#include "edge/head_parser.h"
#include "edge/places.h"
#include "edge/server_state.h"
#include "edge/transport.h"

namespace todo::edge {

/// One connection: takes its requests one after another until a side closes. The operations in
/// progress keep the object alive. Thread safety: none, the server's thread only.
///
/// The phases of a request are head, body and answer. While the handler works, the connection goes
/// on reading, within a bound, to notice when the client leaves. A request that becomes a WebSocket
/// ends the object.
class Connection final : public Guest, public std::enable_shared_from_this<Connection> {
 public:
  /// `server` must outlive the connection. The caller takes the place.
  Connection(std::unique_ptr<Transport> transport, std::string peer, ServerState& server);
  ~Connection() override;

  void Start();

  Standing standing() const override;
  bool proven() const override { return proven_; }
  std::chrono::steady_clock::time_point since() const override;
  std::size_t unsent_bytes() const override { return out_bytes_; }
  void Leave() override { Close(); }
  /// No further request: closes now, or after the request in progress.
  void FinishSoon() override;
  bool IsAtWork() const override { return phase_ == Phase::kBody || phase_ == Phase::kAnswer; }

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  enum class Phase {
    kHandshake,
    kHead,
    kBody,
    kAnswer,   // the handler works, or its answer is being sent
    kDrop,     // the rest of a body that nobody wants
    kClosing,  // the last answer is sent; the client gets time to read it
    kClosed,   // or passed on to a WebSocketSession
  };

  // The phases. Each returns whether there is more to do with the bytes at hand.
  void Advance();
  bool AdvanceHead();
  bool AdvanceBody();
  bool AdvanceAnswer();
  bool AdvanceDrop();

  void AwaitHead();
  void OnRequest(ParsedHead parsed);
  util::HttpDecision Decide(const util::HttpRequestHead& head);
  void AnswerEarly(util::HttpResponse response, const ParsedHead& parsed);
  void Accept(util::HttpAcceptance acceptance, const ParsedHead& parsed);
  /// Passes the transport and the place on to a WebSocketSession.
  void Upgrade(const util::WebSocketAcceptance& acceptance, const ParsedHead& parsed);
  bool HasRoomFor(const std::string& holder) const;
  /// Gives back what the request in progress has taken of the server's bounds.
  void ReleaseRequest();
  ChunkedDecoder::State TakeBody();
  void Handle();
  void Pump();
  /// Gives the answer, reads no more of the request and closes.
  void Refuse(util::HttpResponse answer);
  void Refuse(int status, std::string_view detail);
  void RefuseLength();
  void EndRequest();
  void Linger();
  void Close();

  // Reading.
  void Receive();
  void OnRead(boost::system::error_code error, std::size_t count);
  void DropRest();

  // Writing.
  void SendWhole(util::HttpResponse response);
  void SendHead(const util::HttpResponseHead& head, std::optional<std::size_t> length);
  void SendPiece(const std::string& piece);
  void Send(std::string bytes);
  void StartWrite();
  void OnWritten(boost::system::error_code error, std::size_t count);
  void KeepToBudget();

  // Time.
  void EnterPhase(Phase phase, std::chrono::milliseconds patience);
  void SetPhaseDeadline(TimePoint deadline);
  void ArmTimer();
  void OnTimer();
  void OnDeadline();
  std::chrono::milliseconds TimeFor(std::size_t bytes) const;

  ServerState& server_;
  std::unique_ptr<Transport> transport_;
  const std::string peer_;
  boost::asio::steady_timer timer_;

  Phase phase_ = Phase::kHandshake;
  const TimePoint opened_at_;
  TimePoint phase_begin_;
  TimePoint writing_since_;
  TimePoint phase_deadline_ = TimePoint::max();
  TimePoint write_deadline_ = TimePoint::max();
  TimePoint timer_at_ = TimePoint::max();
  bool proven_ = false;  // see Guest

  std::array<char, 8UL * 1024> chunk_;  // of the read in progress
  bool reading_ = false;
  bool client_done_ = false;  // it sends no more bytes
  std::string in_;            // received, not yet used
  std::size_t searched_ = 0;  // of in_, for the end of a head
  std::size_t dropped_bytes_ = 0;

  // The request in progress.
  bool head_begun_ = false;
  bool skipped_line_ = false;  // an empty one before the head
  bool keep_alive_ = true;
  bool http_1_0_ = false;
  bool head_only_ = false;  // HEAD
  util::HttpHeaders more_fields_;
  std::optional<util::HttpAcceptance> acceptance_;
  std::string holder_;  // see util::HttpAcceptance; counted in server_.requests_of
  std::optional<ChunkedDecoder> decoder_;  // of a chunked body
  std::uint64_t body_left_ = 0;            // of a body with a length, or of the bytes to drop
  std::string body_;
  std::size_t body_bytes_ = 0;  // counted in server_.request_bytes
  std::shared_ptr<AnswerChannel> channel_;
  bool answer_has_body_ = true;
  bool answer_chunked_ = false;
  bool answer_complete_ = false;  // all of it is in out_, or sent

  std::deque<std::string> out_;  // to be sent
  std::size_t out_bytes_ = 0;    // of out_, counted in server_.response_bytes
  std::size_t front_sent_ = 0;   // of out_.front()
  bool writing_ = false;         // out_ is being sent, or will be soon
  bool in_flight_ = false;       // a part of out_.front() belongs to the transport
};

}  // namespace todo::edge
