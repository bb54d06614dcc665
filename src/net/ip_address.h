#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace todo::net {

/// An IPv4 or IPv6 address. An IPv4 address mapped into IPv6 (::ffff:a.b.c.d) equals the IPv4
/// address: the kernel connects to that address.
class IpAddress {
 public:
  /// nullopt: the family is neither IPv4 nor IPv6. Precondition: `address` is as long as its family
  /// says.
  static std::optional<IpAddress> FromSocket(const sockaddr& address);
  /// Reads the full notation only: four decimal numbers, or RFC 4291 without a zone. nullopt:
  /// `text` is something else.
  static std::optional<IpAddress> Parse(std::string_view text);

  /// Whether this is a host of the public internet, by the IANA registries of special-purpose
  /// addresses (2026). Addresses that embed an IPv4 address behind a translator (compatible, 6to4,
  /// Teredo, NAT64) are not public, whatever they embed. Neither are the addresses at which clouds
  /// are known to answer with credentials.
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
  /// Reads an address, or an address and a length. nullopt: `text` is something else, or bits
  /// behind the length are set (10.1.2.3/8 is probably a mistake).
  static std::optional<IpBlock> Parse(std::string_view text);

  bool Contains(const IpAddress& address) const;

 private:
  IpBlock(const IpAddress& base, int bits) : base_(base), bits_(bits) {}

  IpAddress base_;
  int bits_;  // of the 128
};

}  // namespace todo::net
