#include "auth/key_sources.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "auth/strict_json.h"
#include "net/target.h"
#include "util/status.h"

namespace todo::auth {
namespace {

constexpr std::size_t kMaxBytes = 256 * 1024;
constexpr std::chrono::seconds kTimeout{5};
constexpr int kOk = 200;

bool IsLoopback(const std::string& host) {
  in_addr ipv4{};
  return host == "localhost" || host == "[::1]" ||
         (host.starts_with("127.") && inet_pton(AF_INET, host.c_str(), &ipv4) == 1);
}

absl::StatusOr<net::Target> KeyTarget(std::string_view url) {
  absl::StatusOr<net::Target> target = net::ParseTarget(url);
  if (!target.ok())
    return util::MakeStatus(absl::StatusCode::kInvalidArgument,
                            util::FromAbsl(target.status().message()));
  if (!target->encrypted && !IsLoopback(target->host))
    return absl::InvalidArgumentError("the URL must begin with https:// unless it is on loopback");
  return target;
}

absl::Status Unusable(std::string_view url, std::string_view why) {
  return util::MakeStatus(absl::StatusCode::kFailedPrecondition, fmt::format("{} {}", url, why));
}

std::string DiscoveryUrl(std::string_view issuer) {
  if (issuer.ends_with('/')) issuer.remove_suffix(1);
  return fmt::format("{}/.well-known/openid-configuration", issuer);
}

}  // namespace

absl::Status CheckKeyUrl(std::string_view url) { return KeyTarget(url).status(); }

Fetch FetchOver(std::shared_ptr<const net::HttpClient> client) {
  return [client = std::move(client)](const std::string& url) -> absl::StatusOr<std::string> {
    TODO_ASSIGN_OR_RETURN(const net::Target target, KeyTarget(url));
    net::HttpRequest request;
    request.headers = {"accept: application/json"};
    request.timeout = kTimeout;
    request.max_response_bytes = kMaxBytes;
    absl::StatusOr<net::HttpResponse> response = client->Send(target, request);
    if (!response.ok()) return util::Annotate(response.status(), url);
    if (response->status >= 300 && response->status < 400)
      return Unusable(url, fmt::format("answered {}: redirects are not followed, give the URL that "
                                       "it leads to",
                                       response->status));
    if (response->status != kOk)
      return Unusable(url, fmt::format("answered {} instead of {}", response->status, kOk));
    if (!response->complete)
      return Unusable(
          url, fmt::format("sent a body that broke off, or has more than {} bytes", kMaxBytes));
    return std::move(response->body);
  };
}

KeyReader KeysInFile(std::string path) {
  return [path = std::move(path)]() -> absl::StatusOr<std::string> {
    std::ifstream file(path, std::ios::binary);
    if (!file) return Unusable(path, "cannot be opened");
    std::string text(kMaxBytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return Unusable(path, "cannot be read");
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > kMaxBytes)
      return Unusable(path, fmt::format("has more than {} bytes", kMaxBytes));
    return text;
  };
}

KeyReader KeysAtUrl(Fetch fetch, std::string url) {
  return [fetch = std::move(fetch), url = std::move(url)] { return fetch(url); };
}

KeyReader KeysOfIssuer(Fetch fetch, std::string issuer) {
  return [fetch = std::move(fetch), issuer = std::move(issuer)]() -> absl::StatusOr<std::string> {
    const std::string url = DiscoveryUrl(issuer);
    TODO_ASSIGN_OR_RETURN(const std::string text, fetch(url));
    const std::optional<nlohmann::json> document =
        ParseObject(util::FromAbsl(absl::StripAsciiWhitespace(text)));
    if (!document) return Unusable(url, "is not one JSON object without doubled names");
    if (TextIn(*document, "issuer") != issuer)
      return Unusable(url, fmt::format("names another issuer than \"{}\"", issuer));
    const std::optional<std::string> keys_url = TextIn(*document, "jwks_uri");
    if (!keys_url) return Unusable(url, "has no jwks_uri");
    return fetch(*keys_url);
  };
}

KeyReader KeysInSecret(ports::SecretStore& secrets, std::string entry) {
  return [&secrets, entry = std::move(entry)]() -> absl::StatusOr<std::string> {
    absl::StatusOr<std::string> value = secrets.Get(entry);
    if (!value.ok() || value->find('{') == 0) return value;
    const nlohmann::json jwk = {
        {"kty", "oct"}, {"alg", "HS256"}, {"k", absl::WebSafeBase64Escape(*value)}};
    return jwk.dump();
  };
}

}  // namespace todo::auth
