#include "net/target_guard.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "util/status.h"

namespace todo::net {
namespace {

constexpr std::size_t kMaxUrlBytes = 2048;
constexpr std::size_t kMaxNameBytes = 253;
constexpr char kNeedsHttps[] =
    "the URL must begin with https://; http is for hosts on the operator's list";

std::string WithoutFinalDot(std::string host) {
  if (!host.empty() && host.back() == '.') host.pop_back();
  return host;
}

bool IsHostCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_';
}

/// Whether `name` can be a host name, and cannot be meant as an address in some short or odd
/// notation.
bool IsHostName(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes) return false;
  if (!std::all_of(name.begin(), name.end(), IsHostCharacter)) return false;
  const std::string_view last = name.substr(name.rfind('.') + 1);
  return !last.empty() && absl::ascii_isalpha(static_cast<unsigned char>(last.front()));
}

/// Whether the name can lead to this machine only (RFC 6761).
bool IsLocalhost(std::string_view name) {
  return name == "localhost" || name.ends_with(".localhost");
}

std::string Part(CURLU* url, CURLUPart part, unsigned flags) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return "";
  std::string copy(text);
  curl_free(text);
  return copy;
}

absl::Status Denied(std::string_view reason) {
  return util::MakeStatus(absl::StatusCode::kPermissionDenied, reason);
}

}  // namespace

absl::StatusOr<TargetGuard> TargetGuard::Create(const std::vector<std::string>& allowed) {
  TargetGuard guard;
  for (const std::string& entry : allowed) {
    if (const auto block = IpBlock::Parse(entry)) {
      guard.blocks_.push_back(*block);
    } else if (std::string name = WithoutFinalDot(absl::AsciiStrToLower(entry)); IsHostName(name)) {
      guard.names_.insert(std::move(name));
    } else {
      return util::MakeStatus(absl::StatusCode::kInvalidArgument,
                              fmt::format("'{}' is neither a host name, nor an address, nor a "
                                          "block of addresses like 10.0.0.0/8",
                                          entry));
    }
  }
  return guard;
}

absl::StatusOr<Target> ParseTarget(std::string_view url) {
  if (url.size() > kMaxUrlBytes)
    return Denied(fmt::format("the URL is longer than {} bytes", kMaxUrlBytes));
  // libcurl would read up to the NUL, and people would see the rest.
  if (url.find('\0') != std::string_view::npos) return Denied("the URL holds a NUL");
  Target target;
  target.url.reset(curl_url());
  const CURLUcode code =
      curl_url_set(target.url.get(), CURLUPART_URL, std::string(url).c_str(), CURLU_DISALLOW_USER);
  if (code == CURLUE_USER_NOT_ALLOWED)
    return Denied("a URL with a user or password is not allowed");
  if (code != CURLUE_OK) return Denied("the URL cannot be read: it must begin with https://");

  const std::string scheme = Part(target.url.get(), CURLUPART_SCHEME, 0);
  if (scheme != "https" && scheme != "http") return Denied("the URL must begin with https://");
  target.encrypted = scheme == "https";
  const std::string host = absl::AsciiStrToLower(Part(target.url.get(), CURLUPART_HOST, 0));
  target.host = WithoutFinalDot(host);
  if (target.host.empty()) return Denied("the URL names no host");
  // What libcurl makes of other letters depends on the process's locale.
  const bool ipv6 = host.front() == '[';
  if (!ipv6 && !std::all_of(host.begin(), host.end(), IsHostCharacter))
    return Denied("the host's name must be given in its ASCII form (xn--...)");
  const std::string port = Part(target.url.get(), CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
  target.origin = fmt::format("{}://{}{}{}", scheme, host, port.empty() ? "" : ":", port);
  return target;
}

absl::Status TargetGuard::MayEver(const Target& target) const {
  const bool ipv6 = target.host.front() == '[' && target.host.back() == ']';
  const std::string_view host = target.host;
  if (const auto address = IpAddress::Parse(ipv6 ? host.substr(1, host.size() - 2) : host))
    return MayConnect(target, *address);
  if (IsLocalhost(host)) {
    absl::Status status = MayConnect(target, *IpAddress::Parse("127.0.0.1"));
    return status.ok() ? status : MayConnect(target, *IpAddress::Parse("::1"));
  }
  if (target.encrypted || names_.contains(target.host) || !blocks_.empty()) return absl::OkStatus();
  return Denied(kNeedsHttps);
}

absl::Status TargetGuard::MayConnect(const Target& target, const IpAddress& address) const {
  const bool listed = names_.count(target.host) > 0 ||
                      std::any_of(blocks_.begin(), blocks_.end(),
                                  [&](const IpBlock& block) { return block.Contains(address); });
  if (listed) return absl::OkStatus();
  if (!address.IsPublic())
    return Denied("the host is not one of the public internet, and not on the operator's list");
  if (!target.encrypted) return Denied(kNeedsHttps);
  return absl::OkStatus();
}

}  // namespace todo::net
