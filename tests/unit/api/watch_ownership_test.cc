// Nobody gets the changes of another user, over any door: sockets, events, and WatchTasks on both
// doors. Every change goes to all watches of its user, as the change feed sends it; so a door that
// took the wrong user for a caller would show here.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "api/connect/envelope.h"
#include "api/connect_door.h"
#include "api/events_door.h"
#include "api/socket_door.h"
#include "api/watch_methods.h"
#include "connect/fake_exchange.h"
#include "fake_feed.h"
#include "fake_tickets.h"
#include "fake_web_socket.h"
#include "served.h"
#include "todo_definition.h"

namespace todo::api {
namespace {

std::string TitleOf(const std::string& user, int number) {
  return fmt::format("({} of {})", number, user);
}

/// The titles in `text`, in their order.
std::vector<std::string> TitlesIn(const std::string& text) {
  std::vector<std::string> titles;
  for (std::size_t at = 0; (at = text.find('(', at)) != std::string::npos;) {
    const std::size_t end = text.find(')', at);
    titles.push_back(text.substr(at, end + 1 - at));
    at = end;
  }
  return titles;
}

/// One client of one door.
class Screen {
 public:
  Screen() = default;
  virtual ~Screen() = default;
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  /// The titles since the last call. `count` titles are expected; a screen may wait for them.
  virtual std::vector<std::string> Take(std::size_t count) = 0;
  /// The client goes. The titles that came since the last Take.
  virtual std::vector<std::string> Leave() = 0;
};

class SocketScreen final : public Screen {
 public:
  explicit SocketScreen(SocketClient client) : client_(std::move(client)) {}
  std::vector<std::string> Take(std::size_t /*count*/) override {
    const std::vector<std::string> texts = client_.socket->texts();
    std::vector<std::string> titles;
    for (; seen_ < texts.size(); ++seen_) {
      for (std::string& title : TitlesIn(texts[seen_])) titles.push_back(std::move(title));
    }
    return titles;
  }
  std::vector<std::string> Leave() override {
    client_.Leave();
    return Take(0);
  }

 private:
  SocketClient client_;
  std::size_t seen_ = 0;
};

/// Of /events, and of WatchTasks as JSON.
class HttpScreen final : public Screen {
 public:
  explicit HttpScreen(std::shared_ptr<connect::Received> received)
      : received_(std::move(received)) {}
  std::vector<std::string> Take(std::size_t /*count*/) override {
    std::string body;
    received_->Update([&](auto& state) { body = std::exchange(state.body, {}); });
    return TitlesIn(body);
  }
  std::vector<std::string> Leave() override {
    received_->Leave();
    return Take(0);
  }

 private:
  const std::shared_ptr<connect::Received> received_;
};

class GrpcScreen final : public Screen {
 public:
  GrpcScreen(Served& served, const std::string& user)
      : context_(CallAs(user)), reader_(served.stub().WatchTasks(context_.get(), {})) {}
  std::vector<std::string> Take(std::size_t count) override {
    std::vector<std::string> titles;
    v1::WatchTasksResponse response;
    while (titles.size() < count && reader_->Read(&response))
      titles.push_back(response.update().task().title());
    return titles;
  }
  std::vector<std::string> Leave() override {
    context_->TryCancel();
    return Take(SIZE_MAX);
  }

 private:
  const std::unique_ptr<grpc::ClientContext> context_;
  const std::unique_ptr<grpc::ClientReader<v1::WatchTasksResponse>> reader_;
};

class WatchOwnershipTest : public testing::Test {
 protected:
  static ServiceDefinition Definition(ports::ChangeFeed& feed) {
    ServiceDefinition definition = DefinitionWith(Echo);
    for (MethodDefinition& method : definition.methods)
      if (method.name == "WatchTasks") method = WatchTasksMethod(feed);
    return definition;
  }

  struct Seat {
    std::string user;
    FakeFeed::Number watch = 0;
    std::unique_ptr<Screen> screen;
  };
  /// Opens a screen of any kind.
  Seat Open(const std::string& user, std::mt19937& random) {
    Seat seat{.user = user,
              .watch = static_cast<FakeFeed::Number>(feed_.request_count()),
              .screen = MakeScreen(user, static_cast<int>(random() % 7))};
    EXPECT_EQ(feed_.Request(seat.watch).user.value, user);
    return seat;
  }

  std::unique_ptr<Screen> MakeScreen(const std::string& user, int way) {
    const std::string ticket = tickets_.Make({.user = {user}, .roles = {}})->text;
    switch (way) {
      case 0: return Socket({{"x-user-id", user}}, R"({"type":"hello"})");
      case 1: return Socket({}, fmt::format(R"({{"type":"hello","user_id":"{}"}})", user));
      case 2: return Socket({}, fmt::format(R"({{"type":"hello","ticket":"{}"}})", ticket));
      case 3: return Http(events_, "/events", {{"x-user-id", user}}, "", "");
      case 4: {
        std::string escaped = ticket;
        std::ranges::replace(escaped, ' ', '+');
        return Http(events_, "/events", {}, "ticket=" + escaped, "");
      }
      case 5:
        return Http(connect_, "/todo.v1.TodoService/WatchTasks",
                    {{"x-user-id", user}, {"content-type", "application/connect+json"}}, "",
                    connect::Wrap({.flags = 0, .payload = "{}"}));
      default: return std::make_unique<GrpcScreen>(served_, user);
    }
  }
  std::unique_ptr<Screen> Socket(util::HttpHeaders headers, const std::string& hello) {
    headers.emplace_back("sec-websocket-protocol", "todo.v1");
    SocketClient client(socket_, std::move(headers));
    client.Say(hello);
    EXPECT_EQ(client.socket->code(), 0) << client.socket->last();
    return std::make_unique<SocketScreen>(std::move(client));
  }
  static std::unique_ptr<Screen> Http(util::HttpHandler& door, std::string path,
                                      util::HttpHeaders headers, std::string query,
                                      std::string body) {
    util::HttpRequestHead head{.method = body.empty() ? "GET" : "POST",
                               .path = std::move(path),
                               .query = std::move(query),
                               .headers = std::move(headers),
                               .peer = "127.0.0.1",
                               .encrypted = false,
                               .content_length = std::nullopt};
    return std::make_unique<HttpScreen>(connect::Serve(door, std::move(head), std::move(body)));
  }

  FakeFeed feed_;
  FakeTickets tickets_;
  Served served_{Definition(feed_)};
  NamedCaller authenticator_;
  util::WorkerPool pool_{1, 100};
  MethodTable methods_{{Definition(feed_)}};
  Admission admission_{authenticator_,
                       pool_,
                       {.ready = {}, .limits = nullptr, .alarms = nullptr, .tickets = &tickets_}};
  ConnectDoor connect_{methods_, admission_};
  SocketDoor socket_{admission_, feed_, {}};
  EventsDoor events_{admission_, feed_, {}};
};

int CountOfPairs() {
  const char* count = std::getenv("TODO_RANDOM_PAIRS");
  return count == nullptr ? 100'000 : std::atoi(count);
}

TEST_F(WatchOwnershipTest, NobodyGetsTheChangesOfAnotherUser) {
  constexpr std::size_t kScreens = 16;
  const std::vector<std::string> users{"ann", "ben",  "an",   "ann2", "Ann",
                                       "ANN", "eve2", "eve.", "0",    "ann.ben"};
  std::mt19937 random(2026);  // NOLINT(*-msc51-cpp): repeatable
  std::vector<Seat> seats;
  const auto any_user = [&] { return users[random() % users.size()]; };
  for (std::size_t i = 0; i < kScreens; ++i) seats.push_back(Open(any_user(), random));

  // Each change meets each screen: that many pairs of a change and a connection.
  const int changes = CountOfPairs() / static_cast<int>(kScreens);
  for (int i = 1; i <= changes; ++i) {
    if (random() % 20 == 0) {
      Seat& seat = seats[random() % seats.size()];
      ASSERT_THAT(seat.screen->Leave(), testing::IsEmpty()) << "a screen of " << seat.user;
      feed_.WaitUntilOver(seat.watch);
      seat = Open(any_user(), random);
    }
    const std::string user = any_user();
    const std::string title = TitleOf(user, i);
    const auto watching = std::ranges::count(seats, user, &Seat::user);
    ASSERT_EQ(feed_.SendTo(user, ChangeOfFeed(i, user, title)), watching);
    for (const Seat& seat : seats) {
      const std::vector<std::string> expected =
          seat.user == user ? std::vector{title} : std::vector<std::string>();
      ASSERT_EQ(seat.screen->Take(expected.size()), expected) << "a screen of " << seat.user;
    }
  }
  for (const Seat& seat : seats) EXPECT_THAT(seat.screen->Leave(), testing::IsEmpty());
}

}  // namespace
}  // namespace todo::api
