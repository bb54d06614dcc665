#include "net/target_guard.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "util/status.h"

namespace todo::net {
namespace {

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
