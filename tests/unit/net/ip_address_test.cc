#include "net/ip_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/un.h>

#include <string>
#include <vector>

namespace todo::net {
namespace {

IpAddress Address(const std::string& text) {
  const auto address = IpAddress::Parse(text);
  EXPECT_TRUE(address) << text;
  return *address;
}
bool IsPublic(const std::string& text) { return Address(text).IsPublic(); }

TEST(IpAddress, TakesTheFullNotationOnly) {
  for (const char* text : {"127.0.0.1", "255.255.255.255", "::", "::1", "2001:db8::1", "FE80::1",
                           "::ffff:10.0.0.1", "1:2:3:4:5:6:7:8"})
    EXPECT_TRUE(IpAddress::Parse(text)) << text;
  for (const char* text : {"", "127.1", "2130706433", "0x7f.0.0.1", "127.0.0.1.", " 127.0.0.1",
                           "127.0.0.256", "fe80::1%lo", "[::1]", "1:2:3", "localhost"})
    EXPECT_FALSE(IpAddress::Parse(text)) << text;
  EXPECT_FALSE(IpAddress::Parse(std::string_view("127.0.0.1\0", 10)));
}

TEST(IpAddress, AMappedAddressIsTheIPv4Address) {
  EXPECT_EQ(Address("::ffff:127.0.0.1"), Address("127.0.0.1"));
  EXPECT_EQ(Address("::ffff:7f00:1"), Address("127.0.0.1"));
  EXPECT_TRUE(IsPublic("::ffff:8.8.8.8"));
  EXPECT_FALSE(IsPublic("::ffff:10.0.0.1"));
}

TEST(IpAddress, ComesFromSockets) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  inet_pton(AF_INET, "192.168.7.9", &v4.sin_addr);
  EXPECT_EQ(IpAddress::FromSocket(reinterpret_cast<const sockaddr&>(v4)), Address("192.168.7.9"));
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  inet_pton(AF_INET6, "fd12::9", &v6.sin6_addr);
  EXPECT_EQ(IpAddress::FromSocket(reinterpret_cast<const sockaddr&>(v6)), Address("fd12::9"));
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  EXPECT_EQ(IpAddress::FromSocket(reinterpret_cast<const sockaddr&>(local)), std::nullopt);
}

/// The first and the last address of each range that is not public, and their neighbours outside.
TEST(IpAddress, TheRangesThatAreNotPublicHaveTheirExactBounds) {
  struct Range {
    const char* before;
    const char* first;
    const char* last;
    const char* after;
  };
  const std::vector<Range> ranges = {
      {nullptr, "0.0.0.0", "0.255.255.255", "1.0.0.0"},
      {"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
      {"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
      {"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
      {"168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17"},
      {"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
      {"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
      {"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"},
      {"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
      {"192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"},
      {"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
      {"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
      {"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"},
      {"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"},
      {"223.255.255.255", "224.0.0.0", "255.255.255.255", nullptr},
      {nullptr, "::", "::fffe:ffff:ffff", nullptr},
      {nullptr, "::1:0:0:0", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"},
      {"2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
       "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"},
      {"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
       "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"},
      {"2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
       "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"},
      {"3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
       "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"},
      {"3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
       "4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", nullptr},
  };
  for (const Range& range : ranges) {
    EXPECT_FALSE(IsPublic(range.first));
    EXPECT_FALSE(IsPublic(range.last));
    for (const char* outside : {range.before, range.after})
      EXPECT_TRUE(outside == nullptr || IsPublic(outside)) << outside;
  }
}

TEST(IpAddress, AddressesThatEmbedAnotherAreNotPublicWhateverTheyEmbed) {
  for (const char* text :
       {"::127.0.0.1", "::8.8.8.8", "2002:7f00:1::", "2002:808:808::1", "64:ff9b::7f00:1",
        "64:ff9b::808:808", "64:ff9b:1::a00:1", "2001:0:5ef5:79fb::1", "::ffff:0:127.0.0.1"})
    EXPECT_FALSE(IsPublic(text)) << text;
}

TEST(IpAddress, AddressesThatAnswerWithACloudsCredentialsAreNotPublic) {
  for (const char* text : {"169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200",
                           "192.0.0.192", "fd00:ec2::254", "fe80::a9fe:a9fe"})
    EXPECT_FALSE(IsPublic(text)) << text;
}

TEST(IpAddress, HostsOfTheInternetArePublic) {
  for (const char* text : {"1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111",
                           "2a00:1450:4001:82a::200e", "2001:4860:4860::8888"})
    EXPECT_TRUE(IsPublic(text)) << text;
}

TEST(IpBlock, HoldsTheAddressesThatBeginWithItsBits) {
  const auto block = IpBlock::Parse("10.32.0.0/11").value();
  EXPECT_TRUE(block.Contains(Address("10.32.0.0")));
  EXPECT_TRUE(block.Contains(Address("10.63.255.255")));
  EXPECT_TRUE(block.Contains(Address("::ffff:10.40.0.1")));
  EXPECT_FALSE(block.Contains(Address("10.31.255.255")));
  EXPECT_FALSE(block.Contains(Address("10.64.0.0")));
  EXPECT_FALSE(block.Contains(Address("::10.40.0.1")));
  const auto one = IpBlock::Parse("fd00::7").value();
  EXPECT_TRUE(one.Contains(Address("fd00::7")));
  EXPECT_FALSE(one.Contains(Address("fd00::6")));
  EXPECT_TRUE(IpBlock::Parse("::/0").value().Contains(Address("8.8.8.8")));
  const auto all_v4 = IpBlock::Parse("0.0.0.0/0").value();
  EXPECT_TRUE(all_v4.Contains(Address("8.8.8.8")));
  EXPECT_FALSE(all_v4.Contains(Address("2600::1")));
}

TEST(IpBlock, RefusesBitsBehindTheLength) {
  for (const char* text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/8/8", "10/8",
        "10.1.2.3/8", "fd00::1/64", "fd00::/129", "10.0.0.0/+8", "example.com/8"})
    EXPECT_FALSE(IpBlock::Parse(text)) << text;
}

}  // namespace
}  // namespace todo::net
