#include "client/dapr_secret_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "absl/strings/ascii.h"
#include "client/grpc_status.h"
#include "util/status.h"

namespace todo::client {
namespace {

namespace runtime = dapr::proto::runtime::v1;

absl::Status Missing(const std::string& name) {
  return util::MakeStatus(absl::StatusCode::kNotFound,
                          fmt::format("there is no entry {} in the secret", name));
}

/// Whether the component has looked and found no such secret. Dapr passes every error of a
/// component on as INTERNAL, so only the text distinguishes that from an outage: "secret x not
/// found" (local file), `secrets "x" not found` (Kubernetes), "secret key or version not exist"
/// (Vault), "SecretNotFound" (Azure). An unknown text counts as an outage: repeating the call for
/// ever loses nothing.
bool SaysMissing(const grpc::Status& status) {
  constexpr std::array<std::string_view, 3> kSayings = {"not found", "notfound", "not exist"};
  if (status.error_code() != grpc::StatusCode::INTERNAL) return false;
  const std::string text = absl::AsciiStrToLower(status.error_message());
  return std::ranges::any_of(
      kSayings, [&](std::string_view saying) { return text.find(saying) != std::string::npos; });
}

}  // namespace

absl::StatusOr<std::string> DaprSecretStore::Get(const std::string& name) {
  const auto now = std::chrono::steady_clock::now();
  {
    auto cached = cached_.Lock();
    if (now < cached->until) {
      const auto found = cached->entries.find(name);
      return found == cached->entries.end() ? absl::StatusOr<std::string>(Missing(name))
                                            : found->second;
    }
  }
  runtime::GetSecretRequest request;
  request.set_store_name(options_.component);
  request.set_key(options_.secret);
  runtime::GetSecretResponse response;
  const auto context = client_.NewContext(options_.timeout);
  const grpc::Status status = client_.stub().GetSecret(context.get(), request, &response);
  std::map<std::string, std::string> entries;
  if (status.ok()) {
    entries.insert(response.data().begin(), response.data().end());
  } else if (!SaysMissing(status)) {
    return util::MakeStatus(absl::StatusCode::kUnavailable,
                            fmt::format("dapr: get secrets: {}", status.error_message()));
  }
  const auto found = entries.find(name);
  absl::StatusOr<std::string> value =
      found == entries.end() ? absl::StatusOr<std::string>(Missing(name)) : found->second;
  auto cached = cached_.Lock();
  cached->entries = std::move(entries);
  cached->until = now + options_.cache_time;
  return value;
}

}  // namespace todo::client
