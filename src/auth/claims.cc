#include "auth/claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "auth/refusal.h"
#include "auth/strict_json.h"
#include "domain/task/task.h"
#include "util/status.h"

namespace todo::auth {
namespace {

using domain::Instant;
using nlohmann::json;
using std::chrono::seconds;

/// The claim `name`; nullptr when there is none.
const json* Find(const json& claims, std::string_view name) {
  if (!claims.is_object()) return nullptr;
  if (const auto whole = claims.find(std::string(name)); whole != claims.end()) return &*whole;
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return nullptr;
  const auto first = claims.find(std::string(name.substr(0, dot)));
  return first == claims.end() ? nullptr : Find(*first, name.substr(dot + 1));
}

bool IsOrHoldsWord(std::string_view text, std::string_view value) {
  if (text == value) return true;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (!word.empty() && word == value) return true;
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  return false;
}

bool ElementIs(const json& element, std::string_view value) {
  if (element.is_string()) return element.get_ref<const std::string&>() == value;
  return (element.is_boolean() || element.is_number()) && element.dump() == value;
}

/// "3 minutes": in the largest unit of which there are at least two.
std::string InWords(seconds duration) {
  const std::int64_t count = duration.count();
  if (count < 120) return fmt::format("{} second{}", count, count == 1 ? "" : "s");
  if (count < 120 * 60) return fmt::format("{} minutes", count / 60);
  if (count < 48 * 60 * 60) return fmt::format("{} hours", count / 3600);
  return fmt::format("{} days", count / 86400);
}

/// The instant of a claim such as `exp`: seconds since the epoch. nullopt: there is no such claim.
absl::StatusOr<std::optional<Instant>> InstantIn(const json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end()) return std::optional<Instant>();
  const double count = found->is_number() ? found->get<double>() : -1;
  constexpr auto kMaxSeconds = std::chrono::floor<seconds>(domain::kMaxInstant).time_since_epoch();
  if (!(count >= 0 && count <= static_cast<double>(kMaxSeconds.count())))
    return Refusal("TOKEN_MALFORMED", fmt::format("the token's {} is no time in seconds", name));
  return std::optional(Instant(seconds(static_cast<std::int64_t>(std::floor(count)))));
}

/// The first instant at which the token does not count any more.
absl::StatusOr<Instant> CheckTimes(const json& claims, seconds skew, Instant now) {
  TODO_ASSIGN_OR_RETURN(const auto expires_at, InstantIn(claims, "exp"));
  TODO_ASSIGN_OR_RETURN(const auto valid_from, InstantIn(claims, "nbf"));
  TODO_ASSIGN_OR_RETURN(const auto issued_at, InstantIn(claims, "iat"));
  if (!expires_at)
    return Refusal("TOKEN_MALFORMED", "the token has no exp: a token must say when it expires");
  if (now >= *expires_at + skew) {
    return Refusal("TOKEN_EXPIRED",
                   fmt::format("the token expired {} ago: get a new one",
                               InWords(std::chrono::floor<seconds>(now - *expires_at))));
  }
  for (const auto& [name, begin] : {std::pair{"nbf", valid_from}, {"iat", issued_at}}) {
    if (!begin || *begin <= now + skew) continue;
    return Refusal(
        "TOKEN_NOT_YET_VALID",
        fmt::format("the token is not valid yet: its {} is {} from now; the clocks of "
                    "its issuer and of this server may differ by {}",
                    name, InWords(std::chrono::ceil<seconds>(*begin - now)), InWords(skew)));
  }
  return *expires_at + skew;
}

/// "x", or for a list: "x", "y".
std::string Listed(const std::vector<std::string>& texts) {
  constexpr std::size_t kMaxListed = 5;
  std::string list;
  for (std::size_t i = 0; i < texts.size() && i < kMaxListed; ++i)
    list += fmt::format("{}{}", i == 0 ? "" : ", ", Quoted(texts[i]));
  if (texts.size() > kMaxListed) list += fmt::format(" and {} more", texts.size() - kMaxListed);
  return list;
}

absl::Status CheckAudience(const json& claims, const std::vector<std::string>& expected) {
  const auto found = claims.find("aud");
  std::vector<std::string> audiences;
  bool well_formed = found != claims.end();
  if (well_formed && found->is_string()) {
    audiences.push_back(found->get<std::string>());
  } else if (well_formed && found->is_array()) {
    for (const json& element : *found) {
      well_formed = well_formed && element.is_string();
      if (element.is_string()) audiences.push_back(element.get<std::string>());
    }
  } else {
    well_formed = false;
  }
  const char* const which = expected.size() == 1 ? "" : "one of ";
  if (!well_formed || audiences.empty()) {
    return Refusal("TOKEN_AUDIENCE", fmt::format("the token has no audience (aud), expected {}{}",
                                                 which, Listed(expected)));
  }
  const auto is_ours = [&expected](const std::string& audience) {
    return std::ranges::find(expected, audience) != expected.end();
  };
  if (std::ranges::any_of(audiences, is_ours)) return absl::OkStatus();
  return Refusal("TOKEN_AUDIENCE", fmt::format("the token's audience is {}, expected {}{}",
                                               Listed(audiences), which, Listed(expected)));
}

absl::Status CheckRequired(const json& claims, const std::vector<ClaimValue>& required) {
  for (const ClaimValue& wanted : required) {
    if (HasValue(claims, wanted.claim, wanted.value)) continue;
    return Refusal("TOKEN_CLAIM", fmt::format("the token's claim {} must be or contain {}",
                                              wanted.claim, Quoted(wanted.value)));
  }
  return absl::OkStatus();
}

absl::StatusOr<domain::UserId> UserOf(const json& claims, const ClaimRules& rules) {
  const json* const claim = Find(claims, rules.user_claim);
  if (claim == nullptr || !claim->is_string() || claim->get_ref<const std::string&>().empty()) {
    return Refusal("TOKEN_USER",
                   fmt::format("the token names no user: its claim {} is {}", rules.user_claim,
                               claim == nullptr     ? "missing"
                               : claim->is_string() ? "empty"
                                                    : "not a text"));
  }
  std::string user = rules.user_prefix + claim->get_ref<const std::string&>();
  if (!domain::CheckUserId(user).ok()) {
    return Refusal(
        "TOKEN_USER",
        fmt::format("the token's claim {} is no user id: more than {} bytes, or not text",
                    rules.user_claim, domain::kMaxUserIdBytes));
  }
  return domain::UserId{std::move(user)};
}

}  // namespace

bool HasValue(const json& claims, std::string_view name, std::string_view value) {
  const json* const claim = Find(claims, name);
  if (claim == nullptr) return false;
  if (claim->is_string()) {
    const auto& text = claim->get_ref<const std::string&>();
    // Only these are lists by their definition (RFC 8693); users may choose words of other texts.
    const bool is_list = name == "scope" || name == "scp";
    return is_list ? IsOrHoldsWord(text, value) : text == value;
  }
  if (!claim->is_array()) return ElementIs(*claim, value);
  return std::ranges::any_of(*claim,
                             [&](const json& element) { return ElementIs(element, value); });
}

absl::StatusOr<TokenCaller> CallerOf(const json& claims, const ClaimRules& rules, Instant now) {
  TODO_ASSIGN_OR_RETURN(const Instant valid_until, CheckTimes(claims, rules.clock_skew, now));
  TODO_RETURN_IF_ERROR(CheckAudience(claims, rules.audiences));
  TODO_RETURN_IF_ERROR(CheckRequired(claims, rules.required_claims));
  TODO_ASSIGN_OR_RETURN(domain::UserId user, UserOf(claims, rules));
  TokenCaller caller{.identity = {.user = std::move(user), .roles = {}},
                     .valid_until = valid_until};
  const bool is_operator = !rules.operator_claim.empty() &&
                           std::ranges::any_of(rules.operator_values, [&](const auto& value) {
                             return HasValue(claims, rules.operator_claim, value);
                           });
  if (is_operator) caller.identity.roles.insert(ports::Role::kOperator);
  return caller;
}

}  // namespace todo::auth
