#include "edge/http_server.h"

#include <fmt/format.h>
#include <netinet/tcp.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "edge/connection.h"
#include "edge/server_state.h"
#include "edge/tls_keeper.h"
#include "edge/transport.h"
#include "util/log.h"
#include "util/status.h"

namespace todo::edge {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;
using tcp = asio::ip::tcp;
using namespace std::chrono_literals;

constexpr auto kAcceptPause = 50ms;
/// Of each connection. Linux doubles it for its own needs, and would grow it to megabytes for a
/// client that does not read.
constexpr int kSendBufferBytes = 128 * 1024;
constexpr auto kTlsRefresh = 2s;
/// For so many seconds the kernel keeps a client that has not sent anything.
using DeferAccept = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_DEFER_ACCEPT>;
/// In milliseconds.
using UserTimeout = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>;

}  // namespace

class HttpServer::Server {
 public:
  Server(HttpServerOptions options, util::HttpHandler& handler)
      : state_(std::move(options), handler) {
    if (state_.options.tls) tls_.emplace(*state_.options.tls);
    state_.on_left = [this] {
      if (state_.stopping && state_.places.count() == 0) timer_.cancel();
    };
  }

  absl::Status Start() {
    if (tls_) TODO_RETURN_IF_ERROR(tls_->Load());
    TODO_RETURN_IF_ERROR(Open());
    Accept();
    if (tls_) RefreshTls();
    thread_ = std::thread([this] { state_.io->run(); });
    return absl::OkStatus();
  }

  bool Stop(steady_clock::time_point deadline) {
    if (!thread_.joinable()) return true;
    asio::post(*state_.io, [this, deadline] { BeginStop(deadline); });
    thread_.join();  // it ends with the last connection
    return !cut_off_;
  }

  int port() const { return port_; }

  HttpServerStats stats() const {
    return {.open_count = state_.open_count,
            .refused_count = state_.refused_count,
            .request_count = state_.request_count};
  }

 private:
  absl::Status Open() {
    const HttpServerOptions& options = state_.options;
    try {
      const auto address =
          asio::ip::make_address(options.address == "localhost" ? "127.0.0.1" : options.address);
      const tcp::endpoint endpoint(address, static_cast<unsigned short>(options.port));
      acceptor_.open(endpoint.protocol());
      acceptor_.set_option(asio::socket_base::reuse_address(true));  // TIME_WAIT, not a live one
      // A flood of silent connections does not wash away a client that is about to ask.
      acceptor_.set_option(DeferAccept(1));
      acceptor_.set_option(asio::socket_base::send_buffer_size(kSendBufferBytes));  // inherited
      acceptor_.bind(endpoint);
      acceptor_.listen();
      port_ = acceptor_.local_endpoint().port();
    } catch (const boost::system::system_error& error) {
      return util::MakeStatus(
          absl::StatusCode::kUnavailable,
          fmt::format("cannot listen on {}:{} for the {} port: {}; choose another with "
                      "--{}-address and --{}-port",
                      options.address, options.port, options.name, error.code().message(),
                      options.name, options.name));
    }
    return absl::OkStatus();
  }

  void Accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted || state_.stopping) return;
      if (!error) {
        Welcome(std::move(socket));
        accepting_ = true;
        return Accept();
      }
      if (std::exchange(accepting_, false))
        util::Log(util::Severity::kWarning, "http_accept_failed",
                  {{"port", state_.options.name}, {"error", error.message()}});
      AwaitClient();
    });
  }

  /// After a failed attempt to accept. Most likely no file descriptor is left, and the attempt
  /// fails even if nobody waits. When a client does, an idle connection gives up its descriptor.
  void AwaitClient() {
    acceptor_.async_wait(tcp::acceptor::wait_read, [this](error_code error) {
      if (error || state_.stopping) return;
      if (state_.places.FreeOne()) return Accept();
      timer_.expires_after(kAcceptPause);  // trying again at once would only spin
      timer_.async_wait([this](error_code stopped) {
        if (!stopped && !state_.stopping) Accept();
      });
    });
  }

  void Welcome(tcp::socket socket) {
    error_code error;
    const tcp::endpoint endpoint = socket.remote_endpoint(error);
    if (error) return;  // it is gone already
    socket.set_option(tcp::no_delay(true), error);
    const auto acknowledge_patience = state_.options.acknowledge_patience.count();
    socket.set_option(UserTimeout(static_cast<int>(acknowledge_patience)), error);
    const std::string peer = endpoint.address().to_string();
    auto transport = tls_ ? MakeTlsTransport(std::move(socket), tls_->context())
                          : MakePlainTransport(std::move(socket));
    const auto connection = std::make_shared<Connection>(std::move(transport), peer, state_);
    if (state_.places.Take(*connection, peer)) {
      connection->Start();
    } else {
      ++state_.refused_count;
    }
  }

  void RefreshTls() {
    tls_timer_.expires_after(kTlsRefresh);
    tls_timer_.async_wait([this](error_code stopped) {
      if (stopped || state_.stopping) return;
      tls_->Refresh();
      RefreshTls();
    });
  }

  void BeginStop(steady_clock::time_point deadline) {
    state_.stopping = true;
    error_code ignored;
    acceptor_.close(ignored);
    tls_timer_.cancel();
    timer_.cancel();
    state_.places.ForEach([](Guest& guest) { guest.FinishSoon(); });
    if (state_.places.count() == 0) return;
    timer_.expires_at(deadline);
    timer_.async_wait([this](error_code stopped) {
      if (stopped) return;
      state_.places.ForEach([this](Guest& guest) {
        cut_off_ = cut_off_ || guest.IsAtWork();
        guest.Leave();
      });
    });
  }

  ServerState state_;
  tcp::acceptor acceptor_{*state_.io};
  bool accepting_ = true;
  asio::steady_timer timer_{*state_.io};  // of the next attempt to accept, then of the stop
  asio::steady_timer tls_timer_{*state_.io};
  std::optional<TlsKeeper> tls_;
  int port_ = 0;
  bool cut_off_ = false;
  std::thread thread_;
};

HttpServer::HttpServer(HttpServerOptions options, util::HttpHandler& handler)
    : server_(std::make_unique<Server>(std::move(options), handler)) {}

HttpServer::~HttpServer() { Stop(); }

absl::Status HttpServer::Start() { return server_->Start(); }

bool HttpServer::Stop(std::chrono::steady_clock::time_point deadline) {
  return server_->Stop(deadline);
}

int HttpServer::port() const { return server_->port(); }

HttpServerStats HttpServer::stats() const { return server_->stats(); }

}  // namespace todo::edge
