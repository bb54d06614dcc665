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
  ConnectionList::Id AddWaiting(const std::string& peer) {
    now_ += 1s;
    return list_.Add(std::make_unique<Connection>(SocketPair(),
                                                  Connection::Peer{.group = peer, .name = peer},
                                                  FrameInspector{}, ConnectionTimes{}, now_));
  }
  /// A connection that is served; its client has said `bytes`.
  ConnectionList::Id Add(const std::string& peer, const std::string& bytes = Opening()) {
    const auto id = AddWaiting(peer);
    EXPECT_EQ(write(others_.back().get(), bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
    std::array<char, 1'024> scratch{};
    EXPECT_TRUE(list_.Find(id)->Move(
        scratch, [this](const Connection&) { return SocketPair(); }, now_));
    list_.NoteServed(*list_.Find(id));
    return id;
  }
  /// A connection with a call in progress.
  ConnectionList::Id AddCaller(const std::string& peer) { return Add(peer, Opening() + Call(1)); }

  /// One end; the other one is the last of others_.
  Descriptor SocketPair() {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    others_.emplace_back(ends[0]);
    return Descriptor(ends[1]);
  }

  SteadyTime now_{1'000s};
  std::vector<Descriptor> others_;
  ConnectionList list_{{.waiting = 3, .served = 4, .served_per_peer = 3}};
};

TEST_F(ConnectionListTest, NobodyGivesWayWhileThereIsRoom) {
  Add("a");
  Add("a");
  EXPECT_EQ(list_.ServedToGiveWay("a"), 0U);
  EXPECT_EQ(list_.WaitingToGiveWay(), 0U);
}

TEST_F(ConnectionListTest, TheLongestWaitingGivesWayToAnotherThatWaits) {
  Add("a");
  const auto first = AddWaiting("a");
  AddWaiting("a");
  EXPECT_EQ(list_.WaitingToGiveWay(), 0U);
  AddWaiting("a");
  EXPECT_EQ(list_.WaitingToGiveWay(), first);
  EXPECT_EQ(list_.ServedToGiveWay("a"), 0U) << "those that wait take no place of the others";
  EXPECT_EQ(list_.First(), first);
}

TEST_F(ConnectionListTest, TheLongestSilentGivesWay) {
  const auto first = Add("a");
  for (const std::string peer : {"b", "c", "d"}) Add(peer);
  EXPECT_EQ(list_.ServedToGiveWay("e"), first);
  EXPECT_EQ(list_.First(), first);
  list_.Remove(first);
  EXPECT_EQ(list_.Find(first), nullptr);
  EXPECT_EQ(list_.ServedToGiveWay("e"), 0U);
}

TEST_F(ConnectionListTest, APeerWithAllItsPlacesGivesOneOfItsOwn) {
  Add("b");
  const auto own = Add("a");
  Add("a");
  Add("a");
  EXPECT_EQ(list_.ServedToGiveWay("a"), own);
}

TEST_F(ConnectionListTest, CallersStayWhileNewcomersHaveMoreThanTheirShare) {
  AddCaller("a");
  const auto newcomer = Add("b");
  Add("c");
  Add("d");
  EXPECT_EQ(list_.ServedToGiveWay("e"), newcomer);
}

TEST_F(ConnectionListTest, NewcomersKeepTheirShare) {
  const auto longest = AddCaller("a");
  AddCaller("b");
  AddCaller("c");
  Add("d");
  EXPECT_EQ(list_.ServedToGiveWay("e"), longest);
}

}  // namespace
}  // namespace todo::front
