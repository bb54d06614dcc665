#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "front/descriptor.h"
#include "front/frame_inspector.h"
#include "front/open_calls.h"

namespace todo::front {

/// How long a client may take.
struct ConnectionTimes {
  std::chrono::milliseconds opening{5'000};  // to its first word
  /// A client that asks for more than it may is slowed down for so long before it is cut off.
  std::chrono::milliseconds slowed{10'000};
  /// Without progress, after one of the two sides has ended the connection.
  std::chrono::milliseconds closing{30'000};
};

/// One connection of a client, and the socket to the server behind it. Moves bytes in both
/// directions, those of the client through the inspector. What one side does not take is kept, and
/// nothing more is read from the other side: at most one block (the size of `scratch`) is kept for
/// each direction.
/// Thread safety: none; belongs to the thread of its Front. Never blocks.
class Connection {
 public:
  /// Makes the connection to the server, when the client has spoken: our end of a socket pair, not
  /// blocking. Empty: impossible at the moment.
  using ReachServer = std::function<Descriptor(Connection&)>;

  struct Peer {
    std::string group;  // connections of the same peer: its address
    std::string name;   // address and port, for logs
  };

  /// `inspector`: none for bytes that cannot be read (TLS).
  Connection(Descriptor client, Peer peer, std::optional<FrameInspector> inspector,
             const ConnectionTimes& times, SteadyTime now);

  /// Moves what can be moved, up to a fair share. `scratch` is memory for the duration of the call.
  /// False: the connection is over, see end_reason().
  bool Move(std::span<char> scratch, const ReachServer& reach_server, SteadyTime now);
  /// The server has closed its end, though the bytes that it sent before may not have been read.
  void NoteServerEnd();
  /// Looks for deadlines that have passed. False: as Move.
  bool CheckDeadlines(SteadyTime now);

  const Peer& peer() const { return peer_; }
  /// Why Move or CheckDeadlines ended the connection because the client misbehaved; empty: it ended
  /// in the ordinary way.
  std::string_view end_reason() const { return end_reason_; }

  int client_fd() const { return client_.get(); }
  int server_fd() const { return server_.get(); }  // -1 until the client has spoken
  // Which events (EPOLLIN, EPOLLOUT) make a further Move worthwhile.
  std::uint32_t client_events() const;
  std::uint32_t server_events() const;
  /// When Move is worthwhile without an event: the client was slowed down.
  std::optional<SteadyTime> resume_at() const { return resume_at_; }

  SteadyTime accepted_at() const { return accepted_at_; }
  SteadyTime last_active() const { return last_active_; }
  bool reached_server() const { return static_cast<bool>(server_); }
  bool server_ended() const { return server_ended_; }
  bool has_calls() const;
  /// None where bytes cannot be read.
  OpenCalls::Count open_calls() const;
  /// Whether the client has ever begun a call.
  bool has_called() const;
  /// Whether bytes of the server have not been given to the client's socket.
  bool HasUndelivered() const;

  // What Front has told the server, epoll and its list of slowed connections, kept here for it.
  enum class Watched { kNotYet, kYes, kNoMore };
  std::uint32_t watched_client_events = 0;
  std::uint32_t watched_server_events = 0;
  Watched server_watched = Watched::kNotYet;
  std::optional<SteadyTime> scheduled_resume;
  OthersDescriptor server_end;

 private:
  enum class Outcome { kIdle, kProgress, kOver };

  Outcome MoveUp(std::span<char> scratch, const ReachServer& reach_server, SteadyTime now);
  Outcome MoveDown(std::span<char> scratch, SteadyTime now);
  Outcome Receive(std::string_view bytes, const ReachServer& reach_server, SteadyTime now);
  /// The number of leading bytes that may go to the server; -1: the client is refused.
  ssize_t Inspect(std::string_view bytes, SteadyTime now);
  void FlushUp(SteadyTime now);
  bool FlushDown(SteadyTime now);
  Outcome End(std::string_view reason);

  Descriptor client_;
  Descriptor server_;
  const Peer peer_;
  std::optional<FrameInspector> inspector_;
  const ConnectionTimes times_;
  const SteadyTime accepted_at_;
  SteadyTime last_active_;

  std::string up_;                // from the client, not sent yet
  std::size_t up_inspected_ = 0;  // the leading bytes of up_ that may go to the server
  std::string down_;              // from the server, not sent yet
  bool client_ended_ = false;
  bool server_ended_ = false;
  std::optional<SteadyTime> resume_at_;
  std::optional<SteadyTime> slowed_since_;
  std::string_view end_reason_;
};

}  // namespace todo::front
