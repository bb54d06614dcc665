#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace todo::edge {

/// Takes the chunks of a chunked body apart (RFC 9112, section 7.1). Pure. Each part that a client
/// could make endless has a bound: a chunk's line with its extensions, the trailer, the body, and
/// the bytes of the framing altogether. Extensions and trailer are dropped.
class ChunkedDecoder {
 public:
  enum class State {
    kMore,      // feed further bytes
    kDone,      // the body is complete
    kBad,       // not the chunked coding, or framing above its bounds
    kTooLarge,  // the body is longer than allowed
  };

  explicit ChunkedDecoder(std::size_t max_body_bytes) : max_body_bytes_(max_body_bytes) {}

  /// Takes bytes from the front of `bytes` and appends what belongs to the body to `body`. After
  /// kDone the rest of `bytes` belongs to the next request; after a fault it means nothing.
  State Decode(std::string_view& bytes, std::string& body);

 private:
  enum class Part { kSize, kExtension, kSizeEnd, kData, kDataCr, kDataLf, kTrailer };

  State Framing(char c);
  State SizeByte(char c);
  State EndOfSizeLine(char c);
  State TrailerByte(char c);

  const std::size_t max_body_bytes_;
  Part part_ = Part::kSize;
  std::size_t body_bytes_ = 0;
  std::size_t framing_bytes_ = 0;
  std::size_t line_bytes_ = 0;  // of the chunk's line, or of the trailer's current line
  std::size_t trailer_bytes_ = 0;
  std::uint64_t left_ = 0;  // of the current chunk
  int digits_ = 0;
  char previous_ = 0;  // byte of the trailer
};

}  // namespace todo::edge
