// Many WebSocket clients of live updates in one process, for measurements. No TLS.
//
//   live_load PORT [PATH]        PATH: /ws unless given
//
// Takes commands from standard input, one per line, and answers each with one line of JSON when it
// is done. All times are nanoseconds of the monotonic clock.
//
//   open COUNT AT_A_TIME FILE    opens sockets, at most AT_A_TIME handshakes at once. Socket i says
//                                hello with line i of FILE, which is read round and round; FILE
//                                "-": no hello. Done when all are current: the snapshot is
//                                complete, or the changes up to the head of "resumed" have come.
//   mark                         forgets all updates so far.
//   await COUNT SECONDS          done when COUNT updates have come since the mark, or it is too
//   late. times                        the updates since the mark: [[socket, seq, time], ...] state
//   the sockets that are open and current, and the close codes so far. close ends all sockets at
//   once, without a word.

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;
using tcp = asio::ip::tcp;

/// A source address has fewer than 30,000 ports.
constexpr std::size_t kSourceAddresses = 4;
constexpr int kLostWithoutCode = 1006;

std::int64_t Now() { return steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1); }

/// The number after `key` in a JSON object; -1 when there is none.
std::int64_t NumberOf(std::string_view json, std::string_view key) {
  const std::size_t at = json.find(key);
  if (at == std::string_view::npos) return -1;
  std::int64_t number = -1;
  std::from_chars(json.data() + at + key.size(), json.data() + json.size(), number);
  return number;
}

bool IsOfType(std::string_view json, std::string_view type) {
  return json.find(fmt::format(R"("type":"{}")", type)) != std::string_view::npos;
}

/// A frame of a client. A mask of zeros leaves the payload as it is.
std::string Frame(int opcode, std::string_view payload) {
  std::string frame{static_cast<char>(0x80 | opcode)};
  if (payload.size() < 126) {
    frame.push_back(static_cast<char>(0x80 | payload.size()));
  } else {
    frame.push_back(static_cast<char>(0x80 | 126));
    frame.push_back(static_cast<char>(payload.size() >> 8));
    frame.push_back(static_cast<char>(payload.size()));
  }
  return frame.append(4, '\0').append(payload);
}

struct Update {
  std::size_t socket = 0;
  std::int64_t seq = 0;
  std::int64_t time = 0;
};

/// What the clients report.
struct Tally {
  std::size_t open = 0;
  std::size_t current = 0;
  std::map<int, int> closed;  // by close code
  std::vector<Update> updates;
  std::function<void()> on_change;
};

class Client : public std::enable_shared_from_this<Client> {
 public:
  Client(asio::io_context& io, Tally& tally, std::size_t index, std::string hello)
      : socket_(io), tally_(tally), index_(index), hello_(std::move(hello)) {
    at_ = NumberOf(hello_, R"("seq":)");
  }

  /// `done`: the handshake is over, or has failed.
  void Start(unsigned short port, const std::string& path, std::function<void()> done) {
    done_ = std::move(done);
    const auto last = static_cast<unsigned char>(1 + index_ % kSourceAddresses);
    socket_.open(tcp::v4());
    socket_.set_option(tcp::no_delay(true));
    socket_.set_option(asio::socket_base::reuse_address(true));
    socket_.bind({asio::ip::address_v4({127, 0, 0, last}), 0});
    request_ = fmt::format(
        "GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Protocol: todo.v1\r\n\r\n",
        path, port);
    socket_.async_connect({asio::ip::address_v4::loopback(), port},
                          [self = shared_from_this()](error_code error) {
                            if (error) return self->End(kLostWithoutCode);
                            self->Write(std::exchange(self->request_, {}));
                            self->Read();
                          });
  }

  void Abort() { End(kLostWithoutCode); }

 private:
  void Write(std::string bytes) {
    const auto shared = std::make_shared<const std::string>(std::move(bytes));
    // The few short frames of a client always fit into the buffer of the socket.
    asio::async_write(socket_, asio::buffer(*shared),
                      [self = shared_from_this(), shared](error_code, std::size_t) {});
  }

  void Read() {
    socket_.async_read_some(asio::buffer(part_),
                            [self = shared_from_this()](error_code error, std::size_t count) {
                              if (self->ended_) return;
                              if (error) return self->End(kLostWithoutCode);
                              self->in_.append(self->part_.data(), count);
                              self->Take();
                              if (!self->ended_) self->Read();
                            });
  }

  void Take() {
    std::string_view rest = in_;
    if (!open_) {
      const std::size_t end = rest.find("\r\n\r\n");
      if (end == std::string_view::npos) return;
      if (!rest.starts_with("HTTP/1.1 101 ")) return End(kLostWithoutCode);
      rest.remove_prefix(end + 4);
      open_ = true;
      ++tally_.open;
      if (!hello_.empty()) Write(Frame(1, hello_));
      if (hello_.empty()) BeCurrent();
      std::exchange(done_, nullptr)();
    }
    while (!ended_ && TakeFrame(rest)) {
    }
    in_.erase(0, in_.size() - rest.size());
  }

  bool TakeFrame(std::string_view& rest) {
    if (rest.size() < 2) return false;
    std::size_t length = static_cast<unsigned char>(rest[1]);
    const std::size_t more = length == 127 ? 8 : length == 126 ? 2 : 0;
    if (rest.size() < 2 + more) return false;
    if (more > 0) length = 0;
    for (std::size_t i = 0; i < more; ++i)
      length = length << 8 | static_cast<unsigned char>(rest[2 + i]);
    if (rest.size() < 2 + more + length) return false;
    const int opcode = rest[0] & 0x0f;
    const std::string_view payload = rest.substr(2 + more, length);
    rest.remove_prefix(2 + more + length);
    if (opcode == 1) TakeText(payload);
    if (opcode == 9) Write(Frame(10, payload));
    if (opcode == 8)
      End(payload.size() < 2 ? 1005
                             : static_cast<unsigned char>(payload[0]) << 8 |
                                   static_cast<unsigned char>(payload[1]));
    return true;
  }

  void TakeText(std::string_view text) {
    if (IsOfType(text, "update")) {
      at_ = NumberOf(text, R"("seq":)");
      tally_.updates.push_back({.socket = index_, .seq = at_, .time = Now()});
      if (head_ >= 0 && at_ >= head_) BeCurrent();
      tally_.on_change();
    } else if (IsOfType(text, "resumed")) {
      head_ = NumberOf(text, R"("seq":)");
      if (at_ >= head_) BeCurrent();
    } else if (IsOfType(text, "snapshot")) {
      at_ = NumberOf(text, R"("seq":)");
      if (text.find(R"("last":true)") != std::string_view::npos) BeCurrent();
    }
  }

  void BeCurrent() {
    if (std::exchange(current_, true)) return;
    ++tally_.current;
    tally_.on_change();
  }

  void End(int code) {
    if (std::exchange(ended_, true)) return;
    ++tally_.closed[code];
    if (open_) --tally_.open;
    if (current_) --tally_.current;
    error_code ignored;
    socket_.close(ignored);
    if (done_) std::exchange(done_, nullptr)();
    tally_.on_change();
  }

  tcp::socket socket_;
  Tally& tally_;
  const std::size_t index_;
  const std::string hello_;
  std::string request_;
  std::function<void()> done_;
  std::array<char, 4096> part_{};
  std::string in_;
  std::int64_t at_ = -1;
  std::int64_t head_ = -1;
  bool open_ = false;
  bool current_ = false;
  bool ended_ = false;
};

class Load {
 public:
  Load(unsigned short port, std::string path) : port_(port), path_(std::move(path)) {
    tally_.on_change = [this] { Look(); };
  }

  void Run() {
    const auto work = asio::make_work_guard(io_);
    std::jthread reader([this] {
      for (std::string line; std::getline(std::cin, line);)
        asio::post(io_, [this, line] { Command(line); });
      asio::post(io_, [this] { io_.stop(); });
    });
    io_.run();
  }

 private:
  void Command(const std::string& line) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    if (name == "open") {
      std::string file;
      words >> open_count_ >> at_a_time_ >> file;
      Open(file);
    } else if (name == "mark") {
      tally_.updates.clear();
      Answer("");
    } else if (name == "await") {
      double seconds = 0;
      words >> awaited_ >> seconds;
      awaiting_ = true;
      timer_.expires_after(std::chrono::duration_cast<std::chrono::nanoseconds>(
          std::chrono::duration<double>(seconds)));
      timer_.async_wait([this](error_code stopped) {
        if (!stopped && awaiting_) EndAwait();
      });
      Look();
    } else if (name == "times") {
      std::string times;
      for (const Update& update : tally_.updates)
        times += fmt::format("{}[{},{},{}]", times.empty() ? "" : ",", update.socket, update.seq,
                             update.time);
      Answer(fmt::format(R"("times":[{}])", times));
    } else if (name == "state") {
      Answer("");
    } else if (name == "close") {
      for (const auto& client : std::exchange(clients_, {})) client->Abort();
      Answer("");
    } else {
      std::cerr << "unknown command: " << line << "\n";
    }
  }

  void Open(const std::string& file) {
    hellos_.clear();
    std::ifstream lines(file);
    for (std::string line; file != "-" && std::getline(lines, line);) hellos_.push_back(line);
    if (hellos_.empty()) hellos_.emplace_back();
    began_ = Now();
    opening_ = true;
    started_ = 0;
    in_handshake_ = 0;
    failed_before_ = Closed();
    current_before_ = tally_.current;
    StartMore();
  }

  void StartMore() {
    while (started_ < open_count_ && in_handshake_ < at_a_time_) {
      const auto client = std::make_shared<Client>(io_, tally_, clients_.size(),
                                                   hellos_[started_ % hellos_.size()]);
      ++started_;
      ++in_handshake_;
      clients_.push_back(client);
      client->Start(port_, path_, [this] {
        --in_handshake_;
        asio::post(io_, [this] { StartMore(); });
      });
    }
  }

  int Closed() const {
    int count = 0;
    for (const auto& [code, of_code] : tally_.closed) count += of_code;
    return count;
  }

  void Look() {
    if (awaiting_ && tally_.updates.size() >= awaited_) EndAwait();
    if (!opening_ || started_ < open_count_) return;
    const auto failed = static_cast<std::size_t>(Closed() - failed_before_);
    if (tally_.current - current_before_ + failed < open_count_) return;
    opening_ = false;
    Answer(fmt::format(R"("failed":{},"began":{},"ended":{})", failed, began_, Now()));
  }

  void EndAwait() {
    awaiting_ = false;
    timer_.cancel();
    Answer(fmt::format(R"("complete":{})", tally_.updates.size() >= awaited_));
  }

  void Answer(const std::string& more) {
    std::string codes;
    for (const auto& [code, count] : tally_.closed)
      codes += fmt::format(R"({}"{}":{})", codes.empty() ? "" : ",", code, count);
    const auto [first, last] = std::ranges::minmax_element(tally_.updates, {}, &Update::time);
    const bool none = tally_.updates.empty();
    std::cout << fmt::format(R"({{"open":{},"current":{},"closed":{{{}}},"updates":{},"first":{},)"
                             R"("last":{}{}{}}})",
                             tally_.open, tally_.current, codes, tally_.updates.size(),
                             none ? 0 : first->time, none ? 0 : last->time, more.empty() ? "" : ",",
                             more)
              << std::endl;
  }

  const unsigned short port_;
  const std::string path_;
  asio::io_context io_{1};
  asio::steady_timer timer_{io_};
  Tally tally_;
  std::vector<std::shared_ptr<Client>> clients_;

  std::vector<std::string> hellos_;
  bool opening_ = false;
  std::size_t open_count_ = 0;
  std::size_t at_a_time_ = 0;
  std::size_t started_ = 0;
  std::size_t in_handshake_ = 0;
  std::size_t current_before_ = 0;
  int failed_before_ = 0;
  std::int64_t began_ = 0;
  bool awaiting_ = false;
  std::size_t awaited_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::cerr << "usage: live_load PORT [PATH]\n";
    return EXIT_FAILURE;
  }
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  Load(static_cast<unsigned short>(std::stoi(argv[1])), argc == 3 ? argv[2] : "/ws").Run();
  return EXIT_SUCCESS;
}
