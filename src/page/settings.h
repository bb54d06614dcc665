#pragma once

#include <string>
#include <utility>
#include <vector>

namespace todo::page {

/// What the page has to know before it can call.
struct Settings {
  /// How users say who they are: "development" (a name is enough), "oidc" (sign-in with the
  /// issuer), or "token" (the page cannot get one; the user pastes it).
  std::string identity;
  // Of OpenID Connect; empty unless `identity` is "oidc".
  std::string issuer;
  std::string client_id;
  std::string scopes;
  std::vector<std::pair<std::string, std::string>> parameters;  // further ones of the sign-in
  // A token whose claim has one of the values is that of an operator: the page then shows their
  // view. Whether its calls are taken is another matter, which each call decides.
  std::string operator_claim;
  std::vector<std::string> operator_values;
  std::string vapid_key;  // public key for Web Push; empty: push is off, or not known yet
  std::string version;    // of the program
};

/// The body of /settings.json. Pure.
std::string SettingsJson(const Settings& settings);

}  // namespace todo::page
