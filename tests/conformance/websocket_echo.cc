// A server for the conformance tests of the WebSocket protocol: the HTTP server of the service, and
// a door that sends every message back. Prints its port, and ends with its standard input.

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "edge/http_server.h"
#include "util/http_exchange.h"

namespace todo {
namespace {

// The tests send messages of up to 16 MiB, some of them in many small fragments.
constexpr std::size_t kMaxMessageBytes = 64UL * 1024 * 1024;
constexpr int kMaxFragments = 1'000'000;

class Echo final : public util::WebSocketListener {
 public:
  explicit Echo(std::shared_ptr<util::WebSocket> socket) : socket_(std::move(socket)) {
    socket_->Admit();
  }

  void OnMessage(std::string text) override {
    socket_->Send(std::make_shared<const std::string>(std::move(text)));
  }
  void OnBinaryMessage(std::string bytes) override {
    socket_->SendBinary(std::make_shared<const std::string>(std::move(bytes)));
  }
  void OnClosed() override {}

 private:
  const std::shared_ptr<util::WebSocket> socket_;
};

class EchoDoor final : public util::HttpHandler {
 public:
  util::HttpDecision Decide(const util::HttpRequestHead&) override {
    return util::WebSocketAcceptance{.max_message_bytes = kMaxMessageBytes,
                                     .max_unsent_bytes = kMaxMessageBytes,
                                     .binary = true,
                                     .open = [](std::shared_ptr<util::WebSocket> socket) {
                                       return std::make_unique<Echo>(std::move(socket));
                                     }};
  }
};

int Main() {
  EchoDoor door;
  edge::HttpServer server({.max_connections = 20'000,
                           .web_sockets = {.max_fragments = kMaxFragments,
                                           .control_frames_per_second = 100'000,
                                           .control_frame_burst = 100'000},
                           .max_request_bytes_held = kMaxMessageBytes * 4,
                           .max_response_bytes_held = kMaxMessageBytes * 4},
                          door);
  if (const absl::Status status = server.Start(); !status.ok()) {
    std::cerr << status << "\n";
    return EXIT_FAILURE;
  }
  std::cout << server.port() << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
  }
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace todo

int main() { return todo::Main(); }
