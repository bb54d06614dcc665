#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace todo::net {

/// An IPv4 or IPv6 address. An IPv4 address mapped into IPv6 (::ffff:a.b.c.d) *is* the IPv4
/// address: that is where the kernel connects to.
class IpAddress {
 public:
  /// nullopt for other families than IPv4 and IPv6. Precondition: `address` is as long as its
  /// family says.
  static std::optional<IpAddress> FromSocket(const sockaddr& address);
  /// The full notation only: four decimal numbers, or RFC 4291 without a zone.
  static std::optional<IpAddress> Parse(std::string_view text);

  /// Whether this is one host of the public internet, as the IANA registries of special-purpose
  /// addresses have it (2026). Not public are also addresses that embed an IPv4 address behind a
  /// translator (compatible, 6to4, Teredo, NAT64), whatever they embed, and what is known to answer
  /// with a cloud's credentials.
  bool IsPublic() const;

  bool operator==(const IpAddress&) const = default;

 private:
  friend class IpBlock;
  using Bytes = std::array<std::uint8_t, 16>;  // IPv4 as mapped into IPv6

  explicit IpAddress(const Bytes& bytes) : bytes_(bytes) {}
  bool IsV4() const;

  Bytes bytes_;
};

/// All addresses that begin with the same bits: "10.0.0.0/8", "fd00::/8".
class IpBlock {
 public:
  /// An address, or an address and a length; nullopt for anything else, and when bits behind the
  /// length are set (10.1.2.3/8 is rather a mistake than a wish).
  static std::optional<IpBlock> Parse(std::string_view text);

  bool Contains(const IpAddress& address) const;

 private:
  IpBlock(const IpAddress& base, int bits) : base_(base), bits_(bits) {}

  IpAddress base_;
  int bits_;  // of the 128
};

}  // namespace todo::net
