#include "edge/head_parser.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

namespace todo::edge {
namespace {

constexpr std::size_t kMaxMethodBytes = 32;
/// Digits of a content-length; 10^18 fits into 64 bits.
constexpr std::size_t kMaxLengthDigits = 18;

using Fault = std::optional<HeadFault>;

HeadFault Bad(std::string detail) { return {.status = 400, .detail = std::move(detail)}; }

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool IsTokenByte(char c) {
  return IsAlphanumeric(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) { return Lower(c); });
  return lower;
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

/// Host and port as they stand in a URL.
bool IsAuthority(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return IsAlphanumeric(c) ||
           std::string_view("-._~%!$&'()*+;=:[]").find(c) != std::string_view::npos;
  });
}

/// Takes the authority from the absolute form of a target ("http://host/path"), which proxies use.
std::optional<std::string> TakeAuthority(std::string_view& target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (Lower(target.substr(0, scheme.size())) != scheme) continue;
    target.remove_prefix(scheme.size());
    const std::size_t end = std::min(target.find_first_of("/?"), target.size());
    std::string authority(target.substr(0, end));
    target.remove_prefix(end);
    if (target.empty()) target = "/";
    return authority;
  }
  return std::nullopt;
}

class Parser {
 public:
  explicit Parser(std::size_t max_fields) : max_fields_(max_fields) {}

  std::variant<ParsedHead, HeadFault> Parse(std::string_view text) {
    if (!text.ends_with("\r\n\r\n"))
      return Bad(
          "the head of the request has bytes that HTTP does not allow, or its lines do not "
          "end with CR LF");
    text.remove_suffix(2);  // the empty line
    bool first = true;
    while (!text.empty()) {
      const std::size_t end = text.find("\r\n");
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(end + 2);
      if (std::ranges::any_of(line, [](char c) { return IsControl(c) && c != '\t'; }))
        return Bad("the head of the request has control characters");
      const Fault fault = first ? RequestLine(line) : Field(line);
      if (fault) return *fault;
      first = false;
    }
    if (const Fault fault = Host()) return *fault;
    if (const Fault fault = Framing()) return *fault;
    Connection();
    if (const Fault fault = Expect()) return *fault;
    return std::move(parsed_);
  }

 private:
  Fault RequestLine(std::string_view line) {
    const std::size_t first_space = line.find(' ');
    const std::size_t last_space = line.rfind(' ');
    if (first_space == std::string_view::npos || first_space == last_space)
      return Bad("the first line is not a method, a target and a version");
    const std::string_view method = line.substr(0, first_space);
    const std::string_view version = line.substr(last_space + 1);
    if (!IsToken(method) || method.size() > kMaxMethodBytes)
      return Bad("the method of the request is not a token");
    if (!version.starts_with("HTTP/")) return Bad("the first line does not end with a version");
    if (version != "HTTP/1.1" && version != "HTTP/1.0")
      return HeadFault{.status = 505, .detail = "this server speaks HTTP/1.1"};
    parsed_.http_1_0 = version == "HTTP/1.0";
    parsed_.head.method = method;
    return Target(line.substr(first_space + 1, last_space - first_space - 1));
  }

  Fault Target(std::string_view target) {
    if (!std::ranges::all_of(target, [](char c) { return c > ' ' && c < 0x7f && c != '#'; }))
      return Bad("the target of the request has characters that must be escaped");
    target_authority_ = TakeAuthority(target);
    const bool whole_server = target == "*" && parsed_.head.method == "OPTIONS";
    if (!target.starts_with('/') && !target.starts_with('?') && !whole_server)
      return Bad("the target of the request is not a path");
    const std::size_t question = target.find('?');
    parsed_.head.path = question == 0 ? "/" : std::string(target.substr(0, question));
    if (question != std::string_view::npos) parsed_.head.query = target.substr(question + 1);
    if (target.starts_with('?') && !target_authority_) return Bad("the target is not a path");
    return std::nullopt;
  }

  Fault Field(std::string_view line) {
    if (parsed_.head.headers.size() >= max_fields_)
      return HeadFault{.status = 431, .detail = "the request has too many header fields"};
    const std::size_t colon = line.find(':');
    // This also refuses a folded line and space before the colon.
    if (colon == std::string_view::npos || !IsToken(line.substr(0, colon)))
      return Bad("a header field is not a name, a colon and a value");
    parsed_.head.headers.emplace_back(Lower(line.substr(0, colon)),
                                      std::string(Trim(line.substr(colon + 1))));
    return std::nullopt;
  }

  Fault Host() {
    const std::vector<std::string> hosts = parsed_.head.All("host");
    if (hosts.size() > 1 || (hosts.empty() && !parsed_.http_1_0))
      return Bad("the request must have one host field");
    if (!hosts.empty() && !IsAuthority(hosts[0])) return Bad("the host field is not a host");
    if (target_authority_ && !hosts.empty() && Lower(*target_authority_) != Lower(hosts[0]))
      return Bad("the target and the host field name different hosts");
    return std::nullopt;
  }

  Fault Framing() {
    const std::vector<std::string> lengths = parsed_.head.All("content-length");
    const std::vector<std::string> encodings = parsed_.head.All("transfer-encoding");
    if (lengths.size() > 1) return Bad("the request has more than one content-length");
    if (!lengths.empty() && !encodings.empty())
      return Bad("the request has a content-length and a transfer-encoding");
    if (!lengths.empty()) {
      const std::string& text = lengths[0];
      const bool digits =
          !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
      if (!digits || text.size() > kMaxLengthDigits) return Bad("the content-length is no number");
      std::uint64_t length = 0;
      std::from_chars(text.data(), text.data() + text.size(), length);
      parsed_.head.content_length = length;
    }
    if (encodings.empty()) return std::nullopt;
    if (parsed_.http_1_0) return Bad("HTTP/1.0 has no transfer-encoding");
    if (encodings.size() > 1 || Lower(encodings[0]) != "chunked")
      return HeadFault{.status = 501, .detail = "the only transfer-encoding here is chunked"};
    parsed_.chunked = true;
    return std::nullopt;
  }

  void Connection() {
    // HTTP/1.0 with keep-alive is not worth its traps.
    parsed_.keep_alive = !parsed_.http_1_0;
    for (const std::string& value : parsed_.head.All("connection")) {
      std::string_view rest = value;
      while (!rest.empty()) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        if (Lower(Trim(rest.substr(0, comma))) == "close") parsed_.keep_alive = false;
        rest.remove_prefix(std::min(comma + 1, rest.size()));
      }
    }
  }

  Fault Expect() {
    const std::string_view expectation = parsed_.head.Find("expect");
    if (expectation.empty() || parsed_.http_1_0) return std::nullopt;
    if (Lower(expectation) != "100-continue")
      return HeadFault{.status = 417, .detail = "the only expectation here is 100-continue"};
    parsed_.expects_continue = true;
    return std::nullopt;
  }

  const std::size_t max_fields_;
  ParsedHead parsed_;
  std::optional<std::string> target_authority_;
};

}  // namespace

bool IsToken(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, IsTokenByte);
}

std::optional<std::size_t> FindHeadEnd(std::string_view bytes, std::size_t searched) {
  for (std::size_t i = searched; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (c == '\n') {
      if (i == 0 || bytes[i - 1] != '\r') return i + 1;
      if (i >= 3 && bytes[i - 2] == '\n' && bytes[i - 3] == '\r') return i + 1;
    } else if (IsControl(c) && c != '\r' && c != '\t') {
      return i + 1;
    }
  }
  return std::nullopt;
}

std::variant<ParsedHead, HeadFault> ParseHead(std::string_view text, std::size_t max_fields) {
  return Parser(max_fields).Parse(text);
}

}  // namespace todo::edge
