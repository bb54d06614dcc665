#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

// Messages as the bytes of a body, in the two forms of the Connect protocol. Thread safety: all are
// pure functions.

namespace todo::api::connect {

enum class Codec { kJson, kProto };

/// "json" or "proto", as media types and queries name it.
std::string_view NameOf(Codec codec);

/// kInvalidArgument, with a text for the caller: the bytes are no message of this type. JSON is
/// taken as ProtoJSON; a field that the type does not have is refused, because it is most likely a
/// typing error.
absl::Status Parse(Codec codec, std::string_view bytes, google::protobuf::Message& message);

/// kInternal: the message cannot be serialised. JSON leaves fields out that have their default
/// value.
absl::StatusOr<std::string> Serialize(Codec codec, const google::protobuf::Message& message);

}  // namespace todo::api::connect
