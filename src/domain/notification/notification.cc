#include "domain/notification/notification.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "domain/event/event_writer.h"
#include "domain/task/task.h"
#include "domain/time_zone.h"
#include "util/digest.h"
#include "util/utf8.h"

namespace todo::domain {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;
using std::chrono::minutes;
using namespace std::chrono_literals;

constexpr std::array<std::pair<Channel, std::string_view>, 3> kChannels = {
    {{Channel::kWebhook, "webhook"}, {Channel::kEmail, "email"}, {Channel::kPush, "push"}}};

/// All of them and the last attempt are about 22 hours and a half apart.
constexpr std::array<milliseconds, 8> kDeliveryDelays = {5s, 30s, 2min, 10min, 1h, 3h, 6h, 12h};
constexpr double kJitter = 0.2;  // of the delay, to both sides

constexpr std::size_t kMaxListed = 20;          // reminders in one message
constexpr std::size_t kMaxSubjectBytes = 200;   // of a title in it
constexpr std::size_t kMaxPushTextBytes = 800;  // escaped, it stays below the limit

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// On one line, as a message shows it.
std::string Line(std::string_view text, std::size_t max_bytes) {
  std::string line = util::CutText(text, max_bytes);
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return line.empty() ? "(no title)" : line;
}

std::string EscapeHtml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

/// "2026-10-24 09:00 (Europe/Berlin)".
std::string ShowTime(Instant at, const std::string& zone_name) {
  const absl::StatusOr<TimeZone> zone = TimeZone::Load(zone_name);
  const TimeZone shown = zone.ok() ? *zone : TimeZone();
  const absl::CivilSecond local = shown.ToLocal(at);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02} ({})", local.year(), local.month(), local.day(),
                     local.hour(), local.minute(), shown.name());
}

/// "2026-10-24" for a day, which is the same wherever its user is; else its time.
std::string ShowDue(const Due& due, const std::string& zone_name) {
  return due.kind == DueKind::kDate ? FormatDueLocal(due) : ShowTime(due.at, zone_name);
}

/// What there is to say about a reminder besides its title.
std::string Facts(const DueReminder& reminder) {
  std::string facts =
      reminder.due.kind == DueKind::kNone
          ? fmt::format("reminder of {}", ShowTime(reminder.remind_at, reminder.time_zone))
          : fmt::format("due {}", ShowDue(reminder.due, reminder.time_zone));
  if (reminder.late) facts += ", late";
  return facts;
}

bool IsIpv6(std::string_view text) {
  in6_addr address{};
  return inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return absl::ascii_tolower(static_cast<unsigned char>(c)); });
  return lower;
}

/// Host and port of a URL's authority, the port with the colon before it.
std::pair<std::string_view, std::string_view> SplitAuthority(std::string_view authority) {
  std::size_t end = authority.find(':');
  if (authority.starts_with('[')) {
    end = authority.find(']');
    end = end == std::string_view::npos ? end : end + 1;
  } else if (std::ranges::count(authority, ':') > 1 && IsIpv6(authority)) {
    end = std::string_view::npos;  // an address that lacks its brackets
  }
  if (end == std::string_view::npos) return {authority, {}};
  return {authority.substr(0, end), authority.substr(end)};
}

/// Whether `port` is ":1" to ":65535", or nothing behind the colon or without one.
bool IsPort(std::string_view port) {
  if (port.empty() || port == ":") return true;
  int number = 0;
  const char* const end = port.data() + port.size();
  const auto [stop, error] = std::from_chars(port.data() + 1, end, number);
  return port[0] == ':' && error == std::errc() && stop == end && number >= 1 && number <= 65'535;
}

/// Whether a host of this last label is an IPv4 address or nothing, as the URL standard has it: no
/// domain at the top is a number.
bool EndsInNumber(std::string_view label) {
  const auto digits = [](std::string_view text, auto is_digit) {
    return std::ranges::all_of(text, [&](unsigned char c) { return is_digit(c); });
  };
  if (label.starts_with("0x") || label.starts_with("0X"))
    return digits(label.substr(2), absl::ascii_isxdigit);
  return digits(label, absl::ascii_isdigit);
}

/// Why `host` (of a URL, not empty) can be no host, and what to write; empty when it can be one.
std::string_view WhatIsWrongWithHost(std::string_view host) {
  constexpr std::size_t kMaxLabelBytes = 63;
  constexpr std::size_t kMaxNameBytes = 253;
  if (host.starts_with('[') || host.find(':') != std::string_view::npos) {
    const bool right =
        host.starts_with('[') && host.ends_with(']') && IsIpv6(host.substr(1, host.size() - 2));
    return right ? "" : "has no valid IPv6 address in brackets, such as [2001:db8::1], as its host";
  }
  if (std::ranges::any_of(host, [](unsigned char c) { return c >= 0x80 || c == '%'; })) {
    return "must name its host in ASCII: write the form that begins with xn--, "
           "xn--bcher-kva.example for b\u00fccher.example";
  }
  if (!std::ranges::all_of(host, [](unsigned char c) {
        return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
      })) {
    return "has a host with other characters than letters, digits, hyphens and dots";
  }
  if (host.ends_with('.')) host.remove_suffix(1);
  std::string_view last;
  bool right = host.size() <= kMaxNameBytes;
  for (std::size_t begin = 0; right && begin <= host.size(); begin += last.size() + 1) {
    last = host.substr(begin, host.find('.', begin) - begin);
    right = !last.empty() && last.size() <= kMaxLabelBytes;
  }
  if (!right) {
    return "has a host that is no name: each part between its dots has 1 to 63 characters, all of "
           "it at most 253";
  }
  in_addr address{};
  if (EndsInNumber(last) && inet_aton(std::string(host).c_str(), &address) == 0)
    return "has a host that is neither a name nor an IPv4 address of four numbers up to 255";
  return "";
}

/// Atoms with dots between them (RFC 5322 section 3.2.3).
bool IsDotAtom(std::string_view text) {
  constexpr std::string_view kSpecial = "!#$%&'*+-/=?^_`{|}~";
  char before = '.';
  for (const char c : text) {
    const bool atom = absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                      kSpecial.find(c) != std::string_view::npos;
    if (c == '.' ? before == '.' : !atom) return false;
    before = c;
  }
  return before != '.';
}

Json ReadObject(std::string_view json) {
  Json parsed = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  return parsed.is_object() ? parsed : Json();
}

}  // namespace

std::string_view ToString(Channel channel) {
  for (const auto& [value, name] : kChannels) {
    if (value == channel) return name;
  }
  return "";
}

std::optional<Channel> ParseChannel(std::string_view text) {
  for (const auto& [value, name] : kChannels) {
    if (name == text) return value;
  }
  return std::nullopt;
}

// ---- preferences

void CheckPreferences(const NotificationPreferences& preferences, std::string_view prefix,
                      std::vector<util::FieldViolation>& violations) {
  const auto check_zone = [&](const std::string& name, std::string_view field) {
    const absl::StatusOr<TimeZone> zone = TimeZone::Load(name);
    if (!zone.ok()) {
      violations.push_back({fmt::format("{}{}", prefix, field),
                            std::string(util::FromAbsl(zone.status().message()))});
    }
  };
  check_zone(preferences.time_zone, "time_zone");
  if (!preferences.quiet_hours) return;
  const QuietHours& quiet = *preferences.quiet_hours;
  if (!quiet.time_zone.empty()) check_zone(quiet.time_zone, "quiet_hours.time_zone");
  if (quiet.start == quiet.end) {
    violations.push_back({fmt::format("{}quiet_hours.end", prefix),
                          "is the same time as the start: to be told of nothing at any hour, "
                          "switch the channels off"});
  }
}

void Patch(NotificationPreferences& preferences, const PreferencesPatch& patch,
           std::string_view prefix, std::vector<util::FieldViolation>& violations) {
  const auto set = [](auto& value, const auto& change) {
    if (change) value = *change;
  };
  set(preferences.in_app, patch.in_app);
  set(preferences.webhook, patch.webhook);
  set(preferences.email, patch.email);
  set(preferences.push, patch.push);
  set(preferences.time_zone, patch.time_zone);
  if (patch.no_quiet_hours) preferences.quiet_hours.reset();
  if (!patch.quiet_hours) return;
  const auto require = [&](const std::optional<std::chrono::seconds>& time,
                           std::string_view field) {
    if (preferences.quiet_hours || time) return;
    violations.push_back({fmt::format("{}quiet_hours.{}", prefix, field),
                          "must be given: there are no quiet hours yet to take it from"});
  };
  require(patch.quiet_hours->start, "start");
  require(patch.quiet_hours->end, "end");
  QuietHours quiet = preferences.quiet_hours.value_or(QuietHours());
  set(quiet.start, patch.quiet_hours->start);
  set(quiet.end, patch.quiet_hours->end);
  set(quiet.time_zone, patch.quiet_hours->time_zone);
  preferences.quiet_hours = quiet;
}

Instant DisturbAt(const NotificationPreferences& preferences, Instant now) {
  if (!preferences.quiet_hours) return now;
  const QuietHours& quiet = *preferences.quiet_hours;
  const absl::StatusOr<TimeZone> zone =
      TimeZone::Load(quiet.time_zone.empty() ? preferences.time_zone : quiet.time_zone);
  if (!zone.ok()) return now;  // a zone that this machine has lost: rather at night than never
  const absl::CivilSecond local = zone->ToLocal(now);
  const std::chrono::seconds time(local - absl::CivilSecond(absl::CivilDay(local)));
  const bool over_midnight = quiet.start > quiet.end;
  const bool is_quiet = over_midnight ? time >= quiet.start || time < quiet.end
                                      : time >= quiet.start && time < quiet.end;
  if (!is_quiet) return now;
  absl::CivilDay day(local);
  if (over_midnight && time >= quiet.start) ++day;
  const absl::CivilSecond end(day.year(), day.month(), day.day(), 0, 0, quiet.end.count());
  return std::max(now, zone->ToInstant(end));
}

std::string FormatPreferences(const NotificationPreferences& preferences) {
  Json json = {
      {"in_app", preferences.in_app},       {"webhook", preferences.webhook},
      {"email", preferences.email},         {"push", preferences.push},
      {"time_zone", preferences.time_zone}, {"changed_at", FormatInstant(preferences.changed_at)}};
  if (preferences.quiet_hours) {
    json["quiet_hours"] = {{"start", FormatTimeOfDay(preferences.quiet_hours->start)},
                           {"end", FormatTimeOfDay(preferences.quiet_hours->end)},
                           {"time_zone", preferences.quiet_hours->time_zone}};
  }
  return Dump(json);
}

absl::StatusOr<NotificationPreferences> ParsePreferences(std::string_view json) {
  const Json object = ReadObject(json);
  const absl::Status unreadable =
      absl::InternalError("the notification preferences in the state store cannot be read");
  if (object.is_null()) return unreadable;
  NotificationPreferences preferences;
  try {
    preferences.in_app = object.value("in_app", true);
    preferences.webhook = object.value("webhook", true);
    preferences.email = object.value("email", true);
    preferences.push = object.value("push", true);
    preferences.time_zone = object.value("time_zone", "UTC");
    if (const auto at = object.find("changed_at"); at != object.end()) {
      const absl::StatusOr<Instant> changed_at = ParseInstant(at->get<std::string>());
      if (!changed_at.ok()) return unreadable;
      preferences.changed_at = *changed_at;
    }
    if (const auto quiet = object.find("quiet_hours"); quiet != object.end()) {
      const auto start = ParseTimeOfDay(quiet->value("start", ""));
      const auto end = ParseTimeOfDay(quiet->value("end", ""));
      if (!start.ok() || !end.ok()) return unreadable;
      preferences.quiet_hours = QuietHours{*start, *end, quiet->value("time_zone", "")};
    }
  } catch (const Json::exception&) {
    return unreadable;
  }
  return preferences;
}

std::string PreferencesKey(const UserId& user) {
  const std::string digest = util::Sha256(user.value);
  return "notification-preferences-" +
         absl::BytesToHexString(absl::string_view(digest.data(), digest.size()));
}

// ---- targets

absl::StatusOr<std::string> HostOfUrl(std::string_view url) {
  const auto refused = [](std::string_view why) {
    return util::MakeStatus(absl::StatusCode::kInvalidArgument, why);
  };
  if (url.empty()) return refused("must be given: a URL such as https://hooks.example/todo");
  if (url.size() > kMaxUrlBytes)
    return refused(fmt::format("is longer than {} bytes", kMaxUrlBytes));
  if (std::ranges::any_of(url, [](unsigned char c) { return c <= ' ' || c == 0x7f; }))
    return refused("must not hold spaces or control characters: write a space as %20");
  if (url.find('\\') != std::string_view::npos)
    return refused("must not hold a backslash: write a slash, or %5C");
  const std::size_t scheme_end = std::min(url.find("://"), url.size());
  const std::string scheme = Lower(url.substr(0, scheme_end));
  if (scheme_end == url.size() || (scheme != "https" && scheme != "http"))
    return refused("must be a URL that begins with https://");
  std::string_view authority = url.substr(scheme_end + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos)
    return refused("must not hold a user name or password");

  const auto [host, port] = SplitAuthority(authority);
  if (host.empty()) return refused("names no host");
  if (const std::string_view wrong = WhatIsWrongWithHost(host); !wrong.empty())
    return refused(wrong);
  if (!IsPort(port)) return refused("has a port that is not a number from 1 to 65535");
  if (!std::ranges::all_of(url, [](unsigned char c) { return c < 0x80; }))
    return refused(
        "must be ASCII behind its host: percent-encode other characters, \u00fc as %C3%BC");

  // "example.org." is "example.org", and a colon alone is no port.
  const std::string_view name = host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
  return Lower(name) + std::string(port.size() > 1 ? port : "");
}

bool IsAddressLike(std::string_view text, std::size_t max_bytes) {
  const std::size_t at = text.find('@');
  return at != std::string_view::npos && text.size() <= max_bytes &&
         IsDotAtom(text.substr(0, at)) && IsDotAtom(text.substr(at + 1));
}

absl::Status CheckMailAddress(std::string_view address) {
  constexpr std::size_t kMaxAddressBytes = 254;
  constexpr std::size_t kMaxLocalBytes = 64;
  const std::size_t at = address.find('@');
  // One that looks like a flag, or a host that is none, is nobody's.
  if (IsAddressLike(address, kMaxAddressBytes) && at <= kMaxLocalBytes && address[0] != '-' &&
      address[at + 1] != '-' && std::ranges::all_of(address.substr(at + 1), [](unsigned char c) {
        return absl::ascii_isalnum(c) || c == '-' || c == '.';
      })) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("must be one e-mail address such as ada@example.org");
}

// ---- what is sent

std::string NotificationTitle(std::string_view title) {
  return util::CutText(title, kMaxTitleCharacters * 4);
}

bool IsLate(const ReminderEvent& event, Instant now) { return now - event.at > kLateAfter; }

std::string ReminderWebhookBody(const ReminderEvent& event, bool late) {
  const bool is_due = event.due.kind != DueKind::kNone;
  const std::string due_local = FormatDueLocal(event.due);
  Json data = {{"id", event.id.value()},
               {"task_id", event.task_id.value},
               {"title", util::CutText(event.title, kMaxTitleCharacters * 4)},
               {"remind_at", FormatInstant(event.at)},
               {"due_date", is_due ? Json(FormatInstant(event.due.at)) : Json()},
               {"due_kind", is_due ? Json(ToString(event.due.kind)) : Json()},
               {"due_local", due_local.empty() ? Json() : Json(due_local)},
               {"user_id", event.user.value},
               {"late", late}};
  return Dump({{"type", kReminderWebhookKind},
               {"timestamp", FormatInstant(event.at)},
               {"data", std::move(data)}});
}

std::string WebhookKind(const TaskEvent& event) {
  return fmt::format("task.{}", ToString(event.kind));
}

std::string TaskWebhookBody(const TaskEvent& event) {
  Json data = {{"id", event.id.value()},
               {"event_type", ToString(event.kind)},
               {"task_id", event.task_id.value},
               {"user_id", event.actor.value},
               {"timestamp", FormatInstant(event.at)}};
  if (event.task) data["task_data"] = Json::parse(FormatTaskJson(*event.task));
  Json body = {{"type", WebhookKind(event)},
               {"timestamp", FormatInstant(event.at)},
               {"data", std::move(data)}};
  std::string text = Dump(body);
  if (text.size() > kMaxWebhookBodyBytes) {
    body["data"]["task_data"]["description"] = nullptr;
    body["data"]["description_omitted"] = true;
    text = Dump(body);
  }
  if (text.size() > kMaxWebhookBodyBytes) {
    body["data"].erase("task_data");
    body["data"].erase("description_omitted");
    body["data"]["task_data_omitted"] = true;
    text = Dump(body);
  }
  return text;
}

std::string TestWebhookBody(const Uuid& endpoint, Instant now) {
  return Dump({{"type", "webhook.test"},
               {"timestamp", FormatInstant(now)},
               {"data", {{"endpoint_id", endpoint.value()}}}});
}

std::string NotificationUpdateRecord(const EventHeader& event, Instant now) {
  const std::string id = UpdateIdOf(event.id).value();
  Json record = {{"specversion", "1.0"},
                 {"id", id},
                 {"source", kEventSource},
                 {"type", "todo.task.changed.v1"},
                 {"subject", fmt::format("{}", event.task_id.value)},
                 {"time", FormatInstant(now)},
                 {"datacontenttype", "application/json"}};
  if (!event.traceparent.empty()) record["traceparent"] = event.traceparent;
  record["data"] = {{"id", id},
                    {"user_id", event.user.value},
                    {"change", "notification"},
                    {"notification_id", event.id.value()},
                    {"timestamp", FormatInstant(now)}};
  return Dump(record);
}

MailText ComposeMail(const std::vector<DueReminder>& reminders) {
  MailText mail;
  const bool one = reminders.size() == 1;
  mail.subject = one ? fmt::format("Reminder: {}", Line(reminders[0].title, kMaxSubjectBytes))
                     : fmt::format("{} reminders", reminders.size());
  std::string items;
  const std::size_t listed = std::min(reminders.size(), kMaxListed);
  for (std::size_t i = 0; i < listed; ++i) {
    const std::string title = Line(reminders[i].title, kMaxTitleCharacters * 4);
    const std::string facts = Facts(reminders[i]);
    mail.text += fmt::format("{}{}\n{}{}\n", one ? "" : "- ", title, one ? "" : "  ", facts);
    items += fmt::format("<li><b>{}</b><br>{}</li>", EscapeHtml(title), EscapeHtml(facts));
  }
  std::string rest;
  if (listed < reminders.size()) rest = fmt::format("and {} more", reminders.size() - listed);
  if (!rest.empty()) mail.text += rest + "\n";
  mail.html =
      fmt::format("<!doctype html><html><body><ul>{}</ul><p>{}</p></body></html>\n", items, rest);
  return mail;
}

std::string ComposePush(const std::vector<DueReminder>& reminders) {
  Json json = {{"type", kReminderWebhookKind}};
  if (reminders.size() == 1) {
    const DueReminder& reminder = reminders[0];
    json["title"] = Line(reminder.title, kMaxPushTextBytes / 2);
    json["body"] = Facts(reminder);
    json["task_id"] = reminder.task_id.value;
    json["notification_id"] = reminder.id.value();
  } else {
    std::string body;
    for (const DueReminder& reminder : reminders) {
      if (!body.empty()) body += ", ";
      body += Line(reminder.title, kMaxSubjectBytes);
      if (body.size() > kMaxPushTextBytes) break;
    }
    json["title"] = fmt::format("{} reminders", reminders.size());
    json["body"] = util::CutText(body, kMaxPushTextBytes);
  }
  json["late"] = std::ranges::any_of(reminders, &DueReminder::late);
  return Dump(json);
}

// ---- when it is sent again

std::optional<milliseconds> DeliveryDelay(int failures, const Uuid& delivery) {
  if (failures < 1 || failures > static_cast<int>(kDeliveryDelays.size())) return std::nullopt;
  const std::string digest = util::Sha256(fmt::format("{} {}", delivery.value(), failures));
  const unsigned number =
      static_cast<unsigned char>(digest[0]) * 256U + static_cast<unsigned char>(digest[1]);
  const double place = number / 65'535.0;  // 0 to 1
  const auto delay =
      static_cast<double>(kDeliveryDelays[static_cast<std::size_t>(failures - 1)].count());
  return milliseconds(static_cast<std::int64_t>(delay * (1 - kJitter + 2 * kJitter * place)));
}

// ---- secrets

std::string WebhookSecret(std::string_view master_key, const Uuid& endpoint, int version) {
  return util::HmacSha256(master_key, fmt::format("webhook {} {}", endpoint.value(), version));
}

std::string FormatWebhookSecret(std::string_view secret) {
  return "whsec_" + absl::Base64Escape(util::ToAbsl(secret));
}

}  // namespace todo::domain
