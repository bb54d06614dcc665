#pragma once

#include <string>

#include "api/mcp/json_rpc.h"
#include "domain/time.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"

// Messages of the API as JSON that is short and easy to read for an assistant: names as in the
// proto files, numbers of 64 bits as numbers, instants as in RFC 3339, values of enums in small
// letters without the name of their type ("high" for PRIORITY_HIGH). All are pure functions.

namespace todo::api::mcp {

domain::Instant InstantIn(const google::protobuf::Timestamp& time);

/// What is not set, or empty, is left out; a number or a truth value without presence is always
/// there.
Json PlainJson(const google::protobuf::Message& message);

/// "high" for PRIORITY_HIGH.
std::string PlainName(const google::protobuf::EnumValueDescriptor& value);
/// The value of this plain name; nullptr: there is none, or it is the unspecified one.
const google::protobuf::EnumValueDescriptor* FindByPlainName(
    const google::protobuf::EnumDescriptor& type, const std::string& name);

}  // namespace todo::api::mcp
