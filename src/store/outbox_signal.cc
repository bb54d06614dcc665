#include "store/outbox_signal.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "store/connection_pool.h"
#include "util/backoff.h"
#include "util/log.h"

namespace todo::store {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr char kListen[] = "listen todo_outbox";
constexpr char kNotify[] = "select pg_notify('todo_outbox', $1)";

constexpr unsigned kMaxShards = 63;
/// Stands in a payload beside the numbers of shards. Binaries that do not know it skip it.
constexpr std::string_view kDeliveryName = "delivery";

std::string PayloadOf(std::uint64_t news) {
  std::string payload;
  for (; news != 0; news &= news - 1) {
    const int bit = std::countr_zero(news);
    if (!payload.empty()) payload += ',';
    payload += bit == kMaxShards ? std::string(kDeliveryName) : fmt::to_string(bit);
  }
  return payload;
}

std::uint64_t NewsIn(std::string_view payload) {
  std::uint64_t news = 0;
  while (!payload.empty()) {
    const std::string_view part = payload.substr(0, payload.find(','));
    payload.remove_prefix(std::min(payload.size(), part.size() + 1));
    unsigned shard = kMaxShards;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), shard);
    if (error == std::errc() && end == part.data() + part.size() && shard < kMaxShards)
      news |= std::uint64_t{1} << shard;
    if (part == kDeliveryName) news |= std::uint64_t{1} << kMaxShards;
  }
  return news;
}

}  // namespace

/// The thread's part. Uses the plain C library, because only that can connect without blocking.
class OutboxSignal::Loop {
 public:
  explicit Loop(OutboxSignal& signal)
      : signal_(signal), retry_(signal.options_.first_retry, signal.options_.last_retry) {}

  void Run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      Step();
      Wait();
    }
    signal_.connected_ = false;
  }

 private:
  enum class Phase { kAway, kConnecting, kIdle, kBusy };  // kBusy: a statement is on its way

  void Step() {
    const auto now = steady_clock::now();
    switch (phase_) {
      case Phase::kAway:
        if (now >= next_) StartConnecting();
        break;
      case Phase::kConnecting: GoOnConnecting(); break;
      case Phase::kIdle:
      case Phase::kBusy: Receive(); break;
    }
    if (phase_ == Phase::kIdle && signal_.pending_ != 0 && now >= next_) Send(now);
    if ((phase_ == Phase::kConnecting || phase_ == Phase::kBusy) &&
        steady_clock::now() >= deadline_)
      Lose();
  }

  void StartConnecting() {
    deadline_ = steady_clock::now() + signal_.options_.answer_deadline;
    connection_.reset(PQconnectStart(signal_.conninfo_.c_str()));
    phase_ = Phase::kConnecting;
    wants_ = POLLOUT;
    if (connection_ == nullptr || PQstatus(connection_.get()) == CONNECTION_BAD) Lose();
  }

  void GoOnConnecting() {
    switch (PQconnectPoll(connection_.get())) {
      case PGRES_POLLING_READING: wants_ = POLLIN; break;
      case PGRES_POLLING_WRITING: wants_ = POLLOUT; break;
      case PGRES_POLLING_OK:
        wants_ = POLLIN;
        PQsetnonblocking(connection_.get(), 1);
        PQsetNoticeProcessor(
            connection_.get(), [](void*, const char*) {}, nullptr);
        phase_ = Phase::kBusy;
        listening_ = false;
        if (PQsendQuery(connection_.get(), kListen) == 0) Lose();
        break;
      default: Lose(); break;
    }
  }

  void Receive() {
    if (PQconsumeInput(connection_.get()) == 0) return Lose();
    while (phase_ == Phase::kBusy && PQisBusy(connection_.get()) == 0) {
      const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQgetResult(connection_.get()),
                                                                 &PQclear);
      if (result == nullptr) {
        phase_ = Phase::kIdle;
        sent_ = 0;
        if (!std::exchange(listening_, true)) {
          retry_.Reset();
          signal_.connected_ = true;
          if (signal_.on_delivery_) signal_.on_delivery_();
        }
      } else if (PQresultStatus(result.get()) != PGRES_COMMAND_OK &&
                 PQresultStatus(result.get()) != PGRES_TUPLES_OK) {
        return Lose();
      }
    }
    std::uint64_t announced = 0;
    while (PGnotify* notification = PQnotifies(connection_.get())) {
      // Our own notifications come back too.
      if (notification->be_pid != PQbackendPID(connection_.get()))
        announced |= NewsIn(notification->extra);
      PQfreemem(notification);
    }
    if ((announced & kDelivery) != 0 && signal_.on_delivery_) signal_.on_delivery_();
    for (announced &= ~kDelivery; announced != 0; announced &= announced - 1)
      signal_.on_announced_(std::countr_zero(announced));
  }

  void Send(steady_clock::time_point now) {
    sent_ = signal_.pending_.exchange(0);
    const std::string payload = PayloadOf(sent_);
    const char* values[] = {payload.c_str()};
    next_ = now + signal_.options_.send_interval;
    deadline_ = now + signal_.options_.answer_deadline;
    phase_ = Phase::kBusy;
    if (PQsendQueryParams(connection_.get(), kNotify, 1, nullptr, values, nullptr, nullptr, 0) == 0)
      Lose();
  }

  /// The next connection sends again the news that was sent and not confirmed.
  void Lose() {
    if (signal_.connected_.exchange(false)) util::Log(util::Severity::kInfo, "outbox_signal_lost");
    connection_.reset();
    signal_.pending_ |= std::exchange(sent_, 0);
    phase_ = Phase::kAway;
    next_ = steady_clock::now() + retry_.Next();
  }

  void Wait() {
    std::optional<steady_clock::time_point> until;
    if (phase_ == Phase::kAway) until = next_;
    if (phase_ == Phase::kIdle && signal_.pending_ != 0) until = next_;
    if (phase_ == Phase::kConnecting || phase_ == Phase::kBusy) until = deadline_;
    int timeout = -1;
    if (until) {
      const auto left = std::chrono::ceil<milliseconds>(*until - steady_clock::now());
      timeout = static_cast<int>(std::max<milliseconds::rep>(left.count(), 0));
    }
    pollfd descriptors[2] = {{signal_.wake_fd_, POLLIN, 0}, {-1, 0, 0}};
    if (connection_ != nullptr) {
      short events = phase_ == Phase::kConnecting ? wants_ : short{POLLIN};
      if (phase_ == Phase::kBusy && PQflush(connection_.get()) == 1) events |= POLLOUT;
      descriptors[1] = {PQsocket(connection_.get()), events, 0};
    }
    poll(descriptors, 2, timeout);
    if ((descriptors[0].revents & POLLIN) != 0) {
      eventfd_t count = 0;
      eventfd_read(signal_.wake_fd_, &count);
    }
  }

  OutboxSignal& signal_;
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_{nullptr, &PQfinish};
  Phase phase_ = Phase::kAway;
  bool listening_ = false;
  std::uint64_t sent_ = 0;             // news in the statement on its way
  short wants_ = 0;                    // kConnecting: what the library waits for
  steady_clock::time_point next_;      // kAway: of the next try; otherwise: not to send earlier
  steady_clock::time_point deadline_;  // of the answer that is waited for
  util::Backoff retry_;
};

OutboxSignal::OutboxSignal(std::string conninfo, std::function<void(int shard)> on_announced,
                           std::function<void()> on_delivery, OutboxSignalOptions options)
    : conninfo_(ConninfoWith(conninfo, {.application_name = "todo-service signal"})),
      on_announced_(std::move(on_announced)),
      on_delivery_(std::move(on_delivery)),
      options_(options),
      wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void OutboxSignal::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Loop(*this).Run(stop); });
}

OutboxSignal::~OutboxSignal() {
  thread_.request_stop();
  eventfd_write(wake_fd_, 1);
  if (thread_.joinable()) thread_.join();
  close(wake_fd_);
}

void OutboxSignal::Tell(std::uint64_t news) noexcept {
  if (pending_.fetch_or(news) == 0) eventfd_write(wake_fd_, 1);
}

}  // namespace todo::store
