#include "front/connection.h"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace todo::front {
namespace {

/// Blocks that one connection may move before the others have their turn.
constexpr int kBlocksPerTurn = 4;

/// The number of bytes that the socket took; -1: it is broken.
ssize_t Send(int fd, std::string_view bytes) {
  for (;;) {
    const ssize_t count = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) return count;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    if (errno != EINTR) return -1;
  }
}

constexpr ssize_t kNothingNow = -1;
constexpr ssize_t kBroken = -2;

/// The number of bytes received; 0: the other side has ended; kNothingNow or kBroken.
ssize_t ReceiveSome(int fd, std::span<char> into) {
  for (;;) {
    const ssize_t count = recv(fd, into.data(), into.size(), MSG_DONTWAIT);
    if (count >= 0) return count;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return kNothingNow;
    if (errno != EINTR) return kBroken;
  }
}

/// Forgets the first bytes, and the memory with the last one.
void Drop(std::string& bytes, std::size_t count) {
  if (count == bytes.size()) {
    std::string().swap(bytes);
  } else {
    bytes.erase(0, count);
  }
}

}  // namespace

Connection::Connection(Descriptor client, Peer peer, std::optional<FrameInspector> inspector,
                       const ConnectionTimes& times, SteadyTime now)
    : client_(std::move(client)),
      peer_(std::move(peer)),
      inspector_(std::move(inspector)),
      times_(times),
      accepted_at_(now),
      last_active_(now) {}

Connection::Outcome Connection::End(std::string_view reason) {
  end_reason_ = reason;
  return Outcome::kOver;
}

bool Connection::has_calls() const {
  // Where bytes cannot be read, every connection that has spoken may have calls.
  return inspector_ ? inspector_->open_calls() > 0 : reached_server();
}

OpenCalls::Count Connection::open_calls() const {
  if (!inspector_) return {};
  return {.calls = inspector_->open_calls(), .requests = inspector_->open_requests()};
}

bool Connection::has_called() const {
  return inspector_ ? inspector_->has_called() : reached_server();
}

bool Connection::HasUndelivered() const {
  if (!server_) return false;
  int unread = 0;
  return !down_.empty() || (ioctl(server_.get(), FIONREAD, &unread) == 0 && unread > 0);
}

std::uint32_t Connection::client_events() const {
  const bool reads = (up_.empty() || !server_) && !client_ended_ && !server_ended_;
  return (reads ? EPOLLIN : 0U) | (down_.empty() ? 0U : EPOLLOUT);
}

std::uint32_t Connection::server_events() const {
  if (server_ended_) return 0;
  return (down_.empty() ? EPOLLIN : 0U) | (up_inspected_ > 0 ? EPOLLOUT : 0U);
}

bool Connection::Move(std::span<char> scratch, const ReachServer& reach_server, SteadyTime now) {
  // No event announces the rest of what the server had sent before it ended.
  for (int turn = 0; turn < kBlocksPerTurn || server_ended_; ++turn) {
    const Outcome up = MoveUp(scratch, reach_server, now);
    if (up == Outcome::kOver) return false;
    const Outcome down = MoveDown(scratch, now);
    if (down == Outcome::kOver) return false;
    if (up == Outcome::kIdle && down == Outcome::kIdle) break;
  }
  return true;
}

Connection::Outcome Connection::MoveUp(std::span<char> scratch, const ReachServer& reach_server,
                                       SteadyTime now) {
  if (server_ended_) return Outcome::kIdle;
  if (server_ && !up_.empty()) {
    if (up_inspected_ < up_.size() && (!resume_at_ || now >= *resume_at_)) {
      const ssize_t passed = Inspect(std::string_view(up_).substr(up_inspected_), now);
      if (passed < 0) return Outcome::kOver;
      up_inspected_ += static_cast<std::size_t>(passed);
    }
    FlushUp(now);
    return up_.empty() ? Outcome::kProgress : Outcome::kIdle;
  }
  if (client_ended_) return Outcome::kIdle;
  const ssize_t count = ReceiveSome(client_.get(), scratch);
  if (count == kNothingNow) return Outcome::kIdle;
  if (count == kBroken || (count == 0 && !server_)) return Outcome::kOver;
  last_active_ = now;
  if (count == 0) {
    client_ended_ = true;
    shutdown(server_.get(), SHUT_WR);
    return Outcome::kIdle;
  }
  return Receive({scratch.data(), static_cast<std::size_t>(count)}, reach_server, now);
}

Connection::Outcome Connection::Receive(std::string_view bytes, const ReachServer& reach_server,
                                        SteadyTime now) {
  const ssize_t passed = Inspect(bytes, now);
  if (passed < 0) return Outcome::kOver;
  const auto inspected = static_cast<std::size_t>(passed);
  if (!server_ && (!inspector_ || inspector_->greeted())) {
    server_ = reach_server(*this);
    if (!server_) return End("the server could not be reached");
  }
  ssize_t sent = 0;
  if (server_ && up_.empty()) sent = Send(server_.get(), bytes.substr(0, inspected));
  if (sent < 0) {
    NoteServerEnd();
    return Outcome::kProgress;
  }
  up_.append(bytes.substr(static_cast<std::size_t>(sent)));
  up_inspected_ += inspected - static_cast<std::size_t>(sent);
  return Outcome::kProgress;
}

ssize_t Connection::Inspect(std::string_view bytes, SteadyTime now) {
  resume_at_.reset();
  if (!inspector_) return static_cast<ssize_t>(bytes.size());
  const Decision decision = inspector_->FromClient(bytes, now);
  if (decision.kind == Decision::Kind::kRefuse) {
    End(decision.reason);
    return -1;
  }
  if (decision.kind == Decision::Kind::kWait) {
    resume_at_ = now + decision.wait;
    if (!slowed_since_) slowed_since_ = now;
  } else {
    slowed_since_.reset();
  }
  return static_cast<ssize_t>(decision.passed);
}

void Connection::NoteServerEnd() {
  server_ended_ = true;
  up_inspected_ = 0;
  Drop(up_, up_.size());
  resume_at_.reset();
}

void Connection::FlushUp(SteadyTime now) {
  if (up_inspected_ == 0) return;
  const ssize_t sent = Send(server_.get(), std::string_view(up_).substr(0, up_inspected_));
  if (sent < 0) {
    NoteServerEnd();
    return;
  }
  if (sent > 0) last_active_ = now;
  up_inspected_ -= static_cast<std::size_t>(sent);
  Drop(up_, static_cast<std::size_t>(sent));
}

Connection::Outcome Connection::MoveDown(std::span<char> scratch, SteadyTime now) {
  if (!server_) return Outcome::kIdle;
  if (!down_.empty()) {
    if (!FlushDown(now)) return Outcome::kOver;
    if (!down_.empty()) return Outcome::kIdle;
  }
  const ssize_t count = ReceiveSome(server_.get(), scratch);
  if (count == kNothingNow) return Outcome::kIdle;
  if (count <= 0) return Outcome::kOver;  // all that the server sent before has been delivered
  const std::string_view bytes(scratch.data(), static_cast<std::size_t>(count));
  if (inspector_) inspector_->FromServer(bytes, now);
  const ssize_t sent = Send(client_.get(), bytes);
  if (sent < 0) return Outcome::kOver;
  if (sent > 0) last_active_ = now;
  down_.assign(bytes.substr(static_cast<std::size_t>(sent)));
  return Outcome::kProgress;
}

bool Connection::FlushDown(SteadyTime now) {
  const ssize_t sent = Send(client_.get(), down_);
  if (sent < 0) return false;
  if (sent > 0) last_active_ = now;
  Drop(down_, static_cast<std::size_t>(sent));
  return true;
}

bool Connection::CheckDeadlines(SteadyTime now) {
  std::string_view reason;
  if (!server_ && now - accepted_at_ > times_.opening) {
    reason = "the client said nothing";
  } else if (slowed_since_ && now - *slowed_since_ > times_.slowed) {
    reason = "the client asks for more than it may";
  } else if ((client_ended_ || server_ended_) && now - last_active_ > times_.closing) {
    reason = "the end of the connection takes too long";
  } else if (inspector_) {
    reason = inspector_->Overdue(now);
  }
  end_reason_ = reason;
  return reason.empty();
}

}  // namespace todo::front
