#include "app/page_setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>
#include <utility>

#include "app/config/help.h"
#include "app/config/setting.h"
#include "app/origin.h"
#include "auth/key_sources.h"
#include "net/target.h"
#include "util/status.h"

namespace todo::app {
namespace {

using Faults = std::vector<std::string>;

/// The issuer that the page signs in with; empty: none, or it must be named.
std::string SignInIssuer(const Config& config) {
  if (!config.oidc_issuer.empty()) return config.oidc_issuer;
  return config.issuers.size() == 1 ? config.issuers.front().name : "";
}

/// Of a URL that CheckIssuer accepts.
std::string OriginOf(const std::string& url) {
  const absl::StatusOr<net::Target> target = net::ParseTarget(url);
  return target.ok() ? target->origin : "";
}

void CheckIssuer(const Config& config, Faults& faults) {
  const std::string issuer = SignInIssuer(config);
  if (config.issuers.empty()) {
    faults.emplace_back(
        "--oidc-client-id needs --auth-issuer or --auth-issuers-file: the tokens that the page "
        "gets must count");
  } else if (issuer.empty()) {
    faults.emplace_back(
        "--oidc-issuer is missing: --auth-issuers-file has several issuers, and the page signs in "
        "with one of them");
  } else if (std::ranges::find(config.issuers, issuer, &IssuerDescription::name) ==
             config.issuers.end()) {
    faults.push_back(fmt::format(
        "--oidc-issuer is {}, which is no issuer of tokens: the name must be one of --auth-issuer "
        "or --auth-issuers-file, letter for letter",
        Quoted(issuer)));
  } else if (const absl::Status status = auth::CheckKeyUrl(issuer); !status.ok()) {
    faults.push_back(fmt::format("--oidc-client-id: browsers cannot sign in with the issuer {}: {}",
                                 Quoted(issuer), util::FromAbsl(status.message())));
  } else if (!IsOrigin(OriginOf(issuer))) {
    faults.push_back(fmt::format("--oidc-client-id: the issuer {} has no host that browsers know",
                                 Quoted(issuer)));
  }
}

/// The parameters of the sign-in that the page or the protocol sets.
constexpr std::array<std::string_view, 10> kTaken = {
    "response_type", "client_id",      "redirect_uri",          "scope",  "state",
    "nonce",         "code_challenge", "code_challenge_method", "prompt", "response_mode"};

using Parameters = std::vector<std::pair<std::string, std::string>>;

/// "name=value name=value"; a part that is none, or that names a parameter of the page, becomes a
/// fault.
Parameters ParseParameters(std::string_view text, Faults& faults) {
  Parameters parameters;
  std::istringstream words{std::string(text)};
  for (std::string word; words >> word;) {
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    if (equals == std::string::npos || name.empty() || equals + 1 == word.size()) {
      faults.push_back(fmt::format(
          "--oidc-parameters contains {}; a parameter is name=value, and parameters are separated "
          "by spaces",
          Quoted(word)));
    } else if (std::ranges::find(kTaken, name) != kTaken.end()) {
      faults.push_back(
          fmt::format("--oidc-parameters contains {}, which the page sets itself", Quoted(name)));
    } else {
      parameters.emplace_back(name, word.substr(equals + 1));
    }
  }
  return parameters;
}

bool HasWord(std::string_view text, std::string_view word) {
  return fmt::format(" {} ", text).find(fmt::format(" {} ", word)) != std::string::npos;
}

}  // namespace

std::vector<std::string> SignInFaults(const Config& config) {
  Faults faults;
  if (config.oidc_client_id.empty()) {
    for (const auto& [name, value] : {std::pair{"oidc-issuer", config.oidc_issuer},
                                      {"oidc-origins", config.oidc_origins},
                                      {"oidc-parameters", config.oidc_parameters}}) {
      if (!value.empty())
        faults.push_back(fmt::format("--{} is set but --oidc-client-id is not", name));
    }
    return faults;
  }
  if (config.dev_identity) {
    faults.emplace_back(
        "--dev-identity and --oidc-client-id exclude each other: callers prove who they are, or "
        "they do not");
  } else {
    CheckIssuer(config, faults);
  }
  if (!HasWord(config.oidc_scopes, "openid"))
    faults.push_back(
        fmt::format("--oidc-scopes is {}: it must contain openid, and names are "
                    "separated by one space",
                    Quoted(config.oidc_scopes)));
  ParseParameters(config.oidc_parameters, faults);
  for (const std::string& origin : SplitList(config.oidc_origins)) {
    if (IsOrigin(origin)) continue;
    faults.push_back(
        fmt::format("--oidc-origins contains {}; an origin is a scheme, a host in "
                    "small letters and perhaps a port: https://token.example.org",
                    Quoted(origin)));
  }
  return faults;
}

page::DoorOptions PageOptions(const Config& config, std::function<std::string()> vapid_key) {
  page::Settings settings{.identity = config.dev_identity ? "development" : "token",
                          .issuer = {},
                          .client_id = {},
                          .scopes = {},
                          .parameters = {},
                          .operator_claim = {},
                          .operator_values = {},
                          .vapid_key = {},
                          .version = std::string(Version())};
  std::vector<std::string> origins;
  if (!config.oidc_client_id.empty()) {
    settings.identity = "oidc";
    settings.issuer = SignInIssuer(config);
    settings.client_id = config.oidc_client_id;
    settings.scopes = config.oidc_scopes;
    Faults checked_before;
    settings.parameters = ParseParameters(config.oidc_parameters, checked_before);
    const auto issuer =
        std::ranges::find(config.issuers, settings.issuer, &IssuerDescription::name);
    if (issuer != config.issuers.end()) {
      settings.operator_claim = issuer->rules.operator_claim;
      settings.operator_values = issuer->rules.operator_values;
    }
    origins = SplitList(config.oidc_origins);
    origins.insert(origins.begin(), OriginOf(settings.issuer));
  }
  return {.connect_origins = std::move(origins),
          .settings = [settings = std::move(settings), vapid_key = std::move(vapid_key)] {
            page::Settings now = settings;
            now.vapid_key = vapid_key();
            return now;
          }};
}

}  // namespace todo::app
