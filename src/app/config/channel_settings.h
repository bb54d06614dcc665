#pragma once

#include <string>

namespace todo::app {

/// The settings of the notification channels (webhook, e-mail, push). The table of settings
/// (config/table.cc) says what each one means.
struct ChannelSettings {
  std::string smtp_url;             // empty: no e-mail
  std::string mail_from;            // an address, perhaps with a name before it
  std::string vapid_contact;        // default: the address in mail_from
  std::string webhook_allow_hosts;  // separated by commas
  // Names of entries of the secret.
  std::string smtp_user_entry = "smtp-user";
  std::string smtp_password_entry = "smtp-password";
  std::string vapid_private_key_entry = "vapid-private-key";
  std::string webhook_master_key_entry = "webhook-master-key";
};

}  // namespace todo::app
