#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace boost::asio::ssl {
class context;
}

namespace todo::edge {

/// The bytes of one connection, in the clear or through TLS. One read and one write may be in
/// progress at a time. The object must outlive its operations: each callback should own it.
/// Thread safety: none, the server's thread only.
class Transport {
 public:
  using Done = std::function<void(boost::system::error_code, std::size_t)>;
  /// The bytes are valid during the call.
  using Received = std::function<void(boost::system::error_code, std::string_view)>;

  Transport() = default;
  virtual ~Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  virtual bool encrypted() const = 0;
  /// Before anything else; in the clear it succeeds at once, without a call of `done` from inside.
  virtual void Handshake(Done done) = 0;
  virtual void ReadSome(boost::asio::mutable_buffer buffer, Done done) = 0;
  /// As ReadSome, but needs no buffer while nothing comes: `scratch` may be shared with others. It
  /// must live as long as this object.
  virtual void Receive(boost::asio::mutable_buffer scratch, Received received) = 0;
  /// Sends all of `buffer`.
  virtual void Write(boost::asio::const_buffer buffer, Done done) = 0;
  /// Sends all of `buffers`, at most 64, one after the other. True: that is done, and `done` is not
  /// called.
  virtual bool WriteAll(std::vector<boost::asio::const_buffer> buffers, Done done) = 0;
  /// Sends what can be sent without waiting, perhaps nothing. No Write may be in progress.
  virtual void TryWrite(boost::asio::const_buffer buffer) = 0;
  /// Tells the client that no more bytes will come. No Write may be in progress.
  virtual void Finish(Done done) = 0;
  /// Takes bytes as they are on the wire, after Finish, to throw them away.
  virtual void ReadRaw(boost::asio::mutable_buffer buffer, Done done) = 0;
  /// Ends all operations; their callbacks come with an error.
  virtual void Close() = 0;
};

std::unique_ptr<Transport> MakePlainTransport(boost::asio::ip::tcp::socket socket);
std::unique_ptr<Transport> MakeTlsTransport(boost::asio::ip::tcp::socket socket,
                                            std::shared_ptr<boost::asio::ssl::context> context);

}  // namespace todo::edge
