#include "app/channel_setup.h"

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "app/config/setting.h"
#include "net/target_guard.h"
#include "notify/http_push_sender.h"
#include "notify/http_webhook_sender.h"
#include "notify/mail_format.h"
#include "notify/smtp_mailer.h"
#include "util/status.h"

namespace todo::app {
namespace {

using notify::SmtpMailer;

constexpr std::size_t kMinMasterKeyBytes = 32;

/// The entry `name` of the secret. nullopt: it is missing or empty.
absl::StatusOr<std::optional<std::string>> Find(ports::SecretStore& secrets,
                                                const std::string& name) {
  absl::StatusOr<std::string> value = secrets.Get(name);
  if (absl::IsNotFound(value.status())) return std::optional<std::string>();
  if (!value.ok()) return value.status();
  if (value->empty()) return std::optional<std::string>();
  return std::optional(*std::move(value));
}

/// "Todo <todo@example.org>", or the address alone.
notify::MailSender SenderOf(std::string_view text) {
  const std::size_t open = text.find('<');
  if (open == std::string_view::npos) return {.address = std::string(text), .name = ""};
  const std::string_view name = text.substr(0, open);
  const std::size_t last = name.find_last_not_of(' ');
  const std::string_view address = text.substr(open + 1);
  return {.address = std::string(address.substr(0, address.find('>'))),
          .name = std::string(name.substr(0, last == std::string_view::npos ? 0 : last + 1))};
}

/// kInvalidArgument, with the fault of the URL. Brackets distinguish an IPv6 address from a port.
absl::StatusOr<SmtpMailer::Options> SmtpOptions(std::string_view url) {
  SmtpMailer::Options options;
  const std::size_t scheme_end = url.find("://");
  const std::string_view scheme = url.substr(0, scheme_end);
  if (scheme == "smtp") {
    options.security = SmtpMailer::Security::kStartTls;
  } else if (scheme == "smtps") {
    options.security = SmtpMailer::Security::kTls;
    options.port = 465;
  } else if (scheme == "smtp+plain") {
    options.security = SmtpMailer::Security::kPlain;
    options.port = 25;
  } else {
    return absl::InvalidArgumentError("must begin with smtp://, smtps:// or smtp+plain://");
  }
  std::string_view host = url.substr(scheme_end + 3);
  if (host.ends_with('/')) host.remove_suffix(1);
  if (host.find('@') != std::string_view::npos) {
    return absl::InvalidArgumentError(
        "must not name a user: user and password come from the secret store");
  }
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) {
    const std::string_view port = host.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), options.port);
    if (error != std::errc() || end != port.data() + port.size())
      return absl::InvalidArgumentError("must have a number as its port");
    host = host.substr(0, colon);
  }
  const bool ipv6 = host.find(':') != std::string_view::npos;
  if (ipv6 && (!host.starts_with('[') || !host.ends_with(']')))
    return absl::InvalidArgumentError("must have an IPv6 address in brackets");
  if (ipv6) host = host.substr(1, host.size() - 2);
  options.host = host;
  TODO_RETURN_IF_ERROR(SmtpMailer::CheckServer(options.host, options.port));
  return options;
}

/// The address at which push services can reach the operator; empty: no setting gives one.
std::string ContactOf(const ChannelSettings& settings) {
  if (!settings.vapid_contact.empty() || settings.mail_from.empty()) return settings.vapid_contact;
  return "mailto:" + SenderOf(settings.mail_from).address;
}

/// Why a channel is off. Empty `why`: it is on.
struct Off {
  std::string why;
  bool wants_secret = false;  // its secret is missing or unfit
};
using SetUp = absl::StatusOr<Off>;

Off OffWithoutSecret(std::string why) { return {.why = std::move(why), .wants_secret = true}; }
Off OffBySetting(std::string why) { return {.why = std::move(why)}; }

std::string Text(const absl::Status& status) { return std::string(status.message()); }

SetUp SetUpWebhooks(const ChannelSettings& settings, ports::SecretStore& secrets,
                    service::ChannelSet::Known& channels) {
  TODO_ASSIGN_OR_RETURN(const auto key, Find(secrets, settings.webhook_master_key_entry));
  if (!key)
    return OffWithoutSecret(
        fmt::format("entry {} of the secret is missing", settings.webhook_master_key_entry));
  if (key->size() < kMinMasterKeyBytes) {
    return OffWithoutSecret(fmt::format("entry {} of the secret is shorter than {} characters",
                                        settings.webhook_master_key_entry, kMinMasterKeyBytes));
  }
  auto sender = notify::HttpWebhookSender::Create(
      {.allowed_hosts = SplitList(settings.webhook_allow_hosts), .ca_file = {}});
  if (!sender.ok()) return OffBySetting(Text(sender.status()));
  channels.webhooks = *std::move(sender);
  channels.webhook_master_key = *key;
  return Off();
}

SetUp SetUpMail(const ChannelSettings& settings, ports::SecretStore& secrets,
                const ports::Clock& clock, service::ChannelSet::Known& channels) {
  if (settings.smtp_url.empty()) return OffBySetting("smtp-url is not set");
  absl::StatusOr<SmtpMailer::Options> options = SmtpOptions(settings.smtp_url);
  if (!options.ok()) return OffBySetting(fmt::format("smtp-url {}", Text(options.status())));
  TODO_ASSIGN_OR_RETURN(const auto user, Find(secrets, settings.smtp_user_entry));
  TODO_ASSIGN_OR_RETURN(const auto password, Find(secrets, settings.smtp_password_entry));
  if (user.has_value() != password.has_value()) {
    return OffWithoutSecret(
        fmt::format("entry {} of the secret is missing",
                    user ? settings.smtp_password_entry : settings.smtp_user_entry));
  }
  options->user = user.value_or("");
  options->password = password.value_or("");
  options->sender = SenderOf(settings.mail_from);
  std::string address = options->sender.address;
  auto mailer = SmtpMailer::Create(*std::move(options), clock);
  if (!mailer.ok()) return OffBySetting(Text(mailer.status()));
  channels.mail = *std::move(mailer);
  channels.mail_from = std::move(address);
  return Off();
}

SetUp SetUpPush(const ChannelSettings& settings, ports::SecretStore& secrets,
                const ports::Clock& clock, service::ChannelSet::Known& channels) {
  TODO_ASSIGN_OR_RETURN(const auto key, Find(secrets, settings.vapid_private_key_entry));
  if (!key)
    return OffWithoutSecret(
        fmt::format("entry {} of the secret is missing", settings.vapid_private_key_entry));
  std::string contact = ContactOf(settings);
  if (contact.empty()) return OffBySetting("neither vapid-contact nor mail-from is set");
  auto sender = notify::HttpPushSender::Create(
      {.http = {.allowed_hosts = SplitList(settings.webhook_allow_hosts), .ca_file = {}},
       .vapid_key = *key,
       .contact = std::move(contact)},
      clock);
  if (!sender.ok()) return OffWithoutSecret(Text(sender.status()));
  channels.push_public_key = (*sender)->PublicKey();
  channels.push = *std::move(sender);
  return Off();
}

}  // namespace

std::vector<std::string> ChannelFaults(const ChannelSettings& settings) {
  std::vector<std::string> faults;
  const auto note = [&faults](std::string_view setting, const absl::Status& status) {
    if (!status.ok()) faults.push_back(fmt::format("--{} {}", setting, Text(status)));
  };
  if (!settings.smtp_url.empty()) {
    note("smtp-url", SmtpOptions(settings.smtp_url).status());
    if (settings.mail_from.empty())
      faults.emplace_back("--smtp-url is set but --mail-from is not: mail needs a sender");
  }
  if (!settings.mail_from.empty() && !notify::IsMailAddress(SenderOf(settings.mail_from).address)) {
    faults.emplace_back(
        "--mail-from must be an address like todo@example.org or \"Todo <todo@example.org>\"");
  }
  if (!settings.vapid_contact.empty())
    note("vapid-contact", notify::HttpPushSender::CheckContact(settings.vapid_contact));
  note("webhook-allow-hosts:",
       net::TargetGuard::Create(SplitList(settings.webhook_allow_hosts)).status());
  return faults;
}

absl::StatusOr<ChannelSetup> SetUpChannels(const ChannelSettings& settings,
                                           ports::SecretStore& secrets, const ports::Clock& clock) {
  ChannelSetup setup;
  const auto note = [&setup](const char* name, const Off& off) {
    if (off.why.empty()) {
      setup.on.emplace_back(name);
    } else {
      setup.off.emplace(name, off.why);
      setup.wants_secret |= off.wants_secret;
    }
  };
  TODO_ASSIGN_OR_RETURN(const Off webhooks, SetUpWebhooks(settings, secrets, setup.channels));
  note("webhook", webhooks);
  TODO_ASSIGN_OR_RETURN(const Off mail, SetUpMail(settings, secrets, clock, setup.channels));
  note("email", mail);
  TODO_ASSIGN_OR_RETURN(const Off push, SetUpPush(settings, secrets, clock, setup.channels));
  note("push", push);
  return setup;
}

}  // namespace todo::app
