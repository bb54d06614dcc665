#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "front/connection_list.h"
#include "front/descriptor.h"
#include "front/frame_inspector.h"
#include "front/open_calls.h"

namespace todo::front {

struct FrontOptions {
  std::string name;  // of the port, for logs: "api", "app"
  std::string address;
  int port = 0;  // 0: any free one
  /// Of frames. None: the bytes cannot be read (TLS), and only connections and time are bounded.
  std::optional<FrameLimits> frames = FrameLimits{};
  ConnectionTimes times = {};
  /// Connections whose client has not spoken yet. Each costs one descriptor.
  std::size_t max_waiting = 1'024;
  /// Connections that the server knows. Each costs three descriptors.
  std::size_t max_served = 1'024;
  std::size_t max_served_per_peer = 512;  // of one address
  std::size_t max_open_calls = 3'072;     // of all connections; where frames can be read
};

/// Accepts the connections of a port in the place of a server, and moves their bytes to and from
/// the server through socket pairs, as far as the limits allow. When all places are taken, a silent
/// connection gives way, see ConnectionList; when there are too many calls, one with many of them,
/// see OpenCalls. When descriptors run out, the port goes on.
///
/// Owns one thread. Thread safety: Open, Start, StopAccepting and Stop from one thread, in this
/// order; the getters from any.
class Front {
 public:
  /// Gives the server its end of a socket pair, and with it the descriptor, which the server closes
  /// when it has let go of all calls of the connection. Called on the front's thread, never after
  /// StopAccepting has returned; should not block.
  using Handover = std::function<void(int fd)>;

  explicit Front(FrontOptions options);
  /// Stops.
  ~Front();
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;

  /// Opens the port. Clients can connect, and wait until Start. kUnavailable, with the cause as its
  /// text: the port cannot be opened.
  absl::Status Open();
  /// Begins to accept.
  void Start(Handover handover);

  /// Closes the port and the connections whose client has not spoken; all others go on. Then stop
  /// the server: its last words still reach the clients.
  void StopAccepting();
  /// Delivers what the server has sent, for up to a second, then ends all connections and the
  /// thread. Calling it again is harmless.
  void Stop();

  int port() const { return port_; }
  int connection_count() const { return connection_count_; }  // now
  int accepted_count() const { return accepted_count_; }      // ever

 private:
  using Id = ConnectionList::Id;

  void Run();
  void HandleEvent(std::uint64_t tag, std::uint32_t events);
  void HandleCommands();
  void Accept();
  void PauseAccepting();  // until the next tick
  /// Accepts one connection to close it at once, so that the port does not spin.
  void AcceptWithoutDescriptors();
  void Admit(Descriptor client, const sockaddr_storage& address);
  Descriptor ReachServer(Connection& connection);
  void Move(Id id);
  /// Ends connections until there are few enough calls.
  void BoundCalls();
  void Watch(Id id, Connection& connection);
  void Tick();
  void ResumeSlowed();
  /// Takes note that the server has let go of connections that ended before.
  void SeeOff();
  /// `reason` empty: ended in the ordinary way.
  void End(Id id, std::string_view reason);
  void ReportEnded();
  /// Of the time after Stop: whether bytes of the server are on their way.
  bool HasUndelivered();
  int WaitMs() const;
  bool Control(int operation, int fd, std::uint32_t events, std::uint64_t tag) const;

  const FrontOptions options_;
  Handover handover_;
  Descriptor listening_;
  Descriptor epoll_;
  Descriptor commands_;  // an eventfd that wakes the thread
  Descriptor spare_;     // given up for a moment when there is no other descriptor
  int port_ = 0;

  // Of the thread.
  util::TokenBucket large_headers_;
  ConnectionList connections_;
  OpenCalls open_calls_;
  struct Leaving {
    OthersDescriptor server_end;
    int calls = 0;
    SteadyTime since;
  };
  std::vector<Leaving> leaving_;  // connections that have ended, until the server lets go of them
  std::vector<char> scratch_;
  std::multimap<SteadyTime, Id> slowed_;
  SteadyTime now_{};
  SteadyTime next_tick_{};
  SteadyTime next_see_off_{};
  std::optional<SteadyTime> stop_by_;
  bool accepting_ = true;
  bool accept_paused_ = false;  // until the next tick
  std::uint64_t pair_count_ = 0;
  struct Ended {
    int count = 0;
    std::string last_peer;
  };
  std::map<std::string, Ended, std::less<>> ended_;  // by reason, since the last report
  SteadyTime next_report_{};

  std::atomic<bool> stop_accepting_ = false;
  std::atomic<bool> accepting_stopped_ = false;
  std::atomic<bool> stop_ = false;
  std::atomic<int> connection_count_ = 0;
  std::atomic<int> accepted_count_ = 0;
  std::thread thread_;  // last: it uses all parts above
};

}  // namespace todo::front
