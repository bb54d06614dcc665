#include "front/connection_list.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>

namespace todo::front {
namespace {

using namespace std::chrono_literals;

class ConnectionListTest : public testing::Test {
 protected:
  ConnectionList::Id Add(const std::string& peer) {
    return list_.Add(std::make_unique<Connection>(Descriptor(),
                                                  Connection::Peer{.group = peer, .name = peer},
                                                  FrameLimits{}, ConnectionTimes{}, now_));
  }

  SteadyTime now_{1'000s};
  ConnectionList list_{{.total = 4, .per_peer = 3}};
};

TEST_F(ConnectionListTest, NobodyGivesWayWhileThereIsRoom) {
  Add("a");
  Add("a");
  EXPECT_EQ(list_.MustGiveWay("a", now_), 0U);
}

TEST_F(ConnectionListTest, TheLongestSilentConnectionGivesWay) {
  const auto first = Add("a");
  for (const std::string peer : {"b", "c", "d"}) {
    now_ += 10s;
    Add(peer);
  }
  EXPECT_EQ(list_.MustGiveWay("e", now_), first);
  list_.Remove(first);
  EXPECT_EQ(list_.Find(first), nullptr);
  EXPECT_EQ(list_.MustGiveWay("e", now_), 0U);
}

TEST_F(ConnectionListTest, APeerWithAllItsPlacesGivesOneOfItsOwn) {
  Add("b");
  now_ += 10s;
  const auto own = Add("a");
  Add("a");
  Add("a");
  EXPECT_EQ(list_.MustGiveWay("a", now_), own);
}

TEST_F(ConnectionListTest, ANewConnectionStaysBeforeSilentOnes) {
  const auto silent = Add("a");
  now_ += 10s;
  for (const std::string peer : {"b", "c", "d"}) Add(peer);
  EXPECT_EQ(list_.First(now_), silent);
}

}  // namespace
}  // namespace todo::front
