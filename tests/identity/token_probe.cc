// The authenticator on the command line: one JSON object per line on standard input, one answer
// each.
//   {"keys": text of a JWKS, "secrets": false, "authorization": ["Bearer …"], "now": seconds,
//    "issuer": …, "audience": […], "operator_claim": …}
// An answer is {"user": …, "operator": false, "again": true}, {"code": …, "reason": …, "message":
// …}, or {"keys_refused": message}. "again": whether the same call, repeated, has the same answer.

#include <chrono>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "auth/token_authenticator.h"
#include "util/status.h"

namespace {

using nlohmann::json;
using todo::auth::IssuerKeys;
using todo::auth::KeySet;

class GivenClock final : public todo::ports::Clock {
 public:
  explicit GivenClock(std::int64_t now) : now_(std::chrono::seconds(now)) {}
  todo::domain::Instant Now() const override { return now_; }

 private:
  todo::domain::Instant now_;
};

json AnswerOf(const absl::StatusOr<todo::ports::Identity>& identity) {
  if (identity.ok()) {
    return {{"user", identity->user.value},
            {"operator", identity->Has(todo::ports::Role::kOperator)}};
  }
  return {{"code", absl::StatusCodeToString(identity.status().code())},
          {"reason", todo::util::ReasonOf(identity.status())},
          {"message", std::string(identity.status().message())}};
}

json Answer(const json& question) {
  const std::string text = question.value("keys", "");
  const auto secrets = question.value("secrets", false) ? KeySet::SharedSecrets::kAllowed
                                                        : KeySet::SharedSecrets::kRefused;
  if (const auto parsed = KeySet::Parse(text, secrets); !parsed.ok())
    return {{"keys_refused", std::string(parsed.status().message())}};
  todo::auth::ClaimRules rules;
  rules.audiences = question.value("audience", std::vector<std::string>{"todo-service"});
  rules.operator_claim = question.value("operator_claim", "roles");
  rules.operator_values = {"todo-operator"};
  const auto keys = std::make_shared<IssuerKeys>(
      IssuerKeys::Options{.issuer = "probe", .read = [&text] { return text; }, .secrets = secrets});
  keys->Refresh();
  const GivenClock clock(question.value("now", std::int64_t{0}));
  todo::auth::TokenAuthenticator authenticator(
      {{question.value("issuer", "https://id.example"), rules, keys}}, clock);
  const todo::ports::Credentials credentials{
      .authorization = question.value("authorization", std::vector<std::string>{}),
      .user_ids = {},
      .user_roles = {}};
  json answer = AnswerOf(authenticator.Authenticate(credentials));
  const bool again = AnswerOf(authenticator.Authenticate(credentials)) == answer;
  answer["again"] = again;
  return answer;
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    json answer;
    try {
      answer = Answer(json::parse(line));
    } catch (const json::exception& error) {
      answer = {{"invalid", error.what()}};
    }
    std::cout << answer.dump(-1, ' ', false, json::error_handler_t::replace) << "\n" << std::flush;
  }
}
