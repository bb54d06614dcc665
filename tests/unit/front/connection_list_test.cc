#include "front/connection_list.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "unit/front/frames.h"

namespace todo::front {
namespace {

using namespace std::chrono_literals;

class ConnectionListTest : public testing::Test {
 protected:
  ConnectionList::Id Add(const std::string& peer) {
    now_ += 1s;
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    clients_.emplace_back(ends[0]);
    return list_.Add(std::make_unique<Connection>(Descriptor(ends[1]),
                                                  Connection::Peer{.group = peer, .name = peer},
                                                  FrameInspector{}, ConnectionTimes{}, now_));
  }
  /// A connection with a call in progress.
  ConnectionList::Id AddCaller(const std::string& peer) {
    const auto id = Add(peer);
    const std::string bytes = Opening() + Call(1);
    EXPECT_EQ(write(clients_.back().get(), bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
    std::array<char, 1'024> scratch{};
    EXPECT_TRUE(list_.Find(id)->Move(
        scratch, [this](const Connection&) { return Descriptor(Server()); }, now_));
    return id;
  }
  int Server() {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    clients_.emplace_back(ends[0]);
    return ends[1];
  }

  SteadyTime now_{1'000s};
  std::vector<Descriptor> clients_;
  ConnectionList list_{{.total = 4, .per_peer = 3}};
};

TEST_F(ConnectionListTest, NobodyGivesWayWhileThereIsRoom) {
  Add("a");
  Add("a");
  EXPECT_EQ(list_.MustGiveWay("a"), 0U);
}

TEST_F(ConnectionListTest, TheLongestSilentConnectionGivesWay) {
  const auto first = Add("a");
  for (const std::string peer : {"b", "c", "d"}) Add(peer);
  EXPECT_EQ(list_.MustGiveWay("e"), first);
  list_.Remove(first);
  EXPECT_EQ(list_.Find(first), nullptr);
  EXPECT_EQ(list_.MustGiveWay("e"), 0U);
}

TEST_F(ConnectionListTest, APeerWithAllItsPlacesGivesOneOfItsOwn) {
  Add("b");
  const auto own = Add("a");
  Add("a");
  Add("a");
  EXPECT_EQ(list_.MustGiveWay("a"), own);
}

TEST_F(ConnectionListTest, CallersStayWhileNewcomersHaveMoreThanTheirShare) {
  AddCaller("a");
  AddCaller("b");
  const auto newcomer = Add("c");
  Add("d");
  EXPECT_EQ(list_.MustGiveWay("e"), newcomer);
}

TEST_F(ConnectionListTest, NewcomersKeepTheirShare) {
  const auto longest = AddCaller("a");
  AddCaller("b");
  AddCaller("c");
  Add("d");
  EXPECT_EQ(list_.MustGiveWay("e"), longest);
}

}  // namespace
}  // namespace todo::front
