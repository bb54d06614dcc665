// Feeds the readers of the URLs, addresses and mail addresses that users give whatever comes. Stops
// at anything that their headers rule out: above all at two readers that see different hosts, and
// at an address inside our network that a user may name.
//
// An input is a text: a URL, an address or block of addresses, or a mail address.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "domain/notification/endpoint_rules.h"
#include "net/ip_address.h"
#include "net/target.h"
#include "net/target_guard.h"
#include "require.h"

namespace {

using todo::fuzz::Require;
using todo::net::IpAddress;
using todo::net::Target;
using todo::net::TargetGuard;

bool IsPrintableAscii(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c < 0x7f; });
}

/// The address that `host` is, when it is one.
std::optional<IpAddress> AddressIn(std::string_view host) {
  const bool ipv6 = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
  return IpAddress::Parse(ipv6 ? host.substr(1, host.size() - 2) : host);
}

void CheckGuard(const Target& target) {
  static const TargetGuard strict = *TargetGuard::Create({});
  static const TargetGuard open = *TargetGuard::Create({"hooks.internal", "10.0.0.0/8"});
  const IpAddress loopback = *IpAddress::Parse("127.0.0.1");
  const IpAddress metadata = *IpAddress::Parse("169.254.169.254");
  Require(!strict.MayConnect(target, loopback).ok(), "no URL leads to this machine");
  Require(!open.MayConnect(target, metadata).ok() || target.host == "hooks.internal",
          "no URL leads to the credentials of a cloud");
  const std::optional<IpAddress> address = AddressIn(target.host);
  if (strict.MayEver(target).ok()) {
    Require(target.encrypted, "only https is allowed");
    Require(!address || address->IsPublic(), "only addresses of the public internet are allowed");
  }
  if (address) {
    Require(strict.MayEver(target).ok() == strict.MayConnect(target, *address).ok(),
            "the advice and the guard agree about an address");
  }
}

void CheckUrl(std::string_view url) {
  const auto target = todo::net::ParseTarget(url);
  const auto host = todo::domain::HostOfUrl(url);
  if (target.ok()) {
    Require(!target->host.empty() && IsPrintableAscii(target->host), "a target has a host");
    Require(target->origin.starts_with(target->encrypted ? "https://" : "http://"),
            "an origin begins with its scheme");
    CheckGuard(*target);
  } else {
    Require(target.status().code() == absl::StatusCode::kPermissionDenied,
            "a refusal has its documented code");
  }
  if (!host.ok()) {
    Require(host.status().code() == absl::StatusCode::kInvalidArgument &&
                !host.status().message().empty(),
            "a refusal has its documented code, and a reason");
    return;
  }
  Require(IsPrintableAscii(url) && url.size() <= todo::domain::kMaxUrlBytes,
          "a URL is of printable ASCII, and not too long");
  if (!target.ok() || AddressIn(target->host)) return;
  // Names only: libcurl writes an address in its usual form.
  const std::string name = host->starts_with('[') ? *host : host->substr(0, host->find(':'));
  Require(name == target->host, "two readers see one host");
}

void CheckAddresses(std::string_view text) {
  if (const auto address = IpAddress::Parse(text)) {
    const auto block = todo::net::IpBlock::Parse(text);
    Require(block && block->Contains(*address), "an address is in the block of itself");
  }
  (void)todo::net::IpBlock::Parse(text);
  (void)TargetGuard::Create({std::string(text)});
}

void CheckMail(std::string_view text) {
  const absl::Status status = todo::domain::CheckMailAddress(text);
  if (!status.ok()) {
    Require(status.code() == absl::StatusCode::kInvalidArgument,
            "a refusal has its documented code");
    return;
  }
  Require(IsPrintableAscii(text) && std::ranges::count(text, '@') == 1 && text.size() <= 254,
          "a mail address is printable ASCII with one @");
  Require(text.find_first_of("<>()[],;:\\\"") == std::string_view::npos && !text.starts_with('-'),
          "a mail address holds nothing that a mail program would take for syntax");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = todo::fuzz::TextOf(data, size);
  CheckUrl(text);
  CheckAddresses(text);
  CheckMail(text);
  return 0;
}
