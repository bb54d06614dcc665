#pragma once

#include <functional>

#include "ports/event_inbox.h"
#include "support/fake_database.h"

namespace todo::support {

/// EventInbox in memory: one transaction at a time, on a copy of the tables. `on_change(shard)` is
/// called after the commit, and `on_delivery` when it may have queued deliveries. Thread safety: as
/// the port says.
class FakeEventInbox final : public ports::EventInbox {
 public:
  explicit FakeEventInbox(FakeDatabase& database, std::function<void(int shard)> on_change = {},
                          std::function<void()> on_delivery = {})
      : database_(database),
        on_change_(std::move(on_change)),
        on_delivery_(std::move(on_delivery)) {}

  absl::Status Transact(const std::function<absl::Status(ports::InboxTransaction&)>& work) override;

 private:
  FakeDatabase& database_;
  const std::function<void(int shard)> on_change_;
  const std::function<void()> on_delivery_;
};

}  // namespace todo::support
