#include "api/connect/envelope.h"

#include <fmt/format.h>

#include <limits>

#include "util/require.h"
#include "util/status.h"

namespace todo::api::connect {
namespace {

absl::Status Malformed(std::string_view text) {
  return util::WithReason(util::MakeStatus(absl::StatusCode::kInvalidArgument, text),
                          "MALFORMED_REQUEST");
}

absl::Status NotOneMessage(std::string_view text) {
  return util::WithReason(util::MakeStatus(absl::StatusCode::kUnimplemented, text),
                          "NOT_ONE_MESSAGE");
}

}  // namespace

std::string Wrap(const Envelope& envelope) {
  TODO_REQUIRE(envelope.payload.size() <= std::numeric_limits<std::uint32_t>::max());
  const auto length = static_cast<std::uint32_t>(envelope.payload.size());
  std::string bytes;
  bytes.reserve(kEnvelopePrefixBytes + length);
  bytes.push_back(static_cast<char>(envelope.flags));
  for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<char>(length >> shift));
  bytes.append(envelope.payload);
  return bytes;
}

absl::StatusOr<Envelope> UnwrapOnly(std::string_view body) {
  if (body.empty()) return NotOneMessage("the request has no message; this method takes one");
  if (body.size() < kEnvelopePrefixBytes)
    return Malformed("the request ends within the prefix of a message");
  const auto flags = static_cast<std::uint8_t>(body[0]);
  std::uint32_t length = 0;
  for (std::size_t i = 1; i < kEnvelopePrefixBytes; ++i)
    length = length << 8 | static_cast<std::uint8_t>(body[i]);
  if ((flags & ~kCompressed) != 0)
    return Malformed(fmt::format("the request has a message with the unknown flags {}", flags));
  body.remove_prefix(kEnvelopePrefixBytes);
  if (body.size() < length) {
    return Malformed(fmt::format("the request ends within a message: {} of {} bytes have come",
                                 body.size(), length));
  }
  if (body.size() > length)
    return NotOneMessage("the request has more than one message; this method takes one");
  return Envelope{.flags = flags, .payload = body};
}

}  // namespace todo::api::connect
