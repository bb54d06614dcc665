#pragma once

#include <string>
#include <vector>

#include "api/mcp/json_rpc.h"
#include "google/protobuf/descriptor.h"

// JSON schemas of arguments and results (https://json-schema.org, 2020-12).
// All are pure functions.

namespace todo::api::mcp {

Json TextSchema(std::string description);
Json TextSchema(std::string description, int max_characters);
Json FlagSchema(std::string description);
Json NumberSchema(std::string description, int min, int max);
Json TextsSchema(std::string description);
/// One of the values of `type`, by their plain names.
Json ChoiceSchema(const google::protobuf::EnumDescriptor& type, std::string description);

/// An object with these members and no others.
Json ArgumentsSchema(Json properties, const std::vector<std::string>& required = {});
/// An object with these members, and perhaps others; those of `required` are always there.
Json ResultSchema(Json properties, const std::vector<std::string>& required);

/// Arguments that several tools have.
struct CommonSchemas {
  Json id, etag, request_id, title, description, priority, tags, due_local, time_zone,
      recurrence_rule, recurrence_basis, scope;
};
const CommonSchemas& Common();

/// Of a task in a result.
Json TaskSchema();

}  // namespace todo::api::mcp
