#include "net/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>
#include <vector>

namespace todo::net {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::vector<IpBlock> Blocks(std::initializer_list<const char*> texts) {
  std::vector<IpBlock> blocks;
  for (const char* text : texts) blocks.push_back(IpBlock::Parse(text).value());
  return blocks;
}

bool AnyContains(const std::vector<IpBlock>& blocks, const IpAddress& address) {
  return std::any_of(blocks.begin(), blocks.end(),
                     [&](const IpBlock& block) { return block.Contains(address); });
}

const std::vector<IpBlock>& SpecialV4() {
  static const std::vector<IpBlock> blocks = Blocks({
      "0.0.0.0/8",         // this network; Linux connects 0.0.0.0 to itself
      "10.0.0.0/8",        // private
      "100.64.0.0/10",     // behind carriers' NAT
      "127.0.0.0/8",       // loopback
      "168.63.129.16/32",  // Azure's host, from inside of its machines
      "169.254.0.0/16",    // link-local, the clouds' metadata among it
      "172.16.0.0/12",     // private
      "192.0.0.0/24",      // protocol assignments
      "192.0.2.0/24",      // documentation
      "192.88.99.0/24",    // 6to4 relays
      "192.168.0.0/16",    // private
      "198.18.0.0/15",     // benchmarks
      "198.51.100.0/24",   // documentation
      "203.0.113.0/24",    // documentation
      "224.0.0.0/4",       // multicast
      "240.0.0.0/4",       // reserved, broadcast
  });
  return blocks;
}

// Nothing outside of it is assigned to hosts of the internet.
const IpBlock& GlobalV6() {
  static const IpBlock block = IpBlock::Parse("2000::/3").value();
  return block;
}

const std::vector<IpBlock>& SpecialV6() {
  static const std::vector<IpBlock> blocks = Blocks({
      "2001::/23",      // protocol assignments: Teredo, benchmarks, ORCHID
      "2001:db8::/32",  // documentation
      "2002::/16",      // 6to4
      "3fff::/20",      // documentation
  });
  return blocks;
}

}  // namespace

std::optional<IpAddress> IpAddress::FromSocket(const sockaddr& address) {
  Bytes bytes{};
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof(v4));
    std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
    std::memcpy(bytes.data() + kMappedPrefix.size(), &v4.sin_addr, 4);
  } else if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof(v6));
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  } else {
    return std::nullopt;
  }
  return IpAddress(bytes);
}

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  const std::string terminated(text);
  if (terminated.size() != std::strlen(terminated.c_str())) return std::nullopt;
  Bytes bytes{};
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return IpAddress(bytes);
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
  if (inet_pton(AF_INET, terminated.c_str(), bytes.data() + kMappedPrefix.size()) == 1)
    return IpAddress(bytes);
  return std::nullopt;
}

bool IpAddress::IsV4() const {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes_.begin());
}

bool IpAddress::IsPublic() const {
  if (IsV4()) return !AnyContains(SpecialV4(), *this);
  return GlobalV6().Contains(*this) && !AnyContains(SpecialV6(), *this);
}

std::optional<IpBlock> IpBlock::Parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view number = text.substr(0, slash);
  const std::optional<IpAddress> base = IpAddress::Parse(number);
  if (!base) return std::nullopt;
  const int width = number.find(':') == std::string_view::npos ? 32 : 128;
  int length = width;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    if (length < 0 || length > width) return std::nullopt;
  }
  const int bits = 128 - width + length;
  for (int bit = bits; bit < 128; ++bit)
    if (base->bytes_[static_cast<std::size_t>(bit / 8)] & (0x80 >> bit % 8)) return std::nullopt;
  return IpBlock(*base, bits);
}

bool IpBlock::Contains(const IpAddress& address) const {
  const auto whole = static_cast<std::size_t>(bits_ / 8);
  if (std::memcmp(base_.bytes_.data(), address.bytes_.data(), whole) != 0) return false;
  const int rest = bits_ % 8;
  return rest == 0 || ((base_.bytes_[whole] ^ address.bytes_[whole]) >> (8 - rest)) == 0;
}

}  // namespace todo::net
