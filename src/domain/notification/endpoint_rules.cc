#include "domain/notification/endpoint_rules.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "absl/strings/ascii.h"
#include "util/status.h"

namespace todo::domain {
namespace {

bool IsIpv6(std::string_view text) {
  in6_addr address{};
  return inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return absl::ascii_tolower(static_cast<unsigned char>(c)); });
  return lower;
}

/// Host and port of a URL's authority, the port with the colon before it.
std::pair<std::string_view, std::string_view> SplitAuthority(std::string_view authority) {
  std::size_t end = authority.find(':');
  if (authority.starts_with('[')) {
    end = authority.find(']');
    end = end == std::string_view::npos ? end : end + 1;
  } else if (std::ranges::count(authority, ':') > 1 && IsIpv6(authority)) {
    end = std::string_view::npos;  // an address that lacks its brackets
  }
  if (end == std::string_view::npos) return {authority, {}};
  return {authority.substr(0, end), authority.substr(end)};
}

/// Whether `port` is ":1" to ":65535", or nothing behind the colon or without one.
bool IsPort(std::string_view port) {
  if (port.empty() || port == ":") return true;
  int number = 0;
  const char* const end = port.data() + port.size();
  const auto [stop, error] = std::from_chars(port.data() + 1, end, number);
  return port[0] == ':' && error == std::errc() && stop == end && number >= 1 && number <= 65'535;
}

/// Whether a host with this last label must be an IPv4 address: by the URL standard no top-level
/// domain is a number.
bool EndsInNumber(std::string_view label) {
  const auto digits = [](std::string_view text, auto is_digit) {
    return std::ranges::all_of(text, [&](unsigned char c) { return is_digit(c); });
  };
  if (label.starts_with("0x") || label.starts_with("0X"))
    return digits(label.substr(2), absl::ascii_isxdigit);
  return digits(label, absl::ascii_isdigit);
}

/// Why `host`, the host of a URL, is invalid and what to write instead; empty when it is valid.
std::string_view WhatIsWrongWithHost(std::string_view host) {
  constexpr std::size_t kMaxLabelBytes = 63;
  constexpr std::size_t kMaxNameBytes = 253;
  if (host.starts_with('[') || host.find(':') != std::string_view::npos) {
    const bool right =
        host.starts_with('[') && host.ends_with(']') && IsIpv6(host.substr(1, host.size() - 2));
    return right ? "" : "has no valid IPv6 address in brackets, such as [2001:db8::1], as its host";
  }
  if (std::ranges::any_of(host, [](unsigned char c) { return c >= 0x80 || c == '%'; })) {
    return "must name its host in ASCII: write the form that begins with xn--, "
           "xn--bcher-kva.example for b\u00fccher.example";
  }
  if (!std::ranges::all_of(host, [](unsigned char c) {
        return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
      })) {
    return "has a host with other characters than letters, digits, hyphens and dots";
  }
  if (host.ends_with('.')) host.remove_suffix(1);
  std::string_view last;
  bool right = host.size() <= kMaxNameBytes;
  for (std::size_t begin = 0; right && begin <= host.size(); begin += last.size() + 1) {
    last = host.substr(begin, host.find('.', begin) - begin);
    right = !last.empty() && last.size() <= kMaxLabelBytes;
  }
  if (!right) {
    return "has an invalid host: each part between the dots must have 1 to 63 characters, the "
           "whole "
           "name at most 253";
  }
  in_addr address{};
  if (EndsInNumber(last) && inet_aton(std::string(host).c_str(), &address) == 0)
    return "has a host that is neither a name nor an IPv4 address of four numbers up to 255";
  return "";
}

/// Atoms with dots between them (RFC 5322 section 3.2.3).
bool IsDotAtom(std::string_view text) {
  constexpr std::string_view kSpecial = "!#$%&'*+-/=?^_`{|}~";
  char before = '.';
  for (const char c : text) {
    const bool atom = absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                      kSpecial.find(c) != std::string_view::npos;
    if (c == '.' ? before == '.' : !atom) return false;
    before = c;
  }
  return before != '.';
}

}  // namespace

absl::StatusOr<std::string> HostOfUrl(std::string_view url) {
  const auto refused = [](std::string_view why) {
    return util::MakeStatus(absl::StatusCode::kInvalidArgument, why);
  };
  if (url.empty()) return refused("must be given: a URL such as https://hooks.example/todo");
  if (url.size() > kMaxUrlBytes)
    return refused(fmt::format("is longer than {} bytes", kMaxUrlBytes));
  if (std::ranges::any_of(url, [](unsigned char c) { return c <= ' ' || c == 0x7f; }))
    return refused("must not hold spaces or control characters: write a space as %20");
  if (url.find('\\') != std::string_view::npos)
    return refused("must not hold a backslash: write a slash, or %5C");
  const std::size_t scheme_end = std::min(url.find("://"), url.size());
  const std::string scheme = Lower(url.substr(0, scheme_end));
  if (scheme_end == url.size() || (scheme != "https" && scheme != "http"))
    return refused("must be a URL that begins with https://");
  std::string_view authority = url.substr(scheme_end + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos)
    return refused("must not hold a user name or password");

  const auto [host, port] = SplitAuthority(authority);
  if (host.empty()) return refused("names no host");
  if (const std::string_view wrong = WhatIsWrongWithHost(host); !wrong.empty())
    return refused(wrong);
  if (!IsPort(port)) return refused("has a port that is not a number from 1 to 65535");
  if (!std::ranges::all_of(url, [](unsigned char c) { return c < 0x80; }))
    return refused(
        "must be ASCII behind its host: percent-encode other characters, \u00fc as %C3%BC");

  // "example.org." equals "example.org", and a colon alone is no port.
  const std::string_view name = host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
  return Lower(name) + std::string(port.size() > 1 ? port : "");
}

bool IsAddressLike(std::string_view text, std::size_t max_bytes) {
  const std::size_t at = text.find('@');
  return at != std::string_view::npos && text.size() <= max_bytes &&
         IsDotAtom(text.substr(0, at)) && IsDotAtom(text.substr(at + 1));
}

absl::Status CheckMailAddress(std::string_view address) {
  constexpr std::size_t kMaxAddressBytes = 254;
  constexpr std::size_t kMaxLocalBytes = 64;
  const std::size_t at = address.find('@');
  // An address must not look like a flag of a mail program, and its host must be a valid one.
  if (IsAddressLike(address, kMaxAddressBytes) && at <= kMaxLocalBytes && address[0] != '-' &&
      address[at + 1] != '-' && std::ranges::all_of(address.substr(at + 1), [](unsigned char c) {
        return absl::ascii_isalnum(c) || c == '-' || c == '.';
      })) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("must be one e-mail address such as ada@example.org");
}

}  // namespace todo::domain
