// Gives the look at HTTP/2 frames whatever comes, in pieces of any size, beside whatever a server
// sends. Stops at anything that its header rules out.
//
// An input is a sequence of steps: a byte that says who speaks (0 to 127: the client; else the
// server) and, in its lower bits, how many of the following bytes it says at once. A client that is
// told to wait waits. The opening of a client comes before all of them, unless the first byte is
// odd.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "front/frame_inspector.h"
#include "require.h"

namespace {

using todo::front::Decision;
using todo::front::FrameInspector;
using todo::front::FrameLimits;
using todo::front::SteadyTime;
using todo::fuzz::Require;
using namespace std::chrono_literals;

constexpr std::string_view kOpening("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 24 + 9);

/// A client that offers what did not pass again, after the time that it was told.
class Client {
 public:
  void Say(std::string_view bytes) {
    kept_.append(bytes);
    for (int tries = 0; !kept_.empty() && !refused_; ++tries) {
      const Decision decision = inspector_.FromClient(kept_, now_);
      Require(decision.passed <= kept_.size(), "no more passes than was offered");
      refused_ = decision.kind == Decision::Kind::kRefuse;
      Require(refused_ != decision.reason.empty(), "a refusal has a reason");
      if (refused_) break;
      if (decision.kind == Decision::Kind::kPass)
        Require(decision.passed == kept_.size(), "all passes");
      if (decision.kind == Decision::Kind::kWait) {
        Require(decision.passed < kept_.size(), "something waits");
        Require(decision.wait > 0ms && decision.wait < 10s, "a wait is short");
        now_ += decision.wait;
      }
      kept_.erase(0, decision.passed);
      Require(inspector_.open_calls() <= kLimits.max_open_calls, "calls are bounded");
    }
    if (refused_) {
      Require(inspector_.FromClient("x", now_).kind == Decision::Kind::kRefuse,
              "nothing passes after a refusal");
    }
  }
  void Hear(std::string_view bytes) { inspector_.FromServer(bytes, now_); }
  void Wait() {
    now_ += 1s;
    (void)inspector_.Overdue(now_);
  }

 private:
  static constexpr FrameLimits kLimits{.max_header_block_bytes = 200,
                                       .max_continuations = 3,
                                       .max_open_calls = 4,
                                       .control_frames_per_second = 10,
                                       .control_frame_burst = 5};

  todo::util::TokenBucket large_headers_{100, 200};
  FrameInspector inspector_{kLimits, &large_headers_};
  SteadyTime now_{1'000s};
  std::string kept_;
  bool refused_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  Client client;
  if (!input.empty() && (data[0] & 1) == 0) client.Say(kOpening);
  while (!input.empty()) {
    const auto step = static_cast<std::uint8_t>(input.front());
    input.remove_prefix(1);
    const std::string_view piece = input.substr(0, step & 0x7f);
    input.remove_prefix(piece.size());
    if ((step & 0x80) == 0) {
      client.Say(piece);
    } else {
      client.Hear(piece);
    }
    if (piece.empty()) client.Wait();
  }
  return 0;
}
