#include "service/notifications/delivery_sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "domain/notification/messages.h"
#include "domain/notification/schedule.h"
#include "domain/notification/webhook_secret.h"
#include "util/fault_point.h"
#include "util/log.h"
#include "util/span.h"
#include "util/status.h"
#include "util/trace_context.h"

namespace todo::service {
namespace {

using domain::Channel;
using domain::Instant;
using ports::LeasedLane;
using ports::SendOutcome;
using std::chrono::milliseconds;

constexpr std::chrono::hours kMaxRetryAfter{12};
constexpr std::chrono::hours kPushTtl{24};
constexpr std::array<Channel, 3> kChannels = {Channel::kWebhook, Channel::kEmail, Channel::kPush};
constexpr std::array<double, 9> kTimeBounds = {0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0};

std::string_view NameOf(SendOutcome::Kind kind) {
  switch (kind) {
    case SendOutcome::Kind::kDelivered: return "delivered";
    case SendOutcome::Kind::kRetry: return "retry";
    case SendOutcome::Kind::kGone: return "gone";
    case SendOutcome::Kind::kRefused: return "refused";
    case SendOutcome::Kind::kForbidden: return "forbidden";
  }
  return "";
}

SendOutcome Refused(std::string_view why) {
  return {.kind = SendOutcome::Kind::kRefused,
          .status_code = 0,
          .detail = std::string(why),
          .retry_after = {}};
}

std::vector<domain::DueReminder> RemindersOf(const LeasedLane& leased) {
  std::vector<domain::DueReminder> reminders;
  for (const ports::QueuedDelivery& delivery : leased.deliveries) {
    if (delivery.reminder) reminders.push_back(*delivery.reminder);
  }
  return reminders;
}

SendOutcome SendMail(const ChannelSet::Known& channels, const LeasedLane& leased) {
  const std::vector<domain::DueReminder> reminders = RemindersOf(leased);
  if (reminders.empty()) return Refused("the notification has expired");
  domain::MailText mail = domain::ComposeMail(reminders);
  const std::string_view from = channels.mail_from;
  return channels.mail->Send(
      {.message_id = fmt::format("{}@{}", leased.deliveries.front().id.value(),
                                 from.substr(from.find('@') + 1)),
       .to = leased.address,
       .subject = std::move(mail.subject),
       .text = std::move(mail.text),
       .html = std::move(mail.html),
       .list_unsubscribe = fmt::format("mailto:{}?subject=unsubscribe", from)});
}

SendOutcome SendPush(const ChannelSet::Known& channels, const LeasedLane& leased) {
  const std::vector<domain::DueReminder> reminders = RemindersOf(leased);
  if (reminders.empty()) return Refused("the notification has expired");
  // A second attempt replaces the message that the push service may already have.
  std::string topic = leased.deliveries.front().id.value();
  std::erase(topic, '-');
  return channels.push->Send({.endpoint = leased.address,
                              .p256dh = leased.p256dh,
                              .auth = leased.auth,
                              .payload = domain::ComposePush(reminders),
                              .ttl = kPushTtl,
                              .topic = std::move(topic)});
}

SendOutcome SendWebhook(const ChannelSet::Known& channels, const LeasedLane& leased, Instant now) {
  const ports::QueuedDelivery& delivery = leased.deliveries.front();
  std::vector<std::string> secrets;
  for (int before = 0; before <= leased.previous_secrets; ++before) {
    secrets.push_back(domain::WebhookSecret(channels.webhook_master_key, leased.lane.endpoint,
                                            leased.secret_version - before));
  }
  return channels.webhooks->Send({.url = leased.address,
                                  .id = delivery.id.value(),
                                  .timestamp = now,
                                  .body = delivery.body,
                                  .secrets = std::move(secrets),
                                  .traceparent = util::FormatTraceparent(util::CurrentTrace())});
}

/// The span of one attempt: a part of the trace of the only delivery. An address is not told: its
/// user wrote it, and it may be a secret.
util::Span AttemptSpan(const LeasedLane& leased) {
  std::vector<util::TraceContext> causes;
  for (const ports::QueuedDelivery& delivery : leased.deliveries)
    causes.push_back(util::ParseTraceContext(delivery.traceparent));
  util::Span span = util::Span::OfMessages(fmt::format("deliver {}", ToString(leased.lane.channel)),
                                           util::SpanKind::kClient, causes);
  span.Set("todo.delivery.earlier_failures", std::int64_t{leased.deliveries.front().failures});
  return span;
}

void EndSpan(util::Span& span, Channel channel, const SendOutcome& outcome) {
  if (!span.recorded()) return;
  span.Set("todo.delivery.outcome", std::string(NameOf(outcome.kind)));
  if (outcome.status_code != 0) {
    span.Set(channel == Channel::kEmail ? "todo.smtp.status_code" : "http.response.status_code",
             std::int64_t{outcome.status_code});
  }
  if (outcome.kind != SendOutcome::Kind::kDelivered) span.Fail();
  span.End();
}

/// The end of the pause that the endpoint has asked for.
std::optional<Instant> PausedUntil(const SendOutcome& outcome, Instant now) {
  if (outcome.kind != SendOutcome::Kind::kRetry || !outcome.retry_after) return std::nullopt;
  return now + std::clamp<milliseconds>(*outcome.retry_after, milliseconds(0), kMaxRetryAfter);
}

/// The state of each delivery after `outcome`.
std::vector<ports::DeliveryResult> ResultsOf(const LeasedLane& leased, const SendOutcome& outcome,
                                             Instant now) {
  std::vector<ports::DeliveryResult> results;
  for (const ports::QueuedDelivery& delivery : leased.deliveries) {
    ports::DeliveryResult& result = results.emplace_back();
    result.id = delivery.id;
    result.state = ports::DeliveryState::kFailed;
    if (outcome.kind == SendOutcome::Kind::kDelivered) {
      result.state = ports::DeliveryState::kDelivered;
    } else if (outcome.kind == SendOutcome::Kind::kRetry) {
      // By the id of the first one: deliveries of one message stay together.
      const std::optional<milliseconds> delay =
          domain::DeliveryDelay(delivery.failures + 1, leased.deliveries.front().id);
      if (!delay) continue;
      result.state = ports::DeliveryState::kPending;
      result.due_at = std::max(now + *delay, PausedUntil(outcome, now).value_or(now));
    }
  }
  return results;
}

}  // namespace

SendOutcome SendOnce(const ChannelSet::Known& channels, const LeasedLane& leased, Instant now) {
  if (!channels.Has(leased.lane.channel)) {
    return {.kind = SendOutcome::Kind::kRetry,
            .status_code = 0,
            .detail = "this channel is disabled on the server",
            .retry_after = {}};
  }
  switch (leased.lane.channel) {
    case Channel::kWebhook: return SendWebhook(channels, leased, now);
    case Channel::kEmail: return SendMail(channels, leased);
    case Channel::kPush: break;
  }
  return SendPush(channels, leased);
}

DeliverySender::DeliverySender(ports::DeliveryStore& store, const ports::Clock& clock,
                               ChannelSet& channels)
    : store_(store), clock_(clock), channels_(channels) {
  using Kind = SendOutcome::Kind;
  for (const Channel channel : kChannels) {
    attempt_times_.emplace(channel, std::make_unique<util::Histogram>(kTimeBounds));
    for (const Kind kind :
         {Kind::kDelivered, Kind::kRetry, Kind::kGone, Kind::kRefused, Kind::kForbidden})
      attempts_.Lock()->emplace(std::pair(ToString(channel), NameOf(kind)), 0);
  }
}

std::map<std::string, util::HistogramValues> DeliverySender::attempt_times() const {
  std::map<std::string, util::HistogramValues> times;
  for (const auto& [channel, histogram] : attempt_times_)
    times.emplace(ToString(channel), histogram->Read());
  return times;
}

std::vector<Channel> DeliverySender::ChannelsOn() {
  const auto known = channels_.Get();
  std::vector<Channel> on;
  for (const Channel channel : kChannels) {
    if (known != nullptr && known->Has(channel)) on.push_back(channel);
  }
  return on;
}

absl::StatusOr<std::optional<LeasedLane>> DeliverySender::Lease(ports::Pace pace) {
  const std::vector<Channel> channels = ChannelsOn();
  if (channels.empty()) return std::optional<LeasedLane>();
  const Instant now = clock_.Now();
  return store_.Lease(pace, channels, now, now + kLease);
}

absl::StatusOr<std::optional<std::chrono::microseconds>> DeliverySender::UntilNextTurn(
    ports::Pace pace) {
  using Wait = std::optional<std::chrono::microseconds>;
  const std::vector<Channel> channels = ChannelsOn();
  if (channels.empty()) return Wait();
  TODO_ASSIGN_OR_RETURN(const std::optional<Instant> turn, store_.NextTurn(pace, channels));
  return turn ? Wait(*turn - clock_.Now()) : Wait();
}

absl::Status DeliverySender::Send(const LeasedLane& leased) {
  const auto channels = channels_.Get();
  ports::DeliveryAttempt attempt;
  attempt.at = clock_.Now();
  util::Span span = AttemptSpan(leased);
  const util::WithTrace trace(span);
  const SendOutcome outcome = SendOnce(*channels, leased, attempt.at);
  EndSpan(span, leased.lane.channel, outcome);
  TODO_RETURN_IF_ERROR(TODO_FAULT_POINT("after-delivery"));
  const Instant done = clock_.Now();
  attempt.took = std::chrono::duration_cast<milliseconds>(done - attempt.at);
  attempt.outcome = NameOf(outcome.kind);
  attempt_times_.at(leased.lane.channel)->Note(done - attempt.at);
  ++(*attempts_.Lock())[{std::string(ToString(leased.lane.channel)), attempt.outcome}];
  attempt.status_code = outcome.status_code;
  attempt.detail = outcome.detail;
  attempt.paused_until = PausedUntil(outcome, done);
  attempt.results = ResultsOf(leased, outcome, done);

  const ports::DeliveryLane& lane = leased.lane;
  const ports::Pace pace = attempt.took >= kQuick ? ports::Pace::kSlow : ports::Pace::kQuick;
  TODO_ASSIGN_OR_RETURN(const bool ours, store_.Finish(lane, attempt, pace));
  if (!ours) return absl::OkStatus();
  if (outcome.kind == SendOutcome::Kind::kGone || outcome.kind == SendOutcome::Kind::kForbidden) {
    util::Log(util::Severity::kInfo, "delivery_endpoint_stopped",
              {{"channel", std::string(ToString(lane.channel))},
               {"endpoint", lane.endpoint.value()},
               {"outcome", attempt.outcome}});
    return store_.StopEndpoint(leased,
                               outcome.kind == SendOutcome::Kind::kGone
                                   ? "the endpoint answered that it no longer exists"
                                   : outcome.detail,
                               done);
  }
  return absl::OkStatus();
}

}  // namespace todo::service
