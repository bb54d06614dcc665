#include "front/front.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <span>
#include <utility>

#include "front/listening_socket.h"
#include "util/fault_point.h"
#include "util/log.h"
#include "util/require.h"
#include "util/status.h"

namespace todo::front {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t kBlockBytes = 64UL * 1024;
/// See FrameInspector. One block of 8 MiB, far more than deliveries have, takes six seconds;
/// those of 64 KiB are hardly slowed down.
constexpr double kLargeHeadersPerSecond = 5 * 1024.0 * 1024;
constexpr double kLargeHeaderBurst = 2 * 1024.0 * 1024;
constexpr int kAcceptsPerTurn = 64;
constexpr auto kTick = 250ms;
constexpr auto kSeeOffInterval = 10ms;
/// Clients have this long to take what the server said before it ended.
constexpr auto kLastWordsTime = 1s;
/// An attack must not fill the log.
constexpr auto kReportInterval = 10s;

// Tags of epoll: a connection's number and its side, or one of these.
constexpr std::uint64_t kListeningTag = 0;
constexpr std::uint64_t kCommandsTag = 1;
std::uint64_t ClientTag(std::uint64_t id) { return id * 2; }
std::uint64_t ServerTag(std::uint64_t id) { return id * 2 + 1; }

bool MakePair(std::array<int, 2>& ends) {
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0;
}

Descriptor OpenSpare() { return Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

/// The address; of v6 the network, because one machine has a whole network of addresses.
std::string GroupOf(const sockaddr_storage& address) {
  const std::string text = AddressText(address);
  if (address.ss_family != AF_INET6 || text.find('.') != std::string::npos) return text;
  const auto& bytes = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr.s6_addr;
  return {reinterpret_cast<const char*>(bytes), 8};
}

std::string NameOf(const sockaddr_storage& address) {
  const int port =
      ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                          : reinterpret_cast<const sockaddr_in&>(address).sin_port);
  return fmt::format("{}:{}", AddressText(address), port);
}

/// Names our end of a socket pair, so that the server can tell its peers apart. A failure is
/// harmless: the peer has no name then.
void NameSocket(int fd, std::uint64_t number, std::string_view peer) {
  const std::string name = fmt::format("todo-service/{}/{}/{}", getpid(), number, peer);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::min(name.size(), sizeof(address.sun_path) - 1);
  std::copy_n(name.begin(), length,
              address.sun_path + 1);  // a leading zero: not in the file system
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  (void)bind(fd, reinterpret_cast<const sockaddr*>(&address), size);
}

}  // namespace

Front::Front(FrontOptions options)
    : options_(std::move(options)),
      large_headers_(kLargeHeadersPerSecond, kLargeHeaderBurst),
      connections_({.waiting = options_.max_waiting,
                    .served = options_.max_served,
                    .served_per_peer = options_.max_served_per_peer}),
      open_calls_(options_.max_open_calls),
      scratch_(kBlockBytes) {
  TODO_REQUIRE(options_.max_waiting > 0 && options_.max_served > 0);
  TODO_REQUIRE(options_.max_served_per_peer > 0 && options_.max_open_calls > 0);
}

Front::~Front() { Stop(); }

absl::Status Front::Open() {
  TODO_ASSIGN_OR_RETURN(ListeningSocket opened,
                        OpenListeningSocket(options_.address, options_.port));
  listening_ = std::move(opened.socket);
  port_ = opened.port;
  epoll_ = Descriptor(epoll_create1(EPOLL_CLOEXEC));
  commands_ = Descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  spare_ = OpenSpare();
  if (!epoll_ || !commands_ || !spare_ ||
      !Control(EPOLL_CTL_ADD, listening_.get(), EPOLLIN, kListeningTag) ||
      !Control(EPOLL_CTL_ADD, commands_.get(), EPOLLIN, kCommandsTag))
    return util::MakeStatus(absl::StatusCode::kUnavailable, std::strerror(errno));
  return absl::OkStatus();
}

void Front::Start(Handover handover) {
  TODO_REQUIRE(listening_ && !thread_.joinable());
  handover_ = std::move(handover);
  thread_ = std::thread([this] { Run(); });
}

void Front::StopAccepting() {
  if (!thread_.joinable()) return;
  stop_accepting_ = true;
  eventfd_write(commands_.get(), 1);
  accepting_stopped_.wait(false);
}

void Front::Stop() {
  if (!thread_.joinable()) return;
  stop_ = true;
  eventfd_write(commands_.get(), 1);
  thread_.join();
}

void Front::Run() {
  std::array<epoll_event, 256> events{};
  while (!stop_ || HasUndelivered()) {
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), WaitMs());
    now_ = steady_clock::now();
    for (int i = 0; i < count; ++i) {
      const epoll_event event = events[static_cast<std::size_t>(i)];
      HandleEvent(event.data.u64, event.events);
    }
    if (now_ >= next_see_off_) SeeOff();
    ResumeSlowed();
    if (now_ >= next_tick_) Tick();
  }
  connections_.Clear();
  connection_count_ = 0;
  listening_.Close();
}

bool Front::HasUndelivered() {
  now_ = steady_clock::now();
  if (!stop_by_) stop_by_ = now_ + kLastWordsTime;
  return now_ < *stop_by_ && std::ranges::any_of(connections_.all(), [](const auto& entry) {
           return entry.second->HasUndelivered();
         });
}

int Front::WaitMs() const {
  SteadyTime until = stop_by_.value_or(next_tick_);
  if (!slowed_.empty()) until = std::min(until, slowed_.begin()->first);
  if (!leaving_.empty()) until = std::min(until, next_see_off_);
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(wait.count(), 0, 1'000));
}

void Front::HandleEvent(std::uint64_t tag, std::uint32_t events) {
  if (tag == kListeningTag) return Accept();
  if (tag == kCommandsTag) return HandleCommands();
  const Id id = tag / 2;
  Connection* const connection = connections_.Find(id);
  if (connection == nullptr) return;  // an earlier event of this turn ended it
  const bool hung_up = (events & (EPOLLHUP | EPOLLERR)) != 0;
  if (hung_up && tag == ClientTag(id)) return End(id, {});
  if (hung_up) connection->NoteServerEnd();
  Move(id);
}

void Front::HandleCommands() {
  eventfd_t ignored = 0;
  eventfd_read(commands_.get(), &ignored);
  if (!stop_accepting_ || !accepting_) return;
  accepting_ = false;
  listening_.Close();
  std::vector<Id> silent;
  for (const auto& [id, connection] : connections_.all())
    if (!connection->reached_server()) silent.push_back(id);
  for (const Id id : silent) End(id, {});
  accepting_stopped_ = true;
  accepting_stopped_.notify_all();
}

void Front::Accept() {
  if (TODO_PLANTED(options_.name + "-deaf")) return PauseAccepting();
  for (int i = 0; i < kAcceptsPerTurn && accepting_ && !accept_paused_; ++i) {
    sockaddr_storage address{};
    socklen_t length = sizeof(address);
    Descriptor client(accept4(listening_.get(), reinterpret_cast<sockaddr*>(&address), &length,
                              SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client) {
      Admit(std::move(client), address);
      continue;
    }
    switch (errno) {
      case EAGAIN: return;
      case EMFILE:
      case ENFILE: AcceptWithoutDescriptors(); break;
      case ENOBUFS:
      case ENOMEM:
        PauseAccepting();  // the connection stays in the kernel's queue
        break;
      default:  // the client has gone again
        break;
    }
  }
}

void Front::PauseAccepting() {
  accept_paused_ = true;
  Control(EPOLL_CTL_MOD, listening_.get(), 0, kListeningTag);
}

void Front::AcceptWithoutDescriptors() {
  if (const Id id = connections_.First(); id != 0) End(id, "no descriptor is left");
  spare_.Close();
  // Closed again at once: the next connection finds the descriptors of the one that gave way.
  Descriptor refused(accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  refused.Close();
  spare_ = OpenSpare();
}

void Front::Admit(Descriptor client, const sockaddr_storage& address) {
  ++accepted_count_;
  const int on = 1;
  setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  Connection::Peer peer{.group = GroupOf(address), .name = NameOf(address)};
  if (const Id id = connections_.WaitingToGiveWay(); id != 0)
    End(id, "all places to wait are taken");
  std::optional<FrameInspector> inspector;
  if (options_.frames) inspector.emplace(*options_.frames, &large_headers_, &open_calls_);
  const Id id = connections_.Add(std::make_unique<Connection>(
      std::move(client), std::move(peer), std::move(inspector), options_.times, now_));
  connection_count_ = static_cast<int>(connections_.size());
  Connection& connection = *connections_.Find(id);
  connection.watched_client_events = connection.client_events();
  if (!Control(EPOLL_CTL_ADD, connection.client_fd(), connection.watched_client_events,
               ClientTag(id)))
    return End(id, "the kernel cannot watch it");
  Move(id);  // a client that has spoken does not wait behind silent ones
}

Descriptor Front::ReachServer(Connection& connection) {
  if (!accepting_) return {};
  if (const Id id = connections_.ServedToGiveWay(connection.peer().group); id != 0)
    End(id, "all places are taken");
  std::array<int, 2> ends{};
  if (!MakePair(ends)) {
    // One that has ended frees a descriptor at once, or two; the spare one may be the second.
    if (errno != EMFILE && errno != ENFILE) return {};
    const Id first = connections_.FirstBut(&connection);
    if (first == 0) return {};
    End(first, "no descriptor is left");
    spare_.Close();
    const bool made = MakePair(ends);
    spare_ = OpenSpare();
    if (!made) return {};
  }
  Descriptor ours(ends[0]);
  NameSocket(ours.get(), ++pair_count_, connection.peer().name);
  connection.server_end = OthersDescriptor(ends[1]);
  handover_(ends[1]);
  connections_.NoteServed(connection);
  return ours;
}

void Front::Move(Id id) {
  Connection* const connection = connections_.Find(id);
  if (connection == nullptr) return;
  const auto reach = [this](Connection& one) { return ReachServer(one); };
  if (!connection->Move(std::span(scratch_), reach, now_)) return End(id, connection->end_reason());
  if (connection->resume_at() && connection->resume_at() != connection->scheduled_resume)
    slowed_.emplace(*connection->resume_at(), id);
  connection->scheduled_resume = connection->resume_at();
  Watch(id, *connection);
  if (connections_.Find(id) == nullptr) return;
  open_calls_.Note(id, connection->open_calls());
  BoundCalls();
}

void Front::BoundCalls() {
  for (Id id = open_calls_.ToGiveWay(); id != 0; id = open_calls_.ToGiveWay())
    End(id, "too many calls on all connections");
}

void Front::Watch(Id id, Connection& connection) {
  const std::uint32_t client_events = connection.client_events();
  if (client_events != connection.watched_client_events) {
    Control(EPOLL_CTL_MOD, connection.client_fd(), client_events, ClientTag(id));
    connection.watched_client_events = client_events;
  }
  if (!connection.reached_server()) return;
  const std::uint32_t server_events = connection.server_events();
  using Watched = Connection::Watched;
  if (connection.server_ended()) {
    // The kernel would announce it again and again.
    if (connection.server_watched == Watched::kYes)
      Control(EPOLL_CTL_DEL, connection.server_fd(), 0, ServerTag(id));
    connection.server_watched = Watched::kNoMore;
  } else if (connection.server_watched == Watched::kNotYet) {
    if (!Control(EPOLL_CTL_ADD, connection.server_fd(), server_events, ServerTag(id)))
      return End(id, "the kernel cannot watch it");
    connection.server_watched = Watched::kYes;
  } else if (server_events != connection.watched_server_events) {
    Control(EPOLL_CTL_MOD, connection.server_fd(), server_events, ServerTag(id));
  }
  connection.watched_server_events = server_events;
}

bool Front::Control(int operation, int fd, std::uint32_t events, std::uint64_t tag) const {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
}

void Front::ResumeSlowed() {
  while (!slowed_.empty() && slowed_.begin()->first <= now_) {
    const Id id = slowed_.begin()->second;
    slowed_.erase(slowed_.begin());
    Move(id);
  }
}

void Front::Tick() {
  next_tick_ = now_ + kTick;
  if (std::exchange(accept_paused_, false) && accepting_)
    Control(EPOLL_CTL_MOD, listening_.get(), EPOLLIN, kListeningTag);
  if (!spare_) spare_ = OpenSpare();
  std::vector<std::pair<Id, std::string_view>> late;
  for (const auto& [id, connection] : connections_.all())
    if (!connection->CheckDeadlines(now_)) late.emplace_back(id, connection->end_reason());
  for (const auto& [id, reason] : late) End(id, reason);
  if (now_ >= next_report_) ReportEnded();
}

void Front::End(Id id, std::string_view reason) {
  const Connection* const connection = connections_.Find(id);
  if (connection == nullptr) return;
  if (!reason.empty()) {
    Ended& ended = ended_[std::string(reason)];
    ++ended.count;
    ended.last_peer = connection->peer().name;
  }
  open_calls_.Note(id, {});
  if (const int calls = connection->open_calls().calls;
      calls > 0 && connection->server_end.open()) {
    open_calls_.NoteLeaving(calls);
    leaving_.push_back({.server_end = connection->server_end, .calls = calls, .since = now_});
  }
  connections_.Remove(id);
  connection_count_ = static_cast<int>(connections_.size());
}

void Front::SeeOff() {
  next_see_off_ = now_ + kSeeOffInterval;
  std::erase_if(leaving_, [this](const Leaving& one) {
    const bool left = !one.server_end.open() || now_ - one.since > options_.times.closing;
    if (left) open_calls_.NoteLeft(one.calls);
    return left;
  });
}

void Front::ReportEnded() {
  next_report_ = now_ + kReportInterval;
  for (const auto& [reason, ended] : ended_) {
    util::Log(util::Severity::kWarning, "connections_ended",
              {{"port", options_.name},
               {"reason", reason},
               {"count", ended.count},
               {"last_peer", ended.last_peer}});
  }
  ended_.clear();
}

}  // namespace todo::front
