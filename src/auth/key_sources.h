#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "net/http_client.h"
#include "ports/secret_store.h"

// Where the keys of an issuer come from. Each function returns a function that reads the text of
// the key set; it blocks, with a deadline, and may be called again and again from one thread.

namespace todo::auth {

using KeyReader = std::function<absl::StatusOr<std::string>()>;
/// The body at a URL. An error says what is wrong, with the URL.
using Fetch = std::function<absl::StatusOr<std::string>(const std::string& url)>;

/// kInvalidArgument, with what is wrong, unless `url` is https, or http on loopback: keys that
/// somebody has changed on their way let anybody in.
absl::Status CheckKeyUrl(std::string_view url);

/// Fetches with GET; no redirects, at most 256 KiB, at most 5 seconds.
Fetch FetchOver(std::shared_ptr<const net::HttpClient> client);

KeyReader KeysInFile(std::string path);

KeyReader KeysAtUrl(Fetch fetch, std::string url);

/// Asks `issuer` for the URL of its keys (OpenID Connect Discovery) before each read. The answer
/// must name the same issuer: kFailedPrecondition.
KeyReader KeysOfIssuer(Fetch fetch, std::string issuer);

/// The entry of the secret is the secret itself, for HS256, or a JWK or JWK Set of secrets.
/// `secrets` must outlive the function.
KeyReader KeysInSecret(ports::SecretStore& secrets, std::string entry);

}  // namespace todo::auth
