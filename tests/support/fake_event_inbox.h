#pragma once

#include <functional>

#include "ports/event_inbox.h"
#include "support/fake_database.h"

namespace todo::support {

/// EventInbox in memory: one transaction at a time, on a copy of the tables. `on_change(shard)` is
/// called after the commit. Thread safety: as the port says.
class FakeEventInbox final : public ports::EventInbox {
 public:
  explicit FakeEventInbox(FakeDatabase& database, std::function<void(int shard)> on_change = {})
      : database_(database), on_change_(std::move(on_change)) {}

  absl::Status Transact(const std::function<absl::Status(ports::InboxTransaction&)>& work) override;

 private:
  FakeDatabase& database_;
  const std::function<void(int shard)> on_change_;
};

}  // namespace todo::support
