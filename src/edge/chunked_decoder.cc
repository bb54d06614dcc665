#include "edge/chunked_decoder.h"

#include <algorithm>

namespace todo::edge {
namespace {

constexpr std::size_t kMaxLineBytes = 256;
constexpr std::size_t kMaxTrailerBytes = 4 * 1024;
/// Framing may be this much altogether, and kFramingPerByte for each byte of the body: chunks of
/// one byte are allowed, long extensions at each of them are not.
constexpr std::size_t kFreeFramingBytes = 16 * 1024;
constexpr std::size_t kFramingPerByte = 8;
constexpr int kMaxDigits = 15;  // 4 bits each, so that a size fits into 64 bits

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsText(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == '\t' || (byte >= 0x20 && byte != 0x7f);
}

}  // namespace

ChunkedDecoder::State ChunkedDecoder::Decode(std::string_view& bytes, std::string& body) {
  while (!bytes.empty()) {
    if (part_ == Part::kData) {
      const std::size_t count = std::min<std::uint64_t>(left_, bytes.size());
      body.append(bytes.substr(0, count));
      bytes.remove_prefix(count);
      body_bytes_ += count;
      left_ -= count;
      if (left_ == 0) part_ = Part::kDataCr;
      continue;
    }
    const char c = bytes.front();
    bytes.remove_prefix(1);
    if (++framing_bytes_ > kFreeFramingBytes + kFramingPerByte * body_bytes_) return State::kBad;
    if (const State state = Framing(c); state != State::kMore) return state;
  }
  return State::kMore;
}

ChunkedDecoder::State ChunkedDecoder::Framing(char c) {
  switch (part_) {
    case Part::kSize: return SizeByte(c);
    case Part::kExtension:
      if (++line_bytes_ > kMaxLineBytes) return State::kBad;
      if (c == '\r') part_ = Part::kSizeEnd;
      return c == '\r' || IsText(c) ? State::kMore : State::kBad;
    case Part::kSizeEnd: return EndOfSizeLine(c);
    case Part::kDataCr: part_ = Part::kDataLf; return c == '\r' ? State::kMore : State::kBad;
    case Part::kDataLf:
      part_ = Part::kSize;
      digits_ = 0;
      line_bytes_ = 0;
      return c == '\n' ? State::kMore : State::kBad;
    case Part::kTrailer: return TrailerByte(c);
    case Part::kData: break;
  }
  return State::kBad;
}

ChunkedDecoder::State ChunkedDecoder::SizeByte(char c) {
  if (const int digit = HexDigit(c); digit >= 0) {
    if (++digits_ > kMaxDigits) return State::kBad;
    left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
    return State::kMore;
  }
  if (digits_ == 0) return State::kBad;
  if (c == '\r') {
    part_ = Part::kSizeEnd;
  } else if (c == ';') {
    part_ = Part::kExtension;
  } else {
    return State::kBad;
  }
  return State::kMore;
}

ChunkedDecoder::State ChunkedDecoder::EndOfSizeLine(char c) {
  if (c != '\n') return State::kBad;
  if (left_ > max_body_bytes_ - body_bytes_) return State::kTooLarge;
  part_ = left_ > 0 ? Part::kData : Part::kTrailer;
  line_bytes_ = 0;
  return State::kMore;
}

ChunkedDecoder::State ChunkedDecoder::TrailerByte(char c) {
  if (++trailer_bytes_ > kMaxTrailerBytes) return State::kBad;
  const char previous = previous_;
  previous_ = c;
  if (c == '\n') {
    if (previous != '\r') return State::kBad;
    if (line_bytes_ == 0) return State::kDone;
    line_bytes_ = 0;
    return State::kMore;
  }
  if (previous == '\r') return State::kBad;
  if (c == '\r') return State::kMore;
  ++line_bytes_;
  return IsText(c) ? State::kMore : State::kBad;
}

}  // namespace todo::edge
