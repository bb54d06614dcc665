#include "edge/http_server.h"
#include "support/status_matchers.h"
#include "unit/edge/fake_handler.h"
#include "unit/edge/fake_web_socket_door.h"
#include "unit/edge/peer.h"
#include "unit/edge/test_certificates.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

namespace todo::edge {
namespace {

using support::IsOk;
using support::StatusIs;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using namespace std::chrono_literals;

/// A client that speaks TLS through a socket of its own.
class TlsPeer {
 public:
  struct Options {
    const TestCertificate* certificate = nullptr;  // of the client
    int max_version = TLS1_3_VERSION;
    std::string protocols = "\x02h2\x08http/1.1";
  };

  explicit TlsPeer(int port, const Options& options)
      : peer_(port), context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
    SSL_CTX_set_max_proto_version(context_.get(), options.max_version);
    SSL_CTX_set_security_level(context_.get(), 0);  // else this client refuses old versions itself
    if (options.certificate != nullptr) {
      SSL_CTX_use_certificate(context_.get(), options.certificate->certificate.get());
      SSL_CTX_use_PrivateKey(context_.get(), options.certificate->key.get());
    }
    SSL_CTX_set_alpn_protos(context_.get(),
                            reinterpret_cast<const unsigned char*>(options.protocols.data()),
                            static_cast<unsigned>(options.protocols.size()));
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), peer_.socket());
    connected_ = SSL_connect(ssl_.get()) == 1;
  }
  explicit TlsPeer(int port) : TlsPeer(port, Options{}) {}

  bool connected() const { return connected_; }

  void Send(std::string_view text) const {
    SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
  }
  std::string ReadAll() const {
    std::string all;
    char part[4096];
    for (int n = 0; (n = SSL_read(ssl_.get(), part, sizeof(part))) > 0;)
      all.append(part, static_cast<std::size_t>(n));
    return all;
  }
  /// `count` bytes, or fewer if the server closes.
  std::string ReadBytes(std::size_t count) const {
    std::string bytes(count, '\0');
    std::size_t done = 0;
    while (done < count) {
      const int n = SSL_read(ssl_.get(), bytes.data() + done, static_cast<int>(count - done));
      if (n <= 0) break;
      done += static_cast<std::size_t>(n);
    }
    bytes.resize(done);
    return bytes;
  }
  /// Whether the server said that no bytes are missing.
  bool EndedCleanly() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

  std::string NameOfServer() const {
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        SSL_get1_peer_certificate(ssl_.get()), X509_free);
    char name[256] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name,
                              sizeof(name));
    return name;
  }
  std::string Protocol() const {
    const unsigned char* protocol = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(ssl_.get(), &protocol, &length);
    return {reinterpret_cast<const char*>(protocol), length};
  }

 private:
  Peer peer_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
  bool connected_ = false;
};

constexpr std::string_view kRequest = "GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

class TlsTest : public testing::Test {
 protected:
  TlsTest() {
    std::filesystem::create_directories(folder_);
    first_.WriteCertificate(files_.certificate);
    first_.WriteKey(files_.key);
  }
  ~TlsTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<HttpServer> Start(std::chrono::milliseconds patience = 60s) {
    auto server = std::make_unique<HttpServer>(
        HttpServerOptions{.name = "web", .tls = files_, .patience = patience}, handler_);
    EXPECT_THAT(server->Start(), IsOk());
    return server;
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) /
      fmt::format("tls-{}-{}", getpid(),
                  testing::UnitTest::GetInstance()->current_test_info()->name());
  const TestCertificate first_{"first"};
  TlsFiles files_{.certificate = folder_ / "cert.pem", .key = folder_ / "key.pem"};
  FakeHandler handler_;
};

TEST_F(TlsTest, AnswersThroughTlsWithHttp11) {
  const auto server = Start();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsPeer peer(server->port(), {.max_version = version});
    ASSERT_TRUE(peer.connected());
    EXPECT_EQ(peer.Protocol(), "http/1.1");
    peer.Send(kRequest);
    EXPECT_THAT(peer.ReadAll(), AllOf(StartsWith("HTTP/1.1 200 OK"), EndsWith("page of ")));
    EXPECT_TRUE(peer.EndedCleanly());
  }
}

TEST_F(TlsTest, RefusesOldVersionsAndOtherProtocols) {
  const auto server = Start();
  EXPECT_FALSE(TlsPeer(server->port(), {.max_version = TLS1_1_VERSION}).connected());
  EXPECT_FALSE(TlsPeer(server->port(), {.protocols = "\x02h2"}).connected());
}

TEST_F(TlsTest, CarriesWebSockets) {
  FakeWebSocketDoor door;
  HttpServer server({.name = "web", .tls = files_}, door);
  ASSERT_THAT(server.Start(), IsOk());
  const TlsPeer peer(server.port());
  peer.Send(kHandshake);
  std::string head;
  while (!head.ends_with("\r\n\r\n")) head += peer.ReadBytes(1);
  EXPECT_THAT(head, StartsWith("HTTP/1.1 101 "));
  const std::string text(60'000, 'x');
  for (int i = 0; i < 2; ++i) {
    peer.Send(Ping("p") + Text(text));
    EXPECT_EQ(peer.ReadBytes(3), "\x8a\1p");
    EXPECT_EQ(peer.ReadBytes(6 + text.size()).substr(4), "> " + text);
  }
  EXPECT_FALSE(server.Stop(std::chrono::steady_clock::now() + 50ms));
  EXPECT_THAT(peer.ReadAll(), EndsWith("the server stops"));
  EXPECT_EQ(door.closed_count, 1);
}

TEST_F(TlsTest, ClosesWebSocketsCleanly) {
  FakeWebSocketDoor door;
  HttpServer server({.name = "web", .tls = files_}, door);
  ASSERT_THAT(server.Start(), IsOk());
  const TlsPeer peer(server.port());
  peer.Send(std::string(kHandshake) + CloseFrame(1000));
  EXPECT_THAT(peer.ReadAll(), EndsWith("\r\n\r\n\x88\x02\x03\xe8"));
  EXPECT_TRUE(peer.EndedCleanly());
}

TEST_F(TlsTest, SendsLargeAnswersAndTakesLargeBodies) {
  const auto server = Start();
  const TlsPeer peer(server->port());
  const std::string body(500'000, 'b');
  peer.Send(
      fmt::format("POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                  "Content-Length: {}\r\n\r\n{}",
                  body.size(), body));
  EXPECT_THAT(peer.ReadAll(), EndsWith("\r\n\r\n" + body));
}

TEST_F(TlsTest, ACallInTheClearIsClosed) {
  const auto server = Start();
  const Peer peer(server->port());
  peer.Send(kRequest);
  EXPECT_THAT(peer.ReadAll(), Not(HasSubstr("200")));
}

TEST_F(TlsTest, AHandshakeThatStopsIsClosed) {
  const auto server = Start(200ms);
  const Peer peer(server->port());
  peer.Send("\x16\x03\x01");
  EXPECT_THAT(peer.ReadAll(), IsEmpty());
}

TEST_F(TlsTest, ClientsMayNeedACertificate) {
  const TestCertificate client("client");
  const TestCertificate stranger("stranger");
  files_.client_ca = folder_ / "ca.pem";
  client.WriteCertificate(files_.client_ca);
  const auto server = Start();
  const auto answer = [&](const TestCertificate* certificate) {
    const TlsPeer peer(server->port(), {.certificate = certificate});
    peer.Send(kRequest);
    return peer.ReadAll();
  };
  EXPECT_THAT(answer(&client), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_THAT(answer(&stranger), IsEmpty());
  EXPECT_THAT(answer(nullptr), IsEmpty());
}

TEST_F(TlsTest, FilesThatChangeAreReadAgain) {
  const auto server = Start();
  EXPECT_EQ(TlsPeer(server->port()).NameOfServer(), "first");
  const TestCertificate second("second");
  testing::internal::CaptureStderr();
  second.WriteCertificate(files_.certificate);
  second.WriteKey(files_.key);
  EXPECT_TRUE(Eventually([&] { return TlsPeer(server->port()).NameOfServer() == "second"; }));
  testing::internal::GetCapturedStderr();
}

TEST_F(TlsTest, FilesThatCannotBeUsedChangeNothing) {
  const auto server = Start();
  const TestCertificate second("second");
  testing::internal::CaptureStderr();
  std::ofstream(files_.certificate) << "this is no certificate";
  // The next good pair is taken: the attempt in between has been made by then, or is skipped.
  const auto deadline = std::chrono::steady_clock::now() + 5s;
  while (std::chrono::steady_clock::now() < deadline)
    ASSERT_EQ(TlsPeer(server->port()).NameOfServer(), "first");
  second.WriteKey(files_.key);
  second.WriteCertificate(files_.certificate);
  EXPECT_TRUE(Eventually([&] { return TlsPeer(server->port()).NameOfServer() == "second"; }));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("tls_files_unusable"));
}

TEST_F(TlsTest, FilesThatCannotBeUsedAtTheStartAreAFault) {
  TlsFiles absent = files_;
  absent.key = folder_ / "absent.pem";
  const absl::Status status = HttpServer({.name = "web", .tls = absent}, handler_).Start();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("--tls-key"), HasSubstr("absent.pem")));
  const TestCertificate other("other");
  other.WriteKey(files_.key);
  EXPECT_THAT(HttpServer({.name = "web", .tls = files_}, handler_).Start(),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace todo::edge
