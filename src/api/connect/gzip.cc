#include "api/connect/gzip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <new>
#include <utility>

#include "api/connect/error.h"
#include "util/require.h"
#include "util/status.h"

namespace todo::api::connect {
namespace {

// zlib's window of 32 KiB, with a header of gzip.
constexpr int kGzipWindow = 15 + 16;
// Fast: the answers are small, and a higher level wins little.
constexpr int kLevel = 1;
constexpr int kMemoryLevel = 8;  // zlib's default

absl::Status NotGzip() {
  return util::WithReason(
      absl::InvalidArgumentError("the content is not gzip, as its encoding says"),
      "MALFORMED_REQUEST");
}

absl::Status TooLong(std::size_t max_bytes) {
  return util::WithReason(
      util::MakeStatus(absl::StatusCode::kResourceExhausted,
                       fmt::format("the message is longer than {} bytes", max_bytes)),
      kMessageTooLong);
}

Bytef* BytesOf(std::string_view text) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

/// Owns the state of a reader.
class Inflater {
 public:
  explicit Inflater(std::string_view input) {
    stream_.next_in = BytesOf(input);
    stream_.avail_in = static_cast<uInt>(input.size());
    if (inflateInit2(&stream_, kGzipWindow) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  bool has_input() const { return stream_.avail_in > 0; }
  /// Unpacks into the `room` bytes at `output`; returns zlib's code and the bytes written.
  std::pair<int, std::size_t> Read(char* output, std::size_t room) {
    stream_.next_out = reinterpret_cast<Bytef*>(output);
    stream_.avail_out = static_cast<uInt>(room);
    const int code = inflate(&stream_, Z_NO_FLUSH);
    return {code, room - stream_.avail_out};
  }
  void BeginNextMember() { inflateReset(&stream_); }

 private:
  z_stream stream_{};
};

}  // namespace

std::string Gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw std::bad_alloc();
  }
  std::string packed(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  stream.next_in = BytesOf(text);
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = BytesOf(packed);
  stream.avail_out = static_cast<uInt>(packed.size());
  const int code = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  TODO_REQUIRE(code == Z_STREAM_END);
  return packed;
}

absl::StatusOr<std::string> Gunzip(std::string_view bytes, std::size_t max_bytes) {
  Inflater inflater(bytes);
  std::string text;
  std::size_t used = 0;
  // One byte more than allowed shows that there is more. Room grows with what has come, so that a
  // short message does not cost the memory of the longest.
  for (;;) {
    if (used == text.size()) {
      text.resize(std::min(max_bytes + 1, std::max(4 * bytes.size() + 64, 2 * text.size())));
    }
    const auto [code, written] = inflater.Read(text.data() + used, text.size() - used);
    used += written;
    if (used > max_bytes) return TooLong(max_bytes);
    if (code == Z_STREAM_END) {
      if (!inflater.has_input()) break;
      inflater.BeginNextMember();
    } else if (code != Z_OK || (written == 0 && !inflater.has_input())) {
      return NotGzip();
    }
  }
  text.resize(used);
  return text;
}

}  // namespace todo::api::connect
