#include "app/issuer_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "app/config/setting.h"
#include "auth/key_sources.h"
#include "auth/strict_json.h"
#include "util/status.h"

namespace todo::app {
namespace {

using nlohmann::json;
using Faults = std::vector<std::string>;

constexpr std::size_t kMaxIssuers = 20;
constexpr std::array<std::string_view, 6> kRsaAlgorithms = {"RS256", "RS384", "RS512",
                                                            "PS256", "PS384", "PS512"};

/// An issuer with all that the flags say about every issuer.
IssuerDescription Defaults(const IdentitySettings& settings, Faults& faults) {
  IssuerDescription issuer;
  issuer.rsa_algorithm = settings.auth_rsa_algorithm;
  issuer.rules.audiences = SplitList(settings.auth_audience);
  issuer.rules.user_claim = settings.auth_user_claim;
  issuer.rules.operator_claim = settings.auth_operator_claim;
  issuer.rules.operator_values = SplitList(settings.auth_operator_values);
  issuer.rules.clock_skew =
      std::chrono::duration_cast<std::chrono::seconds>(settings.auth_clock_skew);
  for (const std::string& pair : SplitList(settings.auth_required_claims)) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      faults.push_back(fmt::format("--auth-required-claims has {}: it must be a list of name=value",
                                   Quoted(pair)));
      continue;
    }
    issuer.rules.required_claims.push_back({pair.substr(0, equals), pair.substr(equals + 1)});
  }
  return issuer;
}

/// Reads an entry of the issuers file: each member once, and none that is left over.
class EntryReader {
 public:
  EntryReader(const json& entry, std::string where, Faults& faults)
      : entry_(entry), where_(std::move(where)), faults_(faults) {}

  void Text(const char* name, std::string& value) {
    const json* const member = Take(name);
    if (member == nullptr) return;
    if (member->is_string() && !member->get_ref<const std::string&>().empty()) {
      value = member->get<std::string>();
    } else {
      Fault(fmt::format("{} must be a text that is not empty", name));
    }
  }
  /// A text, or a list of texts.
  void List(const char* name, std::vector<std::string>& values) {
    const json* const member = Take(name);
    if (member == nullptr) return;
    const json list = member->is_array() ? *member : json::array({*member});
    if (!std::ranges::all_of(list, [](const json& element) { return element.is_string(); }))
      return Fault(fmt::format("{} must be a text or a list of texts", name));
    values = list.get<std::vector<std::string>>();
  }
  /// An object of names and texts.
  void Pairs(const char* name, std::vector<auth::ClaimValue>& pairs) {
    const json* const member = Take(name);
    if (member == nullptr) return;
    if (!member->is_object()) return Fault(fmt::format("{} must be an object", name));
    pairs.clear();
    for (const auto& [claim, value] : member->items()) {
      if (!value.is_string()) return Fault(fmt::format("{} must have texts as values", name));
      pairs.push_back({claim, value.get<std::string>()});
    }
  }
  void NothingElse() {
    for (const auto& [name, value] : entry_.items()) {
      if (!taken_.contains(name)) Fault(fmt::format("{} is no member of an issuer", Quoted(name)));
    }
  }

 private:
  const json* Take(const char* name) {
    taken_.insert(name);
    const auto found = entry_.find(name);
    return found == entry_.end() ? nullptr : &*found;
  }
  void Fault(std::string_view what) { faults_.push_back(fmt::format("{}: {}", where_, what)); }

  const json& entry_;
  const std::string where_;
  Faults& faults_;
  std::set<std::string> taken_;
};

void ReadEntry(const json& entry, const std::string& where, IssuerDescription& issuer,
               Faults& faults) {
  EntryReader reader(entry, where, faults);
  reader.Text("issuer", issuer.name);
  reader.List("audience", issuer.rules.audiences);
  reader.Text("jwks_file", issuer.jwks_file);
  reader.Text("jwks_url", issuer.jwks_url);
  reader.Text("secret_entry", issuer.secret_entry);
  reader.Text("rsa_algorithm", issuer.rsa_algorithm);
  reader.Text("user_claim", issuer.rules.user_claim);
  reader.Text("user_prefix", issuer.rules.user_prefix);
  reader.Text("operator_claim", issuer.rules.operator_claim);
  reader.List("operator_values", issuer.rules.operator_values);
  reader.Pairs("required_claims", issuer.rules.required_claims);
  reader.NothingElse();
}

std::vector<IssuerDescription> ReadIssuersFile(const IdentitySettings& settings,
                                               const IssuerDescription& defaults, Faults& faults) {
  const std::string where = fmt::format("--auth-issuers-file {}", settings.auth_issuers_file);
  const absl::StatusOr<std::string> text = auth::KeysInFile(settings.auth_issuers_file)();
  std::vector<IssuerDescription> issuers;
  if (!text.ok()) {
    faults.push_back(
        fmt::format("--auth-issuers-file: {}", util::FromAbsl(text.status().message())));
    return issuers;
  }
  const std::optional<json> document =
      auth::ParseObject(util::FromAbsl(absl::StripAsciiWhitespace(*text)));
  const auto list = document ? document->find("issuers") : json::const_iterator();
  if (!document || document->size() != 1 || list == document->end() || !list->is_array() ||
      list->empty() || list->size() > kMaxIssuers ||
      !std::ranges::all_of(*list, [](const json& entry) { return entry.is_object(); })) {
    faults.push_back(fmt::format(
        "{} must be a JSON object with one member \"issuers\", a list of 1 to {} objects", where,
        kMaxIssuers));
    return issuers;
  }
  for (const json& entry : *list) {
    IssuerDescription issuer = defaults;
    ReadEntry(entry, fmt::format("{}, issuer {}", where, issuers.size() + 1), issuer, faults);
    issuers.push_back(std::move(issuer));
  }
  return issuers;
}

void CheckKeys(const IssuerDescription& issuer, const std::string& where, Faults& faults) {
  const auto count =
      std::ranges::count_if(std::array{issuer.jwks_file, issuer.jwks_url, issuer.secret_entry},
                            [](const std::string& place) { return !place.empty(); });
  if (count > 1)
    faults.push_back(
        fmt::format("{}: its keys come from one place: a file, a URL or the secret", where));
  if (count == 0 || !issuer.jwks_url.empty()) {
    const std::string& url = count == 0 ? issuer.name : issuer.jwks_url;
    if (const absl::Status status = auth::CheckKeyUrl(url); !status.ok()) {
      // The URL may hold a password.
      faults.push_back(fmt::format("{}: its keys cannot be fetched from {}: {}", where,
                                   count == 0 ? "its name" : "its jwks-url",
                                   util::FromAbsl(status.message())));
    }
  }
  const bool known =
      issuer.rsa_algorithm.empty() ||
      std::ranges::find(kRsaAlgorithms, issuer.rsa_algorithm) != kRsaAlgorithms.end();
  if (!known)
    faults.push_back(
        fmt::format("{}: {} is no algorithm of RSA keys (RS256 to RS512, PS256 to "
                    "PS512)",
                    where, Quoted(issuer.rsa_algorithm)));
}

void CheckIssuers(const std::vector<IssuerDescription>& issuers, Faults& faults) {
  std::set<std::string> names;
  for (const IssuerDescription& issuer : issuers) {
    const std::string where = fmt::format("issuer {}", Quoted(issuer.name));
    if (issuer.name.empty()) {
      faults.emplace_back("an issuer has no name (iss)");
      continue;
    }
    if (!names.insert(issuer.name).second)
      faults.push_back(fmt::format("{} is listed twice", where));
    if (issuer.rules.audiences.empty())
      faults.push_back(fmt::format("{} has no audience: a token for others would count", where));
    CheckKeys(issuer, where, faults);
  }
}

}  // namespace

IssuerList DescribeIssuers(const IdentitySettings& settings) {
  IssuerList list;
  IssuerDescription issuer = Defaults(settings, list.faults);
  if (!settings.auth_issuers_file.empty()) {
    list.issuers = ReadIssuersFile(settings, issuer, list.faults);
  } else if (!settings.auth_issuer.empty()) {
    issuer.name = settings.auth_issuer;
    issuer.jwks_file = settings.auth_jwks_file;
    issuer.jwks_url = settings.auth_jwks_url;
    issuer.secret_entry = settings.auth_secret_entry;
    list.issuers.push_back(std::move(issuer));
  }
  CheckIssuers(list.issuers, list.faults);
  return list;
}

std::vector<std::string> TakeIssuers(IdentitySettings& settings, bool dev_identity) {
  Faults faults;
  const bool by_file = !settings.auth_issuers_file.empty();
  if (dev_identity && (by_file || !settings.auth_issuer.empty())) {
    faults.push_back(fmt::format(
        "--dev-identity and --{} exclude each other: callers prove who they are, or they do not",
        by_file ? "auth-issuers-file" : "auth-issuer"));
  }
  for (const auto& [name, value] : {std::pair{"auth-issuer", settings.auth_issuer},
                                    {"auth-jwks-file", settings.auth_jwks_file},
                                    {"auth-jwks-url", settings.auth_jwks_url},
                                    {"auth-secret-entry", settings.auth_secret_entry}}) {
    if (value.empty()) continue;
    if (by_file)
      faults.push_back(fmt::format(
          "--{} and --auth-issuers-file exclude each other: name the issuer in the file", name));
    else if (settings.auth_issuer.empty())
      faults.push_back(fmt::format("--{} is set but --auth-issuer is not", name));
  }
  IssuerList list = DescribeIssuers(settings);
  std::ranges::move(list.faults, std::back_inserter(faults));
  settings.issuers = std::move(list.issuers);
  return faults;
}

}  // namespace todo::app
