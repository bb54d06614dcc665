#include "edge/http_server.h"

#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <exception>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "util/log.h"
#include "util/status.h"

namespace todo::edge {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using Routes = std::map<std::string, HttpServer::Handler, std::less<>>;
using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;

Response Answer(const Request& request, HttpResponse content) {
  Response response(static_cast<http::status>(content.status), request.version());
  response.set(http::field::content_type, content.content_type);
  response.set(http::field::cache_control, "no-store");
  response.set("x-content-type-options", "nosniff");
  response.keep_alive(request.keep_alive());
  response.body() = std::move(content.body);
  response.prepare_payload();
  // HEAD: the answer has the length but not the body.
  if (request.method() == http::verb::head) response.body().clear();
  return response;
}

Response Respond(const Routes& routes, const Request& request) {
  std::string_view path(request.target().data(), request.target().size());
  path = path.substr(0, path.find('?'));
  const auto route = routes.find(path);
  if (route == routes.end()) {
    return Answer(request, {.status = 404, .body = "there is nothing here\n"});
  }
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    Response response = Answer(request, {.status = 405, .body = "only GET and HEAD\n"});
    response.set(http::field::allow, "GET, HEAD");
    return response;
  }
  try {
    return Answer(request, route->second());
  } catch (const std::exception& error) {
    util::Log(util::Severity::kError, "http_handler_failed",
              {{"path", route->first}, {"error", error.what()}});
    return Answer(request, {.status = 500, .body = "internal error\n"});
  }
}

/// One connection: reads a request and answers it, repeatedly, until one side closes. The operation
/// in progress keeps the object alive.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, const HttpServerOptions& options, const Routes& routes,
             std::shared_ptr<void> place)
      : stream_(std::move(socket)), options_(options), routes_(routes), place_(std::move(place)) {}

  void Read() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(options_.max_header_bytes));
    parser_->body_limit(0);
    stream_.expires_after(options_.patience);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](error_code error, std::size_t) { self->OnRead(error); });
  }

 private:
  void OnRead(error_code error) {
    if (error == http::error::header_limit || error == http::error::body_limit) {
      Refuse(error == http::error::header_limit ? http::status::request_header_fields_too_large
                                                : http::status::payload_too_large);
    } else if (error.category() == http::make_error_code(http::error::bad_method).category() &&
               error != http::error::end_of_stream) {
      Refuse(http::status::bad_request);
    } else if (!error) {
      Write(Respond(routes_, parser_->get()));
    }  // else: the other side is gone, or was too slow
  }

  void Refuse(http::status status) {
    Request request;
    request.version(11);
    request.keep_alive(false);
    Write(Answer(request, {.status = static_cast<int>(status), .body = "refused\n"}));
  }

  void Write(Response response) {
    response_ = std::move(response);
    stream_.expires_after(options_.patience);
    http::async_write(stream_, *response_,
                      [self = shared_from_this()](error_code error, std::size_t) {
                        if (!error && self->response_->keep_alive()) {
                          self->Read();
                        } else if (!error) {
                          error_code ignored;  // it may be gone already
                          self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
                        }
                      });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  std::optional<Response> response_;
  const HttpServerOptions& options_;
  const Routes& routes_;
  const std::shared_ptr<void> place_;  // among max_connections
};

}  // namespace

class HttpServer::Server {
 public:
  Server(HttpServerOptions options, Routes routes)
      : options_(std::move(options)), routes_(std::move(routes)) {}

  absl::Status Start() {
    try {
      const auto address =
          asio::ip::make_address(options_.address == "localhost" ? "127.0.0.1" : options_.address);
      const tcp::endpoint endpoint(address, static_cast<unsigned short>(options_.port));
      acceptor_.open(endpoint.protocol());
      acceptor_.set_option(asio::socket_base::reuse_address(true));  // TIME_WAIT, not a live one
      acceptor_.bind(endpoint);
      acceptor_.listen();
      port_ = acceptor_.local_endpoint().port();
    } catch (const boost::system::system_error& error) {
      return util::MakeStatus(
          absl::StatusCode::kUnavailable,
          fmt::format("cannot listen on {}:{} for the http port: {}; choose another with "
                      "--http-address and --http-port",
                      options_.address, options_.port, error.code().message()));
    }
    Accept();
    thread_ = std::thread([this] { io_.run(); });
    return absl::OkStatus();
  }

  void Stop() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
    error_code ignored;
    acceptor_.close(ignored);
  }

  int port() const { return port_; }

 private:
  void Accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (!error && open_count_ < options_.max_connections) {
        ++open_count_;
        const std::shared_ptr<void> place(nullptr, [this](void*) { --open_count_; });
        std::make_shared<Connection>(std::move(socket), options_, routes_, place)->Read();
      }
      if (!error) return Accept();
      // Most likely there are no file descriptors left: accepting again at once would only spin.
      retry_.expires_after(std::chrono::milliseconds(100));
      retry_.async_wait([this](error_code stopped) {
        if (!stopped) Accept();
      });
    });
  }

  const HttpServerOptions options_;
  const Routes routes_;
  int open_count_ = 0;  // the thread's
  int port_ = 0;
  asio::io_context io_{1};  // after all that its handlers use: they are destroyed with it
  tcp::acceptor acceptor_{io_};
  asio::steady_timer retry_{io_};
  std::thread thread_;
};

HttpServer::HttpServer(HttpServerOptions options,
                       std::map<std::string, Handler, std::less<>> routes)
    : server_(std::make_unique<Server>(std::move(options), std::move(routes))) {}

HttpServer::~HttpServer() { Stop(); }

absl::Status HttpServer::Start() { return server_->Start(); }

void HttpServer::Stop() { server_->Stop(); }

int HttpServer::port() const { return server_->port(); }

}  // namespace todo::edge
