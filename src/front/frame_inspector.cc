#include "front/frame_inspector.h"

#include <algorithm>
#include <iterator>

namespace todo::front {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum FrameType : std::uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoAway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};
constexpr std::uint8_t kEndStream = 0x1;
constexpr std::uint8_t kAck = 0x1;
constexpr std::uint8_t kEndHeaders = 0x4;

/// Of frames that carry neither data nor headers: far more than any of them needs.
constexpr std::size_t kMaxControlFrameBytes = 4'096;
/// Clients return the window in steps, some of them for each frame of data, on the stream and on
/// the connection.
constexpr double kCreditPerDataFrame = 2;
constexpr double kBytesPerCredit = 1'024;
constexpr double kMaxCredit = 10'000;
/// Of a header block, before it counts as large.
constexpr std::size_t kFreeHeaderBytes = 64UL * 1024;
/// An honest client whose calls are answered gets along with so many in a connection.
constexpr int kFewCalls = 4;
constexpr std::chrono::milliseconds kWaitWhileFull{10};
constexpr double kMebibyte = 1024.0 * 1024;

}  // namespace

bool FrameInspector::Cursor::TakeHeader(std::string_view& bytes) {
  const std::size_t count = std::min(kHeaderBytes - filled_, bytes.size());
  std::copy_n(bytes.begin(), count, header_.begin() + filled_);
  filled_ += count;
  bytes.remove_prefix(count);
  return filled_ == kHeaderBytes;
}

FrameInspector::FrameHeader FrameInspector::Cursor::Parse() const {
  const auto at = [this](std::size_t index) { return std::uint32_t{header_[index]}; };
  return {.length = (at(0) << 16) | (at(1) << 8) | at(2),
          .type = header_[3],
          .flags = header_[4],
          .stream = ((at(5) & 0x7f) << 24) | (at(6) << 16) | (at(7) << 8) | at(8)};
}

bool FrameInspector::Cursor::SkipPayload(std::string_view& bytes) {
  const std::size_t count = std::min(left_, bytes.size());
  left_ -= count;
  bytes.remove_prefix(count);
  return left_ == 0;
}

FrameInspector::FrameInspector(FrameLimits limits, util::TokenBucket* large_headers,
                               const OpenCalls* all_calls)
    : limits_(limits),
      control_frames_(limits.control_frames_per_second, limits.control_frame_burst),
      large_headers_(large_headers),
      all_calls_(all_calls) {}

Decision FrameInspector::FromClient(std::string_view bytes, SteadyTime now) {
  const std::size_t size = bytes.size();
  const auto refuse = [&](std::string_view reason) {
    refused_ = reason;
    return Decision{.kind = Decision::Kind::kRefuse, .passed = 0, .wait = {}, .reason = reason};
  };
  if (!refused_.empty()) return refuse(refused_);
  if (!greeted_) {
    if (!TakePreface(bytes)) return refuse("the client does not speak HTTP/2");
  }
  while (!bytes.empty()) {
    if (client_.in_payload()) {
      if (client_.SkipPayload(bytes)) EndPayload();
      continue;
    }
    if (!client_.TakeHeader(bytes)) break;
    const FrameHeader frame = client_.Parse();
    wait_ = {};
    if (const std::string_view reason = Judge(frame, now); !reason.empty()) return refuse(reason);
    if (wait_.count() > 0) {
      client_.ReturnLastByte();
      return {.kind = Decision::Kind::kWait,
              .passed = size - bytes.size() - 1,
              .wait = wait_,
              .reason = {}};
    }
    client_.BeginPayload(frame.length);
    if (frame.length == 0) EndPayload();
  }
  return {.kind = Decision::Kind::kPass, .passed = size, .wait = {}, .reason = {}};
}

bool FrameInspector::TakePreface(std::string_view& bytes) {
  const std::size_t count = std::min(kPreface.size() - preface_bytes_, bytes.size());
  if (bytes.substr(0, count) != kPreface.substr(preface_bytes_, count)) return false;
  preface_bytes_ += count;
  bytes.remove_prefix(count);
  greeted_ = preface_bytes_ == kPreface.size();
  return true;
}

std::string_view FrameInspector::Judge(const FrameHeader& frame, SteadyTime now) {
  if (!settings_seen_ && frame.type != kSettings) return "the first frame is not SETTINGS";
  if (in_header_block_ && frame.type != kContinuation) return "a header block is interrupted";
  switch (frame.type) {
    case kData:
      if (frame.stream == 0) return "data without a call";
      if (frame.length == 0 && !frame.Has(kEndStream)) return JudgeControl(frame, now);
      if (frame.Has(kEndStream)) {
        EndRequest(frame.stream);
      } else {
        NoteRequestData(frame.stream, now);
      }
      return {};
    case kHeaders: return JudgeHeaders(frame, now);
    case kContinuation: return JudgeContinuation(frame, now);
    case kPushPromise: return "a client must not push";
    default: return JudgeControl(frame, now);
  }
}

std::string_view FrameInspector::JudgeHeaders(const FrameHeader& frame, SteadyTime now) {
  if (frame.length > limits_.max_header_block_bytes) return "a header block is too large";
  if (frame.stream % 2 == 0) return "a client must open calls with odd numbers";
  if (frame.stream > last_stream_) {
    if (open_calls() >= limits_.max_open_calls) return "too many calls at the same time";
    if (all_calls_ != nullptr && all_calls_->full() && open_calls() >= kFewCalls) {
      wait_ = kWaitWhileFull;
      return {};
    }
    OpenCall(frame.stream, now);
  } else if (!Pay(now)) {  // trailers, or a call that is over
    return {};
  }
  if (frame.Has(kEndStream)) EndRequest(frame.stream);
  in_header_block_ = true;
  header_block_ends_ = frame.Has(kEndHeaders);
  header_block_stream_ = frame.stream;
  header_block_bytes_ = frame.length;
  header_block_began_ = now;
  continuations_ = 0;
  return {};
}

std::string_view FrameInspector::JudgeContinuation(const FrameHeader& frame, SteadyTime now) {
  if (!in_header_block_ || frame.stream != header_block_stream_)
    return "a continuation without a header block";
  const std::size_t bytes = header_block_bytes_ + frame.length;
  if (bytes > limits_.max_header_block_bytes) return "a header block is too large";
  if (continuations_ >= limits_.max_continuations) return "a header block has too many frames";
  if (large_headers_ != nullptr && bytes > kFreeHeaderBytes) {
    const double mebibytes = static_cast<double>(bytes) / kMebibyte;
    wait_ = large_headers_->Take(static_cast<double>(frame.length) * mebibytes, now);
    if (wait_.count() > 0) return {};
  }
  header_block_bytes_ = bytes;
  ++continuations_;
  header_block_ends_ = frame.Has(kEndHeaders);
  return {};
}

std::string_view FrameInspector::JudgeControl(const FrameHeader& frame, SteadyTime now) {
  if (frame.length > kMaxControlFrameBytes) return "a control frame is too large";
  bool paid = false;
  if (frame.type == kWindowUpdate || (frame.type == kPing && !frame.Has(kAck))) {
    paid = PayFrom(data_credit_, now);
  } else if (frame.type == kPing) {
    paid = PayFrom(ping_credit_, now);
  } else if (frame.type == kSettings && frame.Has(kAck)) {
    paid = PayFrom(settings_credit_, now);
  } else {
    paid = Pay(now);
  }
  if (!paid) return {};
  if (frame.type == kSettings) settings_seen_ = true;
  if (frame.type == kRstStream) EndCall(frame.stream);
  return {};
}

void FrameInspector::EndPayload() {
  if (in_header_block_ && header_block_ends_) in_header_block_ = false;
}

void FrameInspector::OpenCall(std::uint32_t stream, SteadyTime now) {
  last_stream_ = stream;
  requests_.push_back({.stream = stream, .moved = now});
  calls_.emplace(stream, std::prev(requests_.end()));
}

void FrameInspector::EndCall(std::uint32_t stream) {
  EndRequest(stream);
  calls_.erase(stream);
}

void FrameInspector::EndRequest(std::uint32_t stream) {
  const auto call = calls_.find(stream);
  if (call == calls_.end() || !call->second) return;
  requests_.erase(*call->second);
  call->second.reset();
}

void FrameInspector::NoteRequestData(std::uint32_t stream, SteadyTime now) {
  const auto call = calls_.find(stream);
  if (call == calls_.end() || !call->second) return;
  const Requests::iterator request = *call->second;
  request->moved = now;
  requests_.splice(requests_.end(), requests_, request);
}

void FrameInspector::FromServer(std::string_view bytes, SteadyTime now) {
  while (!bytes.empty()) {
    if (server_.in_payload()) {
      server_.SkipPayload(bytes);
    } else if (server_.TakeHeader(bytes)) {
      const FrameHeader frame = server_.Parse();
      NoteServerFrame(frame, now);
      server_.BeginPayload(frame.length);
    }
  }
}

void FrameInspector::NoteServerFrame(const FrameHeader& frame, SteadyTime now) {
  const auto add = [](double& credit, double more) {
    credit = std::min(credit + more, kMaxCredit);
  };
  switch (frame.type) {
    case kData:
      add(data_credit_, kCreditPerDataFrame + static_cast<double>(frame.length) / kBytesPerCredit);
      [[fallthrough]];
    case kHeaders:
      answered_ = now;
      if (frame.Has(kEndStream)) EndCall(frame.stream);
      break;
    case kRstStream: EndCall(frame.stream); break;
    case kPing:
      if (!frame.Has(kAck)) add(ping_credit_, 1);
      break;
    case kSettings:
      if (!frame.Has(kAck)) add(settings_credit_, 1);
      break;
    default: break;
  }
}

std::string_view FrameInspector::Overdue(SteadyTime now) const {
  if (in_header_block_ && now - header_block_began_ > limits_.header_block_time)
    return "a header block takes too long";
  if (!requests_.empty() &&
      now - std::max(requests_.front().moved, answered_) > limits_.request_time)
    return "a request takes too long";
  return {};
}

bool FrameInspector::Pay(SteadyTime now) {
  wait_ = control_frames_.Take(1, now);
  return wait_.count() == 0;
}

bool FrameInspector::PayFrom(double& credit, SteadyTime now) {
  if (credit < 1) return Pay(now);
  credit -= 1;
  return true;
}

}  // namespace todo::front
