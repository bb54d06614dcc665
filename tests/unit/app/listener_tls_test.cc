#include <fmt/format.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "app/listener.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "support/status_matchers.h"

namespace todo::app {
namespace {

using support::IsOk;
using namespace std::chrono_literals;
namespace health = grpc::health::v1;

struct Identity {
  std::string certificate;  // PEM, signed by itself, for 127.0.0.1
  std::string key;
};

template <typename Write>
std::string Pem(const Write& write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), &BIO_free);
  EXPECT_EQ(write(memory.get()), 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

Identity MakeIdentity(long serial) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                &EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3'600);
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_set_pubkey(certificate.get(), key.get());
  for (const auto& [id, value] : {std::pair{NID_subject_alt_name, "IP:127.0.0.1"},
                                  {NID_basic_constraints, "critical,CA:TRUE"}}) {
    const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, id, value), &X509_EXTENSION_free);
    X509_add_ext(certificate.get(), extension.get(), -1);
  }
  EXPECT_GT(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);
  return {.certificate =
              Pem([&](BIO* memory) { return PEM_write_bio_X509(memory, certificate.get()); }),
          .key = Pem([&](BIO* memory) {
            return PEM_write_bio_PrivateKey(memory, key.get(), nullptr, nullptr, 0, nullptr,
                                            nullptr);
          })};
}

class ListenerTlsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "todo-tls-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    grpc::EnableDefaultHealthCheckService(true);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Write(const Identity& identity) {
    std::ofstream(folder_ / "key.pem.new") << identity.key;
    std::ofstream(folder_ / "cert.pem.new") << identity.certificate;
    std::filesystem::rename(folder_ / "key.pem.new", folder_ / "key.pem");
    std::filesystem::rename(folder_ / "cert.pem.new", folder_ / "cert.pem");
  }
  ListenerOptions Options() {
    ListenerOptions options{.name = "api",
                            .address = "127.0.0.1",
                            .port = 0,
                            .services = {},
                            .max_receive_bytes = 1'000};
    options.tls_cert_file = folder_ / "cert.pem";
    options.tls_key_file = folder_ / "key.pem";
    return options;
  }
  /// Whether a client that trusts only this server is answered.
  static bool Answers(int port, const Identity& server, const Identity& client = {}) {
    const auto channel =
        grpc::CreateChannel(fmt::format("127.0.0.1:{}", port),
                            grpc::SslCredentials({.pem_root_certs = server.certificate,
                                                  .pem_private_key = client.key,
                                                  .pem_cert_chain = client.certificate}));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + 60s);
    health::HealthCheckResponse response;
    return health::Health::NewStub(channel)->Check(&context, {}, &response).ok();
  }

  std::filesystem::path folder_;
};

TEST_F(ListenerTlsTest, TakesACertificateUpWhenItsFileChanges) {
  const Identity first = MakeIdentity(1);
  const Identity second = MakeIdentity(2);
  Write(first);
  const auto listener = Listen(Options());
  ASSERT_THAT(listener, IsOk());
  EXPECT_TRUE(Answers(listener->port(), first));
  EXPECT_FALSE(Answers(listener->port(), second));
  Write(second);
  const auto until = std::chrono::steady_clock::now() + 60s;
  bool answers = false;
  while (!answers && std::chrono::steady_clock::now() < until)
    answers = Answers(listener->port(), second);
  EXPECT_TRUE(answers);
}

TEST_F(ListenerTlsTest, AsksForACertificateWhenToldTo) {
  const Identity server = MakeIdentity(1);
  const Identity client = MakeIdentity(2);
  const Identity stranger = MakeIdentity(3);
  Write(server);
  std::ofstream(folder_ / "ca.pem") << client.certificate;
  ListenerOptions options = Options();
  options.tls_client_ca_file = folder_ / "ca.pem";
  const auto listener = Listen(options);
  ASSERT_THAT(listener, IsOk());
  EXPECT_TRUE(Answers(listener->port(), server, client));
  EXPECT_FALSE(Answers(listener->port(), server, stranger));
  EXPECT_FALSE(Answers(listener->port(), server));
}

}  // namespace
}  // namespace todo::app
