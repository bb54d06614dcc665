#include "edge/transport.h"

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <utility>

namespace todo::edge {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

/// Removes `count` bytes from the front of `buffers`.
void Consume(std::vector<asio::const_buffer>& buffers, std::size_t count) {
  auto first = buffers.begin();
  for (; first != buffers.end() && first->size() <= count; ++first) count -= first->size();
  if (first != buffers.end()) *first += count;
  buffers.erase(buffers.begin(), first);
}

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(tcp::socket socket) : socket_(std::move(socket)) {}

  bool encrypted() const override { return false; }
  void Handshake(Done done) override {
    asio::post(socket_.get_executor(), [done = std::move(done)] { done({}, 0); });
  }
  void ReadSome(asio::mutable_buffer buffer, Done done) override {
    socket_.async_read_some(buffer, std::move(done));
  }
  void Receive(asio::mutable_buffer scratch, Received received) override {
    error_code error;
    // Else the read below would wait if nothing has come after all.
    if (!socket_.non_blocking()) socket_.non_blocking(true, error);
    socket_.async_wait(tcp::socket::wait_read,
                       [this, scratch, received = std::move(received)](error_code failed) mutable {
                         if (failed) return received(failed, {});
                         error_code read_error;
                         const std::size_t count = socket_.read_some(scratch, read_error);
                         if (read_error == asio::error::would_block)
                           return Receive(scratch, std::move(received));
                         received(read_error, {static_cast<const char*>(scratch.data()), count});
                       });
  }
  void Write(asio::const_buffer buffer, Done done) override {
    asio::async_write(socket_, buffer, std::move(done));
  }
  bool WriteAll(std::vector<asio::const_buffer> buffers, Done done) override {
    error_code error;
    if (!socket_.non_blocking()) socket_.non_blocking(true, error);
    // The buffer of the socket mostly takes all at once. An error shows again below.
    Consume(buffers, socket_.write_some(buffers, error));
    if (buffers.empty()) return true;
    asio::async_write(socket_, buffers, std::move(done));
    return false;
  }
  void TryWrite(asio::const_buffer buffer) override {
    error_code ignored;
    socket_.non_blocking(true, ignored);
    socket_.write_some(buffer, ignored);
  }
  void Finish(Done done) override {
    error_code error;
    socket_.shutdown(tcp::socket::shutdown_send, error);
    asio::post(socket_.get_executor(), [done = std::move(done), error] { done(error, 0); });
  }
  void ReadRaw(asio::mutable_buffer buffer, Done done) override {
    socket_.async_read_some(buffer, std::move(done));
  }
  void Close() override {
    error_code ignored;  // it may be gone already
    socket_.close(ignored);
  }

 private:
  tcp::socket socket_;
};

class TlsTransport final : public Transport {
 public:
  TlsTransport(tcp::socket socket, std::shared_ptr<asio::ssl::context> context)
      : context_(std::move(context)), stream_(std::move(socket), *context_) {}

  bool encrypted() const override { return true; }
  void Handshake(Done done) override {
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [done = std::move(done)](error_code error) { done(error, 0); });
  }
  void ReadSome(asio::mutable_buffer buffer, Done done) override {
    stream_.async_read_some(buffer, std::move(done));
  }
  void Receive(asio::mutable_buffer, Received received) override {
    // The stream keeps its buffer while it waits, and needs much more memory than this anyway.
    if (received_ == nullptr) received_ = std::make_unique<std::array<char, kReceiveBytes>>();
    stream_.async_read_some(asio::buffer(*received_), [this, received = std::move(received)](
                                                          error_code error, std::size_t count) {
      received(error, {received_->data(), count});
    });
  }
  void Write(asio::const_buffer buffer, Done done) override {
    asio::async_write(stream_, buffer, std::move(done));
  }
  bool WriteAll(std::vector<asio::const_buffer> buffers, Done done) override {
    // Joined, because the stream makes a record of each buffer.
    joined_.clear();
    for (const asio::const_buffer& buffer : buffers)
      joined_.append(static_cast<const char*>(buffer.data()), buffer.size());
    asio::async_write(stream_, asio::buffer(joined_),
                      [this, done = std::move(done)](error_code error, std::size_t count) {
                        std::string().swap(joined_);
                        done(error, count);
                      });
    return false;
  }
  void TryWrite(asio::const_buffer buffer) override {
    error_code ignored;
    stream_.next_layer().non_blocking(true, ignored);
    stream_.write_some(buffer, ignored);
  }
  void Finish(Done done) override {
    // An error is likely and harmless: the client need not say goodbye.
    stream_.async_shutdown([this, done = std::move(done)](error_code) {
      error_code error;
      stream_.lowest_layer().shutdown(tcp::socket::shutdown_send, error);
      done(error, 0);
    });
  }
  void ReadRaw(asio::mutable_buffer buffer, Done done) override {
    stream_.next_layer().async_read_some(buffer, std::move(done));
  }
  void Close() override {
    error_code ignored;
    stream_.lowest_layer().close(ignored);
  }

 private:
  static constexpr std::size_t kReceiveBytes = 2048;

  const std::shared_ptr<asio::ssl::context> context_;
  asio::ssl::stream<tcp::socket> stream_;
  std::unique_ptr<std::array<char, kReceiveBytes>> received_;
  std::string joined_;  // of the WriteAll in progress
};

}  // namespace

std::unique_ptr<Transport> MakePlainTransport(tcp::socket socket) {
  return std::make_unique<PlainTransport>(std::move(socket));
}

std::unique_ptr<Transport> MakeTlsTransport(tcp::socket socket,
                                            std::shared_ptr<asio::ssl::context> context) {
  return std::make_unique<TlsTransport>(std::move(socket), std::move(context));
}

}  // namespace todo::edge
