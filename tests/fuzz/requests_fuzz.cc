// Calls every method of users with whatever comes, in JSON or in protobuf's bytes, and calls it
// again with what was understood. Stops at anything that the headers of the encodings and of the
// use cases rule out, and at an answer that cannot be encoded.
//
// An input is the name of a method ("TodoService/CreateTask"), a line feed, "json" or "proto",
// another line feed, and the body. Anything else is taken as the JSON of a CreateTaskRequest.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "api/connect/codec.h"
#include "api/request_parts.h"
#include "api/status_encoding.h"
#include "google/rpc/status.pb.h"
#include "require.h"
#include "services_in_memory.h"
#include "util/status.h"
#include "util/utf8.h"

namespace {

using google::protobuf::Message;
using todo::api::Method;
using todo::api::connect::Codec;
using todo::fuzz::Require;
using todo::fuzz::ServicesInMemory;

constexpr std::size_t kMaxExplanationBytes = 20'000;

struct Call {
  const Method* method = nullptr;
  Codec codec = Codec::kJson;
  std::string_view body;
};

Call CallIn(std::string_view input, const todo::api::MethodTable& methods) {
  const std::size_t line = input.find('\n');
  if (line != std::string_view::npos) {
    const std::string_view rest = input.substr(line + 1);
    const Method* const method =
        methods.Find(std::string("/todo.v1.").append(input.substr(0, line)));
    for (const Codec codec : {Codec::kJson, Codec::kProto}) {
      const std::string prefix = std::string(NameOf(codec)) + "\n";
      if (method != nullptr && rest.starts_with(prefix))
        return {.method = method, .codec = codec, .body = rest.substr(prefix.size())};
    }
  }
  return {.method = methods.Find("/todo.v1.TodoService/CreateTask"), .body = input};
}

void CheckRefusal(const absl::Status& status) {
  Require(
      status.code() != absl::StatusCode::kInternal && status.code() != absl::StatusCode::kUnknown,
      "no request leads to an internal error");
  const google::rpc::Status encoded = todo::api::EncodeStatus(status);
  Require(todo::util::CountCharacters(encoded.message()).has_value(), "a refusal is text");
  Require(encoded.ByteSizeLong() <= kMaxExplanationBytes, "a refusal is short");
  if (status.code() == absl::StatusCode::kInvalidArgument)
    Require(!status.message().empty(), "a refusal says what is wrong");
}

/// A message that can be written can be read again, and is the same then.
void CheckForms(const Message& message) {
  for (const Codec codec : {Codec::kJson, Codec::kProto}) {
    const auto bytes = todo::api::connect::Serialize(codec, message);
    Require(bytes.ok(), "a message can be written");
    const std::unique_ptr<Message> again(message.New());
    Require(todo::api::connect::Parse(codec, *bytes, *again).ok(),
            "a message that was written can be read");
    Require(todo::api::DeterministicBytes(*again) == todo::api::DeterministicBytes(message),
            "a message has one meaning");
  }
}

void Run(const Method& method, const Message& request, const ServicesInMemory& services) {
  const std::unique_ptr<Message> response(method.response_prototype->New());
  const absl::Status status = method.handler(services.CallerOf("ada"), request, *response);
  if (!status.ok()) return CheckRefusal(status);
  CheckForms(*response);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // New services are only worth their time for a request that reaches them.
  static const ServicesInMemory untouched;
  const Call call = CallIn(todo::fuzz::TextOf(data, size), untouched.methods);
  const std::unique_ptr<Message> request(call.method->request_prototype->New());
  const absl::Status parsed = todo::api::connect::Parse(call.codec, call.body, *request);
  if (!parsed.ok()) {
    Require(parsed.code() == absl::StatusCode::kInvalidArgument, "a refusal has its code");
    CheckRefusal(parsed);
    return 0;
  }
  if (call.method->streams()) return 0;
  const ServicesInMemory services;
  const Method& method = *services.methods.Find(call.method->path);
  Run(method, *request, services);
  Run(method, *request, services);
  // The tasks that the call has made, and those that it would find.
  const Method* const list = services.methods.Find("/todo.v1.TodoService/ListTasks");
  const std::unique_ptr<Message> all(list->request_prototype->New());
  Run(*list, *all, services);
  return 0;
}
