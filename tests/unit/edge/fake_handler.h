#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "util/http_exchange.h"

namespace todo::edge {

/// Whether `condition` becomes true within a generous time.
inline bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

/// Paths for tests: /echo answers with the body of the request, /stream with as many pieces as the
/// body says, /large with more than sockets hold, /held leaves the exchange to the test, and the
/// query is its holder, /short answers bodies above its limit itself, /throws and /throws-late
/// throw. All other paths are answered from the head, with its method, path and query.
class FakeHandler final : public util::HttpHandler {
 public:
  static constexpr std::size_t kMaxBodyBytes = 1024UL * 1024;
  static constexpr std::size_t kLargeBytes = 8'000'000;

  util::HttpDecision Decide(const util::HttpRequestHead& head) override {
    if (head.path == "/throws") throw std::runtime_error("secret");
    if (head.path == "/throws-late") {
      return Taking([](std::string, std::unique_ptr<util::HttpExchange>) {
        throw std::runtime_error("secret");
      });
    }
    if (head.path == "/echo") {
      return Taking([](std::string body, std::unique_ptr<util::HttpExchange> exchange) {
        exchange->Respond({.status = 200, .body = std::move(body)});
      });
    }
    if (head.path == "/stream") {
      return Taking([](const std::string& body, std::unique_ptr<util::HttpExchange> exchange) {
        exchange->Begin({});
        for (int i = 0; i < std::stoi(body); ++i)
          exchange->Write(std::string("piece ").append(std::to_string(i)).append(";"));
        exchange->End();
      });
    }
    if (head.path == "/large") {
      return Taking([](std::string, std::unique_ptr<util::HttpExchange> exchange) {
        exchange->Respond({.body = std::string(kLargeBytes, 'x')});
      });
    }
    if (head.path == "/short") {
      return util::HttpAcceptance{.max_body_bytes = 8,
                                  .too_long = util::HttpResponse{.body = "longer than a short one"},
                                  .handle = {}};
    }
    if (head.path == "/held") {
      util::HttpAcceptance held =
          Taking([this](std::string, std::unique_ptr<util::HttpExchange> exchange) {
            const std::lock_guard lock(mutex_);
            held_.push_back(std::move(exchange));
            changed_.notify_all();
          });
      held.holder = head.query;
      if (head.query == "polite")
        held.too_many = [] { return util::HttpResponse{.body = "later"}; };
      return held;
    }
    return util::HttpResponse{.status = 200,
                              .body = std::string(head.method)
                                          .append(" ")
                                          .append(head.path.substr(1))
                                          .append(" of ")
                                          .append(head.query)};
  }

  /// The oldest exchange of /held, once there is one.
  std::unique_ptr<util::HttpExchange> AwaitHeld() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !held_.empty(); });
    std::unique_ptr<util::HttpExchange> exchange = std::move(held_.front());
    held_.erase(held_.begin());
    return exchange;
  }

 private:
  using Handle = std::function<void(std::string, std::unique_ptr<util::HttpExchange>)>;
  static util::HttpAcceptance Taking(Handle handle) {
    return {.max_body_bytes = kMaxBodyBytes, .handle = std::move(handle)};
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<util::HttpExchange>> held_;
};

}  // namespace todo::edge
