#include "app/http_ports.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/status_matchers.h"
#include "unit/edge/peer.h"

namespace todo::app {
namespace {

using support::IsOk;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

Config OnFreePorts() {
  Config config;
  config.web_address = config.ops_address = "127.0.0.1";
  config.web_port = config.ops_port = 0;
  return config;
}

std::string Get(int port, const std::string& path) {
  const edge::Peer peer(port);
  peer.Send(fmt::format("GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path));
  return peer.ReadAll();
}

TEST(HttpPortsTest, TheOpsPortHasThePagesAndTheWebPortHasThemNot) {
  bool ready = false;
  HttpPorts ports(OnFreePorts(),
                  {.is_ready = [&] { return ready; }, .metrics = [] { return "a 1\n"; }});
  ASSERT_THAT(ports.OpenOps(), IsOk());
  ASSERT_THAT(ports.OpenWeb(), IsOk());
  EXPECT_THAT(Get(ports.ops_port(), "/healthz"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Get(ports.ops_port(), "/readyz"), StartsWith("HTTP/1.1 503"));
  ready = true;
  EXPECT_THAT(Get(ports.ops_port(), "/readyz?x"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(
      Get(ports.ops_port(), "/metrics"),
      AllOf(HasSubstr("content-type: text/plain; version=0.0.4"), EndsWith("\r\n\r\na 1\n")));
  for (const char* path : {"/healthz", "/readyz", "/metrics", "/"})
    EXPECT_THAT(Get(ports.web_port(), path), StartsWith("HTTP/1.1 404")) << path;
  EXPECT_EQ(ports.stats().at("web").request_count, 4);
}

TEST(HttpPortsTest, TheDevelopmentIdentityNeedsALoopbackName) {
  Config config = OnFreePorts();
  config.dev_identity = true;
  HttpPorts ports(config, {.is_ready = [] { return true; }, .metrics = [] { return ""; }});
  ASSERT_THAT(ports.OpenWeb(), IsOk());
  EXPECT_THAT(Get(ports.web_port(), "/"), StartsWith("HTTP/1.1 403")) << "the host is x";
}

std::string WarningsFor(const Config& config) {
  testing::internal::CaptureStderr();
  WarnOfClearText(config);
  return testing::internal::GetCapturedStderr();
}

TEST(HttpPortsTest, WarnsWhenTokensTravelInTheClear) {
  Config config = OnFreePorts();
  EXPECT_THAT(WarningsFor(config), IsEmpty());
  config.web_address = "0.0.0.0";
  EXPECT_THAT(WarningsFor(config), AllOf(HasSubstr("tokens_in_clear"), HasSubstr("web")));
  config.web_address = "::1";
  config.api_address = "10.0.0.1";
  EXPECT_THAT(WarningsFor(config), AllOf(HasSubstr("tokens_in_clear"), HasSubstr("api")));
  config.tls_cert = "cert.pem";
  EXPECT_THAT(WarningsFor(config), IsEmpty());
}

}  // namespace
}  // namespace todo::app
