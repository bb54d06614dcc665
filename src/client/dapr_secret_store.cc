#include "client/dapr_secret_store.h"

#include <fmt/format.h>

#include "client/grpc_status.h"
#include "util/status.h"

namespace todo::client {
namespace {

namespace runtime = dapr::proto::runtime::v1;

absl::Status Missing(const std::string& name) {
  return util::MakeStatus(absl::StatusCode::kNotFound, fmt::format("there is no secret {}", name));
}

}  // namespace

absl::StatusOr<std::string> DaprSecretStore::Get(const std::string& name) {
  const auto now = std::chrono::steady_clock::now();
  {
    auto remembered = remembered_.Lock();
    if (now < remembered->until) {
      const auto found = remembered->keys.find(name);
      return found == remembered->keys.end() ? absl::StatusOr<std::string>(Missing(name))
                                             : found->second;
    }
  }
  runtime::GetSecretRequest request;
  request.set_store_name(options_.component);
  request.set_key(options_.secret);
  runtime::GetSecretResponse response;
  const auto context = client_.NewContext(options_.timeout);
  const grpc::Status status = client_.stub().GetSecret(context.get(), request, &response);
  std::map<std::string, std::string> keys;
  switch (status.error_code()) {
    case grpc::StatusCode::OK: keys.insert(response.data().begin(), response.data().end()); break;
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::UNAUTHENTICATED:
      return util::MakeStatus(absl::StatusCode::kUnavailable,
                              fmt::format("dapr: get secrets: {}", status.error_message()));
    default: break;  // the component says by any code that it has no such secret
  }
  const auto found = keys.find(name);
  absl::StatusOr<std::string> value =
      found == keys.end() ? absl::StatusOr<std::string>(Missing(name)) : found->second;
  auto remembered = remembered_.Lock();
  remembered->keys = std::move(keys);
  remembered->until = now + options_.remember;
  return value;
}

}  // namespace todo::client
