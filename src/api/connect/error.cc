#include "api/connect/error.h"

#include <absl/strings/escaping.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/connect/envelope.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/util/json_util.h"
#include "google/rpc/error_details.pb.h"
#include "util/status.h"

namespace todo::api::connect {
namespace {

using google::protobuf::Any;
using google::protobuf::Message;
using json = nlohmann::ordered_json;

struct Code {
  std::string_view name;
  int http_status;
};
/// By number of gRPC's code.
constexpr std::array<Code, 17> kCodes{{{"ok", 200},
                                       {"canceled", 499},
                                       {"unknown", 500},
                                       {"invalid_argument", 400},
                                       {"deadline_exceeded", 504},
                                       {"not_found", 404},
                                       {"already_exists", 409},
                                       {"permission_denied", 403},
                                       {"resource_exhausted", 429},
                                       {"failed_precondition", 400},
                                       {"aborted", 409},
                                       {"out_of_range", 400},
                                       {"unimplemented", 501},
                                       {"internal", 500},
                                       {"unavailable", 503},
                                       {"data_loss", 500},
                                       {"unauthenticated", 401}}};
constexpr std::size_t kUnknown = 2;

const Code& CodeOf(int code) {
  const auto index = static_cast<std::size_t>(code);
  return kCodes[code < 0 || index >= kCodes.size() ? kUnknown : index];
}

/// Base64 without padding.
std::string Base64(std::string_view bytes) {
  std::string text = absl::Base64Escape(util::ToAbsl(bytes));
  text.resize(text.find_last_not_of('=') + 1);
  return text;
}

/// The content of a detail, or null when its type is not known or the content is broken.
json DebugOf(const std::string& type, const Any& detail) {
  const auto* descriptor =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(type);
  if (descriptor == nullptr) return nullptr;
  const Message* prototype =
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor);
  const std::unique_ptr<Message> content(prototype->New());
  std::string text;
  if (!content->ParseFromString(detail.value()) ||
      !google::protobuf::util::MessageToJsonString(*content, &text).ok()) {
    return nullptr;
  }
  return json::parse(text, nullptr, /*allow_exceptions=*/false);
}

json DetailJson(const Any& detail) {
  const std::string type = detail.type_url().substr(detail.type_url().rfind('/') + 1);
  json object{{"type", type}, {"value", Base64(detail.value())}};
  if (json debug = DebugOf(type, detail); !debug.is_null() && !debug.is_discarded())
    object["debug"] = std::move(debug);
  return object;
}

json ErrorObject(const google::rpc::Status& error) {
  json object{{"code", NameOfCode(error.code())}};
  if (!error.message().empty()) object["message"] = error.message();
  for (const Any& detail : error.details()) object["details"].push_back(DetailJson(detail));
  return object;
}

std::string TextOf(const json& object) {
  // Replaces what is not UTF-8, rather than throw.
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// The pause that an error asks for, in whole seconds; 0 when there is none.
std::int64_t SecondsToWait(const google::rpc::Status& error) {
  google::rpc::RetryInfo retry;
  for (const Any& detail : error.details()) {
    if (!detail.UnpackTo(&retry)) continue;
    const auto& delay = retry.retry_delay();
    return std::max<std::int64_t>(1, delay.seconds() + (delay.nanos() > 0 ? 1 : 0));
  }
  return 0;
}

}  // namespace

std::string_view NameOfCode(int code) { return CodeOf(code).name; }

int HttpStatusOf(int code) { return CodeOf(code).http_status; }

std::string ErrorJson(const google::rpc::Status& error) { return TextOf(ErrorObject(error)); }

std::string EndOfStreamJson(const google::rpc::Status& status, const util::HttpHeaders& trailers) {
  json end = json::object();
  if (status.code() != 0) end["error"] = ErrorObject(status);
  for (const auto& [name, value] : trailers) end["metadata"][name].push_back(value);
  return TextOf(end);
}

util::HttpResponse UnaryError(const google::rpc::Status& error) {
  util::HttpResponse response{.status = HttpStatusOf(error.code()),
                              .headers = {{"content-type", "application/json"}},
                              .body = ErrorJson(error) + "\n"};
  if (const std::int64_t seconds = SecondsToWait(error); seconds > 0)
    response.headers.emplace_back("retry-after", fmt::format("{}", seconds));
  if (response.status == 401) response.headers.emplace_back("www-authenticate", "Bearer");
  return response;
}

util::HttpResponse StreamError(const google::rpc::Status& error, std::string_view content_type) {
  const std::string end = EndOfStreamJson(error, {});
  return {.status = 200,
          .headers = {{"content-type", std::string(content_type)}},
          .body = Wrap({.flags = kEndOfStream, .payload = end})};
}

}  // namespace todo::api::connect
