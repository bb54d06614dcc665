#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "domain/event/event.h"
#include "domain/ids.h"
#include "domain/task/task.h"
#include "domain/time.h"
#include "util/status.h"

// How users are told: what they prefer, what is sent, and when it is sent again.

namespace todo::domain {

/// A way out of the house. What is shown inside the app is not one.
enum class Channel { kWebhook, kEmail, kPush };
std::string_view ToString(Channel channel);  // "webhook", "email", "push"
std::optional<Channel> ParseChannel(std::string_view text);

inline constexpr int kMaxWebhookEndpoints = 10;
inline constexpr int kMaxPushSubscriptions = 20;
inline constexpr std::size_t kMaxUrlBytes = 2'000;
inline constexpr std::size_t kMaxWebhookBodyBytes = 19'999;
inline constexpr std::size_t kMaxPushPayloadBytes = 3'000;
/// A reminder that comes so long after its time is late.
inline constexpr std::chrono::minutes kLateAfter{5};
/// So long late reminders wait for the next one, to be told of in one message; what is due within
/// that time goes with it.
inline constexpr std::chrono::seconds kGroupingTime{10};
/// But none of them longer than this, however many follow.
inline constexpr std::chrono::seconds kMaxGroupingTime{60};

// ---- preferences

/// Hours of the day in which nobody is to be disturbed, from `start` up to `end`, perhaps over
/// midnight.
struct QuietHours {
  std::chrono::seconds start{0};  // since midnight, on the clocks of `time_zone`
  std::chrono::seconds end{0};
  std::string time_zone;  // empty: the user's

  bool operator==(const QuietHours&) const = default;
};

struct NotificationPreferences {
  bool in_app = true;
  bool webhook = true;
  bool email = true;
  bool push = true;
  std::optional<QuietHours> quiet_hours;  // of e-mail and push
  std::string time_zone = "UTC";          // IANA name
  Instant changed_at;  // later than those of the preferences before; nobody's own to set

  bool operator==(const NotificationPreferences&) const = default;
};

/// What is wrong, by field below `prefix`.
void CheckPreferences(const NotificationPreferences& preferences, std::string_view prefix,
                      std::vector<util::FieldViolation>& violations);

/// Changes to some preferences; what is not set stays.
struct PreferencesPatch {
  std::optional<bool> in_app;
  std::optional<bool> webhook;
  std::optional<bool> email;
  std::optional<bool> push;
  std::optional<std::string> time_zone;
  bool no_quiet_hours = false;  // those there were are gone, before `quiet_hours` counts
  struct Quiet {
    std::optional<std::chrono::seconds> start;
    std::optional<std::chrono::seconds> end;
    std::optional<std::string> time_zone;
  };
  std::optional<Quiet> quiet_hours;
};
/// Applies `patch`. Quiet hours that come to lack a start or an end are a violation, by field below
/// `prefix`.
void Patch(NotificationPreferences& preferences, const PreferencesPatch& patch,
           std::string_view prefix, std::vector<util::FieldViolation>& violations);

/// The first instant from `now` on at which the user may be disturbed.
Instant DisturbAt(const NotificationPreferences& preferences, Instant now);

/// As they are kept in the state store, and back. kInternal: that is not what was kept there.
std::string FormatPreferences(const NotificationPreferences& preferences);
absl::StatusOr<NotificationPreferences> ParsePreferences(std::string_view json);
/// Under which key. User ids may hold what keys may not.
std::string PreferencesKey(const UserId& user);

// ---- targets

/// The host of a URL of http or https in lower case, with its port if it names one.
/// kInvalidArgument, with what to do, for a URL that no network can make work: anything else,
/// credentials in it, a host that is neither a name nor an address, a port that is none, more than
/// kMaxUrlBytes. Whether we talk to that host is decided when we connect.
absl::StatusOr<std::string> HostOfUrl(std::string_view url);
/// Whether `text` is like left@right, each of atoms with dots between them, at most `max_bytes`
/// long.
bool IsAddressLike(std::string_view text, std::size_t max_bytes);
/// kInvalidArgument when it is not an e-mail address that we send to: name@host of plain ASCII,
/// without quotes, comments or address literals (an RFC 5321 mailbox of dot-atoms).
absl::Status CheckMailAddress(std::string_view address);

// ---- what is sent

/// A reminder as it is told of.
struct DueReminder {
  EventId id;
  TaskId task_id;
  std::string title;
  Instant remind_at;
  Due due;                // kNone: there is nothing to show
  std::string time_zone;  // in which times are shown; a day is one in no zone
  bool late = false;

  bool operator==(const DueReminder&) const = default;
};

/// As a notification keeps it: no longer than a task's title may be.
std::string NotificationTitle(std::string_view title);

/// Whether `event` comes late at `now`.
bool IsLate(const ReminderEvent& event, Instant now);

/// The body of a webhook call, as Standard Webhooks has it: type, timestamp, data. Below 20 kB
/// whatever the event says: first the description is left out, then the whole task.
std::string ReminderWebhookBody(const ReminderEvent& event, bool late);
std::string TaskWebhookBody(const TaskEvent& event);
std::string TestWebhookBody(const Uuid& endpoint, Instant now);
std::string WebhookKind(const TaskEvent& event);  // "task.completed"
inline constexpr std::string_view kReminderWebhookKind = "reminder.due";

/// The CloudEvent on task-updates that says there is a new notification.
std::string NotificationUpdateRecord(const EventHeader& event, Instant now);

struct MailText {
  std::string subject;
  std::string text;
  std::string html;
};
/// One message about all of `reminders` (not empty).
MailText ComposeMail(const std::vector<DueReminder>& reminders);
/// The same for a browser: JSON with `title` and `body`, and the task's id when it is about one.
std::string ComposePush(const std::vector<DueReminder>& reminders);

// ---- when it is sent again

/// How long after its failure number `failures` (1 is the first) a delivery is tried again;
/// nullopt: never. Each delivery a little earlier or later than others, always the same.
std::optional<std::chrono::milliseconds> DeliveryDelay(int failures, const Uuid& delivery);
/// A delivery that was not made so long after it was queued is given up.
inline constexpr std::chrono::hours kMaxDeliveryAge{48};

// ---- secrets

/// A secret that was rotated signs for a day longer, unless so many have been rotated since.
inline constexpr int kMaxPreviousSecrets = 3;
/// The secret with which the calls of a webhook endpoint are signed: raw bytes.
std::string WebhookSecret(std::string_view master_key, const Uuid& endpoint, int version);
/// As Standard Webhooks shows it: "whsec_…".
std::string FormatWebhookSecret(std::string_view secret);

}  // namespace todo::domain
