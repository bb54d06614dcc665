#include "api/connect/codec.h"

#include <fmt/format.h>

#include "api/malformed_request.h"
#include "google/protobuf/util/json_util.h"
#include "util/status.h"
#include "util/utf8.h"

namespace todo::api::connect {
namespace {

using google::protobuf::Message;

constexpr std::size_t kMaxExplanationBytes = 300;

/// A refusal in the words of the JSON parser, whose later lines repeat the text around the mistake.
absl::Status MalformedJson(const Message& message, std::string_view explanation) {
  explanation = explanation.substr(0, explanation.find('\n'));
  return util::WithReason(
      util::MakeStatus(absl::StatusCode::kInvalidArgument,
                       fmt::format("the request is not JSON of type {}: {}",
                                   message.GetDescriptor()->full_name(),
                                   util::CutText(explanation, kMaxExplanationBytes))),
      "MALFORMED_REQUEST");
}

absl::Status ParseJson(std::string_view bytes, Message& message) {
  if (bytes.empty()) return MalformedJson(message, "the body is empty; an empty message is {}");
  if (!util::CountCharacters(bytes).has_value())
    return MalformedJson(message, "the body is not valid UTF-8");
  const auto status = google::protobuf::util::JsonStringToMessage(
      {bytes.data(), bytes.size()}, &message, google::protobuf::util::JsonParseOptions());
  if (status.ok()) return absl::OkStatus();
  const auto text = status.message();
  return MalformedJson(message, {text.data(), text.size()});
}

}  // namespace

std::string_view NameOf(Codec codec) { return codec == Codec::kJson ? "json" : "proto"; }

absl::Status Parse(Codec codec, std::string_view bytes, Message& message) {
  if (codec == Codec::kJson) return ParseJson(bytes, message);
  if (message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return absl::OkStatus();
  return ExplainMalformed(bytes, *message.GetDescriptor());
}

absl::StatusOr<std::string> Serialize(Codec codec, const Message& message) {
  std::string bytes;
  const bool done = codec == Codec::kJson
                        ? google::protobuf::util::MessageToJsonString(message, &bytes).ok()
                        : message.SerializeToString(&bytes);
  if (!done) return absl::InternalError("api: the response could not be serialised");
  return bytes;
}

}  // namespace todo::api::connect
