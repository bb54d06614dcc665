#include "api/connect/call_head.h"

#include <absl/strings/escaping.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "util/http_problem.h"
#include "util/status.h"

namespace todo::api::connect {
namespace {

using util::HttpRequestHead;
using util::HttpResponse;

constexpr std::size_t kMaxTimeoutDigits = 10;
constexpr std::string_view kStreamPrefix = "application/connect+";

absl::Status Malformed(std::string_view text) {
  return util::WithReason(util::MakeStatus(absl::StatusCode::kInvalidArgument, text),
                          "MALFORMED_REQUEST");
}

absl::Status UnknownEncoding(std::string_view header) {
  return util::WithReason(
      util::MakeStatus(
          absl::StatusCode::kUnimplemented,
          fmt::format("{}: the encoding is unknown; known are gzip and identity", header)),
      "ENCODING_UNKNOWN");
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

/// The part of `text` before the next `separator`, which is taken away from `text`.
std::string_view TakePart(std::string_view& text, char separator) {
  const std::string_view part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(text.size(), part.size() + 1));
  return part;
}

/// The media type of a request, without parameters; empty when a parameter asks for a charset
/// that is not UTF-8.
std::string MediaTypeOf(std::string_view content_type) {
  std::string lower = LowerCase(content_type);
  std::string_view rest = lower;
  std::string type(Trimmed(TakePart(rest, ';')));
  while (!rest.empty()) {
    std::string_view parameter = Trimmed(TakePart(rest, ';'));
    if (!parameter.starts_with("charset=")) continue;
    parameter.remove_prefix(std::string_view("charset=").size());
    if (parameter != "utf-8" && parameter != "\"utf-8\"") return "";
  }
  return type;
}

std::optional<Codec> CodecNamed(std::string_view name) {
  for (const Codec codec : {Codec::kJson, Codec::kProto})
    if (name == NameOf(codec)) return codec;
  return std::nullopt;
}

/// Whether the name of an encoding stands for gzip; false for none. An unknown one is an error.
absl::StatusOr<bool> IsGzip(std::string_view name, std::string_view header) {
  if (name.empty() || name == "identity") return false;
  if (name == "gzip") return true;
  return UnknownEncoding(header);
}

/// Whether a list such as "br, gzip;q=0.8" allows gzip.
bool AllowsGzip(std::string_view list) {
  const std::string lower = LowerCase(list);
  std::string_view rest = lower;
  while (!rest.empty()) {
    std::string_view entry = TakePart(rest, ',');
    const std::string_view name = Trimmed(TakePart(entry, ';'));
    if (name != "gzip") continue;
    const std::string_view weight = Trimmed(entry);
    // "q=0", "q=0.0" and so on forbid it.
    return !weight.starts_with("q=0") || weight.find_first_of("123456789") != weight.npos;
  }
  return false;
}

absl::StatusOr<std::optional<std::chrono::milliseconds>> ReadTimeout(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t milliseconds = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, milliseconds);
  if (error != std::errc() || stop != end || text.size() > kMaxTimeoutDigits || milliseconds < 0) {
    return Malformed(
        "connect-timeout-ms: the value must be a whole number of milliseconds with at "
        "most 10 digits");
  }
  return std::chrono::milliseconds(milliseconds);
}

bool IsOfferedByGet(const MethodShape& method) { return method.read_only && !method.streams; }

HttpResponse OnlyMethods(const MethodShape& method) {
  const std::string_view allowed = IsOfferedByGet(method) ? "GET, POST" : "POST";
  HttpResponse response =
      util::HttpProblem(405, fmt::format("this method is called with {}", allowed));
  response.headers.emplace_back("allow", allowed);
  return response;
}

HttpResponse UnsupportedType(const MethodShape& method) {
  const std::string_view types = method.streams
                                     ? "application/connect+json, application/connect+proto"
                                     : "application/json, application/proto";
  HttpResponse response = util::HttpProblem(
      415, fmt::format("the content-type must be one of: {}; the text is UTF-8", types));
  response.headers.emplace_back("accept-post", types);
  return response;
}

/// The value of a parameter; nullptr when it is not there.
const std::string* Find(const std::vector<std::pair<std::string, std::string>>& parameters,
                        std::string_view name) {
  for (const auto& [key, value] : parameters)
    if (key == name) return &value;
  return nullptr;
}

absl::StatusOr<std::string> DecodeBase64(const std::string& text) {
  std::string bytes;
  // Both alphabets: that of URLs is the protocol's, the other a common mistake without harm.
  if (absl::WebSafeBase64Unescape(text, &bytes) || absl::Base64Unescape(text, &bytes)) return bytes;
  return Malformed("query: the message is not base64");
}

/// The message of a GET and its encodings into `call`. The codec has been read.
absl::Status ReadQuery(const std::vector<std::pair<std::string, std::string>>& parameters,
                       CallHead& call) {
  if (const auto* version = Find(parameters, "connect"); version != nullptr && *version != "v1")
    return Malformed("query: connect must be v1");
  const std::string* message = Find(parameters, "message");
  if (message == nullptr) return Malformed("query: the parameter message is missing");
  const std::string* compression = Find(parameters, "compression");
  TODO_ASSIGN_OR_RETURN(
      call.gzipped, IsGzip(compression == nullptr ? std::string_view() : *compression, "query"));
  const std::string* base64 = Find(parameters, "base64");
  if (base64 == nullptr || *base64 == "0") {
    call.message = *message;
    return absl::OkStatus();
  }
  TODO_ASSIGN_OR_RETURN(call.message, DecodeBase64(*message));
  return absl::OkStatus();
}

/// The headers that all kinds of calls share.
absl::Status ReadHeaders(const HttpRequestHead& head, CallHead& call) {
  const std::string_view version = head.Find("connect-protocol-version");
  if (!version.empty() && version != "1") return Malformed("connect-protocol-version must be 1");
  TODO_ASSIGN_OR_RETURN(call.timeout, ReadTimeout(head.Find("connect-timeout-ms")));
  if (call.streams) {
    call.accepts_gzip = AllowsGzip(head.Find("connect-accept-encoding"));
    TODO_ASSIGN_OR_RETURN(
        call.gzipped, IsGzip(head.Find("connect-content-encoding"), "connect-content-encoding"));
  } else {
    call.accepts_gzip = AllowsGzip(head.Find("accept-encoding"));
  }
  if (call.streams || call.message.has_value()) return absl::OkStatus();
  TODO_ASSIGN_OR_RETURN(call.gzipped, IsGzip(head.Find("content-encoding"), "content-encoding"));
  return absl::OkStatus();
}

HttpResponse Refusal(const google::rpc::Status& error, const CallHead& call) {
  return call.streams ? StreamError(error, call.content_type()) : UnaryError(error);
}

std::variant<CallHead, HttpResponse> ReadGet(const HttpRequestHead& head, const MethodShape& method,
                                             const StatusEncoder& encode) {
  CallHead call;
  const auto parameters = DecodeQuery(head.query);
  if (!parameters.ok()) return Refusal(encode(parameters.status()), call);
  const std::string* encoding = Find(*parameters, "encoding");
  if (encoding == nullptr)
    return Refusal(encode(Malformed("query: the parameter encoding is missing: json or proto")),
                   call);
  const std::optional<Codec> codec = CodecNamed(*encoding);
  if (!codec.has_value()) return UnsupportedType(method);
  call.codec = *codec;
  if (const absl::Status status = ReadQuery(*parameters, call); !status.ok())
    return Refusal(encode(status), call);
  if (const absl::Status status = ReadHeaders(head, call); !status.ok())
    return Refusal(encode(status), call);
  return call;
}

}  // namespace

std::string CallHead::content_type() const {
  return fmt::format("application/{}{}", streams ? "connect+" : "", NameOf(codec));
}

std::variant<CallHead, HttpResponse> ReadCallHead(const HttpRequestHead& head,
                                                  const MethodShape& method,
                                                  const StatusEncoder& encode) {
  if (head.method == "GET" && IsOfferedByGet(method)) return ReadGet(head, method, encode);
  if (head.method != "POST") return OnlyMethods(method);

  const std::string type = MediaTypeOf(head.Find("content-type"));
  const std::string_view prefix = method.streams ? kStreamPrefix : "application/";
  const std::optional<Codec> codec = type.starts_with(prefix)
                                         ? CodecNamed(std::string_view(type).substr(prefix.size()))
                                         : std::nullopt;
  if (!codec.has_value()) return UnsupportedType(method);
  CallHead call;
  call.codec = *codec;
  call.streams = method.streams;
  if (const absl::Status status = ReadHeaders(head, call); !status.ok())
    return Refusal(encode(status), call);
  return call;
}

std::string_view StreamContentTypeOf(const HttpRequestHead& head) {
  const std::string type = MediaTypeOf(head.Find("content-type"));
  for (const std::string_view known : {"application/connect+json", "application/connect+proto"})
    if (type == known) return known;
  return "";
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> DecodeQuery(
    std::string_view query) {
  const auto decode = [](std::string_view text) -> absl::StatusOr<std::string> {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '%') {
        decoded.push_back(text[i] == '+' ? ' ' : text[i]);
        continue;
      }
      unsigned value = 0;
      const char* const digits = text.data() + i + 1;
      const bool has_two = i + 2 < text.size();
      if (!has_two || std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2)
        return Malformed("query: a percent sign stands before two hexadecimal digits");
      decoded.push_back(static_cast<char>(value));
      i += 2;
    }
    return decoded;
  };
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!query.empty()) {
    std::string_view value = TakePart(query, '&');
    const std::string_view name = TakePart(value, '=');
    TODO_ASSIGN_OR_RETURN(std::string decoded_name, decode(name));
    TODO_ASSIGN_OR_RETURN(std::string decoded_value, decode(value));
    parameters.emplace_back(std::move(decoded_name), std::move(decoded_value));
  }
  return parameters;
}

}  // namespace todo::api::connect
