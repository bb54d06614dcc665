// A WebSocket server of Boost.Beast without anything around it, to compare with: sends messages
// back, and sends texts to all its clients. Prints its port. Ends with its standard input, whose
// lines are "COUNT TEXT": TEXT goes to every socket COUNT times.

#include <sys/resource.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::system::error_code;
using tcp = asio::ip::tcp;

class Session;
using Sessions = std::unordered_set<std::shared_ptr<Session>>;

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, Sessions& sessions)
      : stream_(std::move(socket)), sessions_(sessions) {}

  void Start() {
    stream_.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
      response.set(beast::http::field::sec_websocket_protocol, "todo.v1");
    }));
    stream_.async_accept([self = shared_from_this()](error_code error) {
      if (error) return;
      self->sessions_.insert(self);
      self->Read();
    });
  }

  void Send(std::shared_ptr<const std::string> text) {
    queue_.push_back(std::move(text));
    if (queue_.size() == 1) Write();
  }

 private:
  void Read() {
    stream_.async_read(buffer_, [self = shared_from_this()](error_code error, std::size_t) {
      if (error) {
        self->sessions_.erase(self);
        return;
      }
      self->Send(
          std::make_shared<const std::string>(beast::buffers_to_string(self->buffer_.data())));
      self->buffer_.consume(self->buffer_.size());
      self->Read();
    });
  }

  void Write() {
    stream_.async_write(asio::buffer(*queue_.front()),
                        [self = shared_from_this()](error_code error, std::size_t) {
                          self->queue_.pop_front();
                          if (!error && !self->queue_.empty()) self->Write();
                        });
  }

  websocket::stream<tcp::socket> stream_;
  Sessions& sessions_;
  beast::flat_buffer buffer_;
  std::deque<std::shared_ptr<const std::string>> queue_;
};

class Server {
 public:
  void Run() {
    std::cout << acceptor_.local_endpoint().port() << std::endl;
    Accept();
    std::jthread reader([this] {
      for (std::string line; std::getline(std::cin, line);)
        asio::post(io_, [this, line] { Broadcast(line); });
      asio::post(io_, [this] { io_.stop(); });
    });
    io_.run();
  }

 private:
  void Accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      if (!error) std::make_shared<Session>(std::move(socket), sessions_)->Start();
      Accept();
    });
  }

  void Broadcast(const std::string& line) {
    std::istringstream words(line);
    int count = 0;
    words >> count >> std::ws;
    std::string text;
    std::getline(words, text);
    const auto shared = std::make_shared<const std::string>(text);
    for (int i = 0; i < count; ++i) {
      for (const std::shared_ptr<Session>& session : sessions_) session->Send(shared);
    }
  }

  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
  Sessions sessions_;
};

}  // namespace

int main() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  Server().Run();
  return EXIT_SUCCESS;
}
