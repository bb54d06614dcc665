#include "api/request_parts.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <chrono>

#include "domain/task/task.h"
#include "util/utf8.h"

namespace todo::api {
namespace {

using google::protobuf::Timestamp;

constexpr std::int32_t kMaxNanos = 999'999'999;

std::int64_t SecondsOf(domain::Instant instant) {
  return std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch().count();
}

bool CheckSeconds(const Timestamp& timestamp, std::string_view field, Violations& violations,
                  InstantOptions::Range range) {
  if (range == InstantOptions::Range::kStorable) {
    if (timestamp.seconds() >= SecondsOf(domain::kMinInstant) &&
        timestamp.seconds() <= SecondsOf(domain::kMaxInstant)) {
      return true;
    }
    violations.Add(field, "must lie in the years 1970 to 9999 (UTC)");
    return false;
  }
  // 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z, the range of the message's own definition.
  constexpr std::int64_t kMinSeconds = -62'135'596'800;
  constexpr std::int64_t kMaxSeconds = 253'402'300'799;
  if (timestamp.seconds() >= kMinSeconds && timestamp.seconds() <= kMaxSeconds) return true;
  violations.Add(field,
                 "must lie in the years 1 to 9999 (seconds are counted from 1970-01-01T00:00:00Z)");
  return false;
}

}  // namespace

Timestamp EncodeInstant(domain::Instant instant) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(instant);
  Timestamp timestamp;
  timestamp.set_seconds(seconds.time_since_epoch().count());
  timestamp.set_nanos(
      static_cast<std::int32_t>(std::chrono::nanoseconds(instant - seconds).count()));
  return timestamp;
}

std::optional<domain::Instant> DecodeInstant(const Timestamp& timestamp, std::string_view field,
                                             Violations& violations, InstantOptions options) {
  if (!CheckSeconds(timestamp, field, violations, options.range)) return std::nullopt;
  if (timestamp.nanos() < 0 || timestamp.nanos() > kMaxNanos) {
    violations.Add(field, "has nanos outside 0 to 999,999,999");
    return std::nullopt;
  }
  const std::chrono::nanoseconds nanos(timestamp.nanos());
  return domain::Instant(std::chrono::seconds(timestamp.seconds()) +
                         (options.rounding == InstantOptions::Rounding::kUp
                              ? std::chrono::ceil<std::chrono::microseconds>(nanos)
                              : std::chrono::floor<std::chrono::microseconds>(nanos)));
}

domain::TaskId DecodeTaskId(std::int64_t id, std::string_view field, Violations& violations) {
  if (id <= 0) violations.Add(field, "must be the id of a task, a number greater than 0");
  return domain::TaskId{id};
}

domain::Uuid DecodeUuid(const std::string& text, std::string_view field, Violations& violations) {
  const std::optional<domain::Uuid> id = domain::Uuid::Parse(text);
  if (!id) violations.Add(field, "must be an id from an answer of this service: a UUID");
  return id.value_or(domain::Uuid());
}

absl::StatusOr<domain::Uuid> DecodeOnlyUuid(const std::string& text, std::string_view field) {
  Violations violations;
  const domain::Uuid id = DecodeUuid(text, field, violations);
  TODO_RETURN_IF_ERROR(violations.ToStatus());
  return id;
}

void CheckRequestId(const std::string& request_id, Violations& violations) {
  if (!request_id.empty() && !domain::Uuid::Parse(request_id)) {
    violations.Add(kRequestIdField,
                   "must be a UUID such as 7d444840-9dc0-41d1-b245-5ffdce74fad2, or empty");
  }
}

std::optional<std::int64_t> DecodeEtag(const std::string& etag, std::string_view field,
                                       Violations& violations) {
  if (etag.empty()) return std::nullopt;
  const std::optional<std::int64_t> version = domain::VersionOfEtag(etag);
  if (!version)
    violations.Add(field,
                   "is not an etag of this service: send the etag of the last answer, or none");
  return version;
}

int DecodePageSize(std::int32_t page_size, Violations& violations) {
  return DecodeCount(page_size, "page_size",
                     {.max = kMaxPageSize, .default_count = kDefaultPageSize}, violations);
}

int DecodeCount(std::int32_t count, std::string_view field, CountLimits limits,
                Violations& violations) {
  if (count < 0 || count > limits.max) {
    violations.Add(field, fmt::format("is {}; it must be 1 to {}, or 0 for the default of {}",
                                      count, limits.max, limits.default_count));
  }
  return count == 0 ? limits.default_count : count;
}

void CheckText(const std::string& text, std::string_view field, Violations& violations) {
  if (!util::CountCharacters(text))
    violations.Add(field, "must be valid UTF-8 without NUL characters");
}

std::optional<std::string> NonEmpty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

std::string UnknownMaskPath(std::string_view path, std::string_view known) {
  constexpr std::size_t kMaxQuotedBytes = 50;
  if (path.size() > kMaxQuotedBytes)
    return fmt::format("names a field that cannot be updated; known are {}", known);
  return fmt::format("names \"{}\", which cannot be updated; known are {}", path, known);
}

std::string DeterministicBytes(const google::protobuf::Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return bytes;
}

}  // namespace todo::api
