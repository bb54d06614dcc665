// Gives the readers of the Connect protocol whatever comes behind the head of an HTTP request.
// Stops at anything that their headers rule out.
//
// An input is a request as a client sends it: a head, an empty line, a body.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "api/connect/call_head.h"
#include "api/connect/envelope.h"
#include "api/connect/gzip.h"
#include "api/status_encoding.h"
#include "edge/head_parser.h"
#include "require.h"
#include "util/utf8.h"

namespace {

using todo::api::connect::CallHead;
using todo::api::connect::MethodShape;
using todo::fuzz::Require;

constexpr std::size_t kMaxFields = 20;
constexpr std::size_t kMaxUnpackedBytes = 1'000;

void CheckHead(const todo::util::HttpRequestHead& head) {
  for (const bool read_only : {false, true}) {
    for (const bool streams : {false, true}) {
      const MethodShape shape{.read_only = read_only, .streams = streams};
      const auto read = todo::api::connect::ReadCallHead(head, shape, todo::api::EncodeStatus);
      if (const auto* const refusal = std::get_if<todo::util::HttpResponse>(&read)) {
        Require((refusal->status >= 400 && refusal->status <= 599) ||
                    (streams && refusal->status == 200),
                "a refusal has a status of its own");
        continue;
      }
      const auto& call = std::get<CallHead>(read);
      Require(!call.message || (read_only && !streams && head.method == "GET"),
              "only a method that changes nothing is called with GET");
      Require(call.streams == streams, "a stream is answered with a stream");
      Require(!call.timeout || call.timeout->count() >= 0, "a timeout is not negative");
    }
  }
  (void)todo::api::connect::StreamContentTypeOf(head);
  (void)todo::api::connect::DecodeQuery(head.query);
}

void CheckBody(std::string_view body) {
  if (const auto envelope = todo::api::connect::UnwrapOnly(body); envelope.ok()) {
    Require(todo::api::connect::Wrap(*envelope) == body, "an envelope has one form");
  } else {
    Require(envelope.status().code() == absl::StatusCode::kUnimplemented ||
                envelope.status().code() == absl::StatusCode::kInvalidArgument,
            "a refusal has its documented code");
  }
  if (const auto text = todo::api::connect::Gunzip(body, kMaxUnpackedBytes); text.ok()) {
    Require(text->size() <= kMaxUnpackedBytes, "what is unpacked keeps to its bound");
  } else {
    Require(text.status().code() == absl::StatusCode::kInvalidArgument ||
                text.status().code() == absl::StatusCode::kResourceExhausted,
            "a refusal has its documented code");
  }
  if (body.size() > kMaxUnpackedBytes) return;
  const auto again = todo::api::connect::Gunzip(todo::api::connect::Gzip(body), kMaxUnpackedBytes);
  Require(again.ok() && *again == body, "what was packed can be unpacked");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = todo::fuzz::TextOf(data, size);
  const std::optional<std::size_t> end = todo::edge::FindHeadEnd(bytes, 0);
  if (!end) {
    CheckBody(bytes);
    return 0;
  }
  const auto parsed = todo::edge::ParseHead(bytes.substr(0, *end), kMaxFields);
  if (const auto* const head = std::get_if<todo::edge::ParsedHead>(&parsed)) CheckHead(head->head);
  CheckBody(bytes.substr(*end));
  return 0;
}
