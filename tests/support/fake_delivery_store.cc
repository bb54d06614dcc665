#include "support/fake_delivery_store.h"

#include <algorithm>

#include "domain/notification/schedule.h"
#include "support/fake_database_write.h"

namespace todo::support {
namespace {

using domain::Channel;
using domain::Instant;
using domain::UserId;
using ports::DeliveryState;
using Tables = FakeDatabase::Tables;
using LaneKey = FakeDatabase::LaneKey;

LaneKey KeyOf(const ports::DeliveryLane& lane) { return {lane.user, lane.channel, lane.endpoint}; }

/// Whether the database has the task of the notification, and it is completed or deleted.
bool IsDone(const Tables& tables, const UserId& user, const domain::EventId& event_id) {
  const auto notification = tables.notifications.find({user, event_id});
  if (notification == tables.notifications.end()) return false;
  const auto task = tables.tasks.find({user, notification->second.notification.reminder.task_id});
  return task != tables.tasks.end() && (task->second.task.completed || task->second.task.deleted);
}

}  // namespace

absl::StatusOr<std::optional<ports::LeasedLane>> FakeDeliveryStore::Lease(
    ports::Pace pace, const std::vector<Channel>& channels, Instant now, Instant until) {
  using Leased = std::optional<ports::LeasedLane>;
  return Write<Leased>(database_, [&](Tables& tables) -> absl::StatusOr<Leased> {
    for (;;) {
      const LaneKey* key = nullptr;
      FakeDatabase::LaneRow* lane = nullptr;
      for (auto& [candidate, row] : tables.lanes) {
        if (row.pace != pace || row.due_at > now || row.lease_until > now ||
            std::ranges::find(channels, candidate.channel) == channels.end())
          continue;
        int of_user = 0;
        int of_host = 0;
        for (const auto& [other, out] : tables.lanes) {
          if (out.lease_until <= now || out.pace != pace) continue;
          of_user += other.user == candidate.user ? 1 : 0;
          of_host += out.host == row.host ? 1 : 0;
        }
        if (of_user >= (pace == ports::Pace::kQuick ? 2 : 1)) continue;
        if (pace != ports::Pace::kQuick && of_host >= (pace == ports::Pace::kNew ? 4 : 2)) continue;
        if (lane == nullptr || row.due_at < lane->due_at) {
          key = &candidate;
          lane = &row;
        }
      }
      if (lane == nullptr) return Leased();
      const LaneKey taken = *key;
      ports::LeasedLane leased;
      leased.lane = {taken.user, taken.channel, taken.endpoint, ++lane->epoch};
      lane->lease_until = until;
      bool there = false;
      if (taken.channel == Channel::kWebhook) {
        const auto found = tables.endpoints.find({taken.user, taken.endpoint});
        if (found != tables.endpoints.end()) {
          const ports::WebhookEndpoint& endpoint = found->second.endpoint;
          if (!endpoint.disabled_reason.empty()) {
            FakeDatabase::StopLane(tables, taken, "the endpoint is disabled", now);
            continue;
          }
          there = true;
          leased.address = endpoint.url;
          leased.secret_version = endpoint.secret_version;
          if (endpoint.previous_until && *endpoint.previous_until > now)
            leased.previous_secrets = endpoint.previous_count;
        }
      } else if (taken.channel == Channel::kPush) {
        const auto found = tables.subscriptions.find({taken.user, taken.endpoint});
        if (found != tables.subscriptions.end()) {
          there = true;
          leased.address = found->second.endpoint;
          leased.p256dh = found->second.p256dh;
          leased.auth = found->second.auth;
        }
      } else if (const auto found = tables.mail_addresses.find(taken.user);
                 found != tables.mail_addresses.end()) {
        there = true;
        leased.address = found->second;
      }
      if (!there) {
        FakeDatabase::RemoveLane(tables, taken);
        continue;
      }
      std::vector<FakeDatabase::DeliveryRow*> due;
      std::vector<FakeDatabase::DeliveryRow*> soon;  // and may go with the due ones
      for (auto& [id, row] : tables.deliveries) {
        if (row.lane != taken || row.logged.state != DeliveryState::kPending) continue;
        if (taken.channel != Channel::kWebhook && IsDone(tables, taken.user, row.logged.event_id)) {
          row.logged.state = DeliveryState::kFailed;
          row.logged.attempts.push_back(
              {.at = now, .outcome = "dropped", .status_code = 0, .detail = "its task is done"});
        } else if (row.queued_at < now - domain::kMaxDeliveryAge) {
          row.logged.state = DeliveryState::kFailed;
          row.logged.attempts.push_back(
              {.at = now, .outcome = "dropped", .status_code = 0, .detail = "it waited too long"});
        } else if (row.due_at <= now) {
          due.push_back(&row);
        } else if (row.grouped && row.failures == 0 && row.due_at <= now + domain::kGroupingTime) {
          soon.push_back(&row);
        }
      }
      if (!due.empty()) due.insert(due.end(), soon.begin(), soon.end());
      std::ranges::sort(due, {},
                        [](const auto* row) { return std::pair(row->due_at, row->logged.id); });
      for (const auto* row : due) {
        if (row != due.front() && !(row->grouped && due.front()->grouped)) continue;
        ports::QueuedDelivery& delivery = leased.deliveries.emplace_back();
        delivery.id = row->logged.id;
        delivery.failures = row->failures;
        delivery.body = row->body;
        delivery.traceparent = row->traceparent;
        const auto notification = tables.notifications.find({taken.user, row->logged.event_id});
        if (notification != tables.notifications.end())
          delivery.reminder = notification->second.notification.reminder;
      }
      if (!leased.deliveries.empty()) return Leased(std::move(leased));
      FakeDatabase::ReleaseLane(tables, taken, now);
    }
  });
}

absl::StatusOr<std::optional<Instant>> FakeDeliveryStore::NextTurn(
    ports::Pace pace, const std::vector<Channel>& channels) {
  if (absl::Status status = database_.failure(); !status.ok()) return status;
  std::optional<Instant> next;
  auto tables = database_.Read();
  for (const auto& [key, lane] : tables->lanes) {
    if (lane.pace != pace || lane.due_at == domain::kMaxInstant ||
        std::ranges::find(channels, key.channel) == channels.end())
      continue;
    const Instant turn = std::max(lane.due_at, lane.lease_until);
    next = std::min(next.value_or(turn), turn);
  }
  return next;
}

absl::StatusOr<bool> FakeDeliveryStore::Finish(const ports::DeliveryLane& lane,
                                               const ports::DeliveryAttempt& attempt,
                                               ports::Pace pace) {
  return Write<bool>(database_, [&](Tables& tables) -> absl::StatusOr<bool> {
    const auto found = tables.lanes.find(KeyOf(lane));
    if (found == tables.lanes.end() || found->second.epoch != lane.epoch) return false;
    for (const ports::DeliveryResult& result : attempt.results) {
      const auto delivery = tables.deliveries.find(result.id);
      if (delivery == tables.deliveries.end() ||
          delivery->second.logged.state != DeliveryState::kPending)
        continue;
      FakeDatabase::DeliveryRow& row = delivery->second;
      row.logged.state = result.state;
      if (result.state != DeliveryState::kDelivered) ++row.failures;
      if (result.state == DeliveryState::kPending) row.due_at = result.due_at;
      row.logged.attempts.push_back({.at = attempt.at,
                                     .outcome = attempt.outcome,
                                     .status_code = attempt.status_code,
                                     .detail = attempt.detail,
                                     .took = attempt.took});
    }
    if (attempt.paused_until) found->second.paused_until = *attempt.paused_until;
    found->second.pace = pace;
    FakeDatabase::ReleaseLane(tables, KeyOf(lane), attempt.at + attempt.took);
    return true;
  });
}

absl::Status FakeDeliveryStore::StopEndpoint(const ports::LeasedLane& leased,
                                             const std::string& reason, Instant now) {
  const ports::DeliveryLane& lane = leased.lane;
  return database_.Write([&](Tables& tables) {
    if (lane.channel == Channel::kWebhook) {
      const auto found = tables.endpoints.find({lane.user, lane.endpoint});
      if (found == tables.endpoints.end() || found->second.endpoint.url != leased.address)
        return absl::OkStatus();
      found->second.endpoint.disabled_reason = reason;
    } else if (lane.channel == Channel::kPush) {
      tables.subscriptions.erase({lane.user, lane.endpoint});
    } else {
      const auto found = tables.mail_addresses.find(lane.user);
      if (found == tables.mail_addresses.end() || found->second != leased.address)
        return absl::OkStatus();
      tables.mail_addresses.erase(found);
    }
    FakeDatabase::StopLane(tables, KeyOf(lane), reason, now);
    return absl::OkStatus();
  });
}

}  // namespace todo::support
