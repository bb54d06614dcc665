#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "api/mcp/json_rpc.h"
#include "api/request_parts.h"
#include "google/protobuf/message.h"

namespace todo::api::mcp {

/// The arguments of one call of a tool, held against the tool's schema when they are made: names,
/// required ones, types, enums, and the limits of length and value that the schema has; others are
/// left to the methods of the API. An argument that is null counts as not given, because some
/// clients send all that they know.
/// Thread safety: one thread.
class Arguments {
 public:
  /// `schema` is the tool's input schema, an object with `properties` and, perhaps, `required`.
  Arguments(Json given, const Json& schema);

  /// kInvalidArgument with everything that is wrong so far.
  absl::Status Check() const { return violations_.ToStatus(); }

  bool Has(const char* name) const { return given_.contains(name); }
  // An argument of a wrong type counts as not given.
  std::string Text(const char* name) const;     // empty: not given
  std::int64_t Number(const char* name) const;  // 0: not given
  bool Flag(const char* name, bool value_if_absent) const;

  /// All that was given, but for the request id: equal texts for equal arguments.
  std::string Content() const;

  /// Sets the fields of `message` that have the names of given arguments, whose types fit. An empty
  /// text sets nothing: with an update mask it clears the field.
  void Put(const std::vector<const char*>& names, google::protobuf::Message& message) const;

  void AddViolation(const char* name, std::string description) {
    violations_.Add(name, std::move(description));
  }

 private:
  void CheckAgainst(const Json& schema);

  Json given_;
  Violations violations_;
};

}  // namespace todo::api::mcp
