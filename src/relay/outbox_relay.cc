#include "relay/outbox_relay.h"

#include <utility>

namespace todo::relay {

OutboxRelay::OutboxRelay(ports::OutboxLog& log, ports::EventPublisher& publisher, Options options,
                         SteadyClock clock)
    : clock_(std::move(clock)),
      mailbox_(std::make_shared<Mailbox>()),
      loop_(log, publisher, std::move(options), clock_, mailbox_) {}

OutboxRelay::~OutboxRelay() { Stop(clock_()); }

void OutboxRelay::Start() {
  thread_ = std::jthread([this] { Run(); });
}

bool OutboxRelay::Wake(int shard) { return mailbox_->Wake(shard, clock_()); }

bool OutboxRelay::Stop(SteadyTime deadline) {
  if (thread_.joinable()) {
    mailbox_->Stop(deadline);
    thread_.join();
  }
  return loop_.all_released();
}

void OutboxRelay::Run() {
  for (;;) {
    const SteadyTime next = loop_.Step();
    if (loop_.finished()) return;
    mailbox_->Wait(next - clock_());
  }
}

}  // namespace todo::relay
