#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string_view>

#include "front/open_calls.h"
#include "util/token_bucket.h"

namespace todo::front {

using SteadyTime = std::chrono::steady_clock::time_point;

/// What one client may do on one connection.
struct FrameLimits {
  std::size_t max_header_block_bytes = 16 * 1024;  // HEADERS with its CONTINUATION frames
  int max_continuations = 4;                       // of one header block
  int max_open_calls = 256;  // above the limit that the server announces, which honest clients keep
  /// Control frames cost tokens: RST_STREAM, PING, SETTINGS and all others that cause work and
  /// carry no call. A burst is free, so that an honest client can give up all its calls at once.
  double control_frames_per_second = 200;
  double control_frame_burst = 1'000;
  /// A header block, from its first frame to its last.
  std::chrono::milliseconds header_block_time{10'000};
  /// A request that has not ended, without a byte of it, while the server answers no call of the
  /// connection either. A client may hold a conversation open and make other calls beside it.
  std::chrono::milliseconds request_time{60'000};
};

/// What to do with bytes of the client.
struct Decision {
  enum class Kind { kPass, kWait, kRefuse };
  Kind kind = Kind::kPass;
  /// The number of leading bytes that may go to the server. kPass: all.
  std::size_t passed = 0;
  /// kWait: offer the bytes after the passed ones again after this time.
  std::chrono::milliseconds wait{0};
  /// kRefuse: why, for the log. End the connection.
  std::string_view reason;
};

/// Follows the frames of one HTTP/2 connection in both directions and decides about those of the
/// client. It reads the header of each frame and no payload, and keeps no bytes. Its memory is
/// bounded by `max_open_calls`.
///
/// Frames that only answer the server are free: WINDOW_UPDATE and PING, as far as the server has
/// sent data, and acknowledgements of the server's PING and SETTINGS. A client that sends more
/// control frames than it may is slowed down, not cut off.
/// Thread safety: none.
class FrameInspector {
 public:
  /// A server may read a header block again from its beginning with each of its frames. So the
  /// frames of blocks beyond the first 64 KiB cost units of `large_headers`: their bytes, times the
  /// size of the block so far in MiB. It is shared by all connections of a port, and must outlive
  /// the inspector. nullptr: they are free.
  /// `all_calls`: of all connections of the port; outlives the inspector, too. While it is full,
  /// further calls wait, but for a few in each connection. nullptr: they never wait.
  explicit FrameInspector(FrameLimits limits = {}, util::TokenBucket* large_headers = nullptr,
                          const OpenCalls* all_calls = nullptr);
  FrameInspector(FrameInspector&&) = default;

  /// Looks at bytes that the client sent. Bytes that did not pass must be offered again, before any
  /// later ones. After kRefuse nothing passes any more.
  Decision FromClient(std::string_view bytes, SteadyTime now);
  /// Takes note of bytes that the server sent.
  void FromServer(std::string_view bytes, SteadyTime now);

  /// Whether the client has shown, by the preface of HTTP/2, that it speaks the protocol.
  bool greeted() const { return greeted_; }
  /// Whether the client has ever begun a call.
  bool has_called() const { return last_stream_ > 0; }
  /// The number of calls that were opened and not ended, by either side.
  int open_calls() const { return static_cast<int>(calls_.size()); }
  /// The number of these whose request has not ended.
  int open_requests() const { return static_cast<int>(requests_.size()); }
  /// The reason to end the connection because the client sends something too slowly; empty: none.
  std::string_view Overdue(SteadyTime now) const;

 private:
  struct FrameHeader {
    std::size_t length = 0;
    std::uint8_t type = 0;
    std::uint8_t flags = 0;
    std::uint32_t stream = 0;

    bool Has(std::uint8_t flag) const { return (flags & flag) != 0; }
  };
  /// A request that has not ended.
  struct Request {
    std::uint32_t stream = 0;
    SteadyTime moved;  // when something of it came
  };
  using Requests = std::list<Request>;
  /// One direction: where in a frame its next byte lies.
  class Cursor {
   public:
    /// Takes bytes of the header. True: it is complete.
    bool TakeHeader(std::string_view& bytes);
    /// Gives the last byte of the header back.
    void ReturnLastByte() { --filled_; }
    FrameHeader Parse() const;
    void BeginPayload(std::size_t length) { left_ = length, filled_ = 0; }
    /// Skips bytes of the payload. True: none is left.
    bool SkipPayload(std::string_view& bytes);
    bool in_payload() const { return left_ > 0; }

   private:
    static constexpr std::size_t kHeaderBytes = 9;
    std::array<std::uint8_t, kHeaderBytes> header_{};
    std::size_t filled_ = 0;
    std::size_t left_ = 0;
  };

  bool TakePreface(std::string_view& bytes);
  /// Judges a complete header. Empty: the frame may pass, or has to wait (`wait_`).
  std::string_view Judge(const FrameHeader& frame, SteadyTime now);
  std::string_view JudgeHeaders(const FrameHeader& frame, SteadyTime now);
  std::string_view JudgeContinuation(const FrameHeader& frame, SteadyTime now);
  std::string_view JudgeControl(const FrameHeader& frame, SteadyTime now);
  void EndPayload();
  void OpenCall(std::uint32_t stream, SteadyTime now);
  void EndCall(std::uint32_t stream);
  void EndRequest(std::uint32_t stream);
  void NoteRequestData(std::uint32_t stream, SteadyTime now);
  void NoteServerFrame(const FrameHeader& frame, SteadyTime now);

  bool Pay(SteadyTime now);
  bool PayFrom(double& credit, SteadyTime now);

  const FrameLimits limits_;
  bool greeted_ = false;
  std::size_t preface_bytes_ = 0;
  bool settings_seen_ = false;
  std::string_view refused_;
  Cursor client_;
  Cursor server_;

  // The header block in progress.
  bool in_header_block_ = false;
  bool header_block_ends_ = false;  // with the frame in progress
  std::uint32_t header_block_stream_ = 0;
  std::size_t header_block_bytes_ = 0;
  int continuations_ = 0;
  SteadyTime header_block_began_;

  std::uint32_t last_stream_ = 0;
  Requests requests_;  // by `moved`
  std::map<std::uint32_t, std::optional<Requests::iterator>>
      calls_;            // empty: the request has ended
  SteadyTime answered_;  // when the server last sent something of a call

  util::TokenBucket control_frames_;
  util::TokenBucket* const large_headers_;
  const OpenCalls* const all_calls_;
  std::chrono::milliseconds wait_{0};  // of the frame in question
  double data_credit_ = 0;             // WINDOW_UPDATE and PING that the server's data explains
  double ping_credit_ = 0;             // acknowledgements of PING
  double settings_credit_ = 0;         // acknowledgements of SETTINGS
};

}  // namespace todo::front
