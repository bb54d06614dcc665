#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "domain/ids.h"
#include "domain/time.h"
#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"
#include "util/status.h"

// Parts that the requests and responses of several services have in common.
//
// A Decode or Check function adds to `violations` whatever is wrong with `field`, a path as in the
// API ("task.due_date"), and then returns a value that must not be used: call
// Violations::ToStatus() before. All are pure functions.

namespace todo::api {

/// Everything that is wrong with a request, collected field by field, so that the caller sees all
/// of it at once.
class Violations {
 public:
  void Add(std::string_view field, std::string description) {
    violations_.push_back({std::string(field), std::move(description)});
  }
  bool empty() const { return violations_.empty(); }
  /// OK when nothing was added, else kInvalidArgument with all violations.
  absl::Status ToStatus() const {
    return violations_.empty() ? absl::OkStatus() : util::InvalidFields(violations_);
  }

 private:
  std::vector<util::FieldViolation> violations_;
};

// ---- times

google::protobuf::Timestamp EncodeInstant(domain::Instant instant);

struct InstantOptions {
  /// The instants that the field takes: all that a Timestamp can hold (years 1 to 9999), or those
  /// that can be stored (years 1970 to 9999).
  enum class Range { kTimestamp, kStorable } range = Range::kTimestamp;
  /// Fractions of a microsecond.
  enum class Rounding { kDown, kUp } rounding = Rounding::kDown;
};
std::optional<domain::Instant> DecodeInstant(const google::protobuf::Timestamp& timestamp,
                                             std::string_view field, Violations& violations,
                                             InstantOptions options = {});

// ---- ids

domain::TaskId DecodeTaskId(std::int64_t id, std::string_view field, Violations& violations);
domain::Uuid DecodeUuid(const std::string& text, std::string_view field, Violations& violations);
/// DecodeUuid for a request in which nothing else can be wrong: kInvalidArgument instead of a
/// violation.
absl::StatusOr<domain::Uuid> DecodeOnlyUuid(const std::string& text, std::string_view field = "id");

/// The name of the field in which every request that changes something once carries its id.
inline constexpr char kRequestIdField[] = "request_id";
/// A request id is a UUID, or empty: the caller cannot repeat the call.
void CheckRequestId(const std::string& request_id, Violations& violations);

/// The version that an etag stands for; nullopt when it is empty.
std::optional<std::int64_t> DecodeEtag(const std::string& etag, std::string_view field,
                                       Violations& violations);

// ---- numbers and text

inline constexpr int kMaxPageSize = 500;
inline constexpr int kDefaultPageSize = 50;
int DecodePageSize(std::int32_t page_size, Violations& violations);

/// A number from 1 to `max`, where 0 stands for `default_count`.
struct CountLimits {
  int max = 0;
  int default_count = 0;
};
int DecodeCount(std::int32_t count, std::string_view field, CountLimits limits,
                Violations& violations);

/// Text is UTF-8 without NUL characters.
void CheckText(const std::string& text, std::string_view field, Violations& violations);

/// The text, or nullopt when it is empty.
std::optional<std::string> NonEmpty(const std::string& text);

/// The description of a violation: an update mask names the field `path`, but only `known` fields
/// can be updated.
std::string UnknownMaskPath(std::string_view path, std::string_view known);

// ---- messages

/// The serialised message: equal bytes for equal content, in every process of this version.
std::string DeterministicBytes(const google::protobuf::Message& message);

/// Clients accept 4 MiB by default. A page that would be larger is made shorter; a single element
/// is always far smaller.
inline constexpr std::size_t kMaxPageBytes = 3 * 1024 * 1024;

}  // namespace todo::api
