#include "client/dapr_state_store.h"

#include <fmt/format.h>

#include <utility>

#include "client/grpc_status.h"
#include "util/status.h"

namespace todo::client {
namespace {

namespace runtime = dapr::proto::runtime::v1;
using dapr::proto::common::v1::StateOptions;

absl::Status Unavailable(std::string_view attempted, std::string_view why) {
  return util::MakeStatus(absl::StatusCode::kUnavailable,
                          fmt::format("dapr: {}: {}", attempted, why));
}

}  // namespace

absl::StatusOr<std::map<std::string, ports::StateValue>> DaprStateStore::Read(
    const std::vector<std::string>& keys) {
  std::map<std::string, ports::StateValue> values;
  if (keys.size() == 1) {  // the bulk call has no consistency to ask for
    runtime::GetStateRequest request;
    request.set_store_name(options_.component);
    request.set_key(keys[0]);
    request.set_consistency(StateOptions::CONSISTENCY_STRONG);
    runtime::GetStateResponse response;
    const auto context = client_.NewContext(options_.timeout);
    const grpc::Status status = client_.stub().GetState(context.get(), request, &response);
    if (!status.ok()) return Unavailable("read state", status.error_message());
    if (!response.data().empty()) values[keys[0]] = {response.data(), response.etag()};
    return values;
  }
  if (keys.empty()) return values;
  runtime::GetBulkStateRequest request;
  request.set_store_name(options_.component);
  for (const std::string& key : keys) request.add_keys(key);
  request.set_parallelism(8);
  runtime::GetBulkStateResponse response;
  const auto context = client_.NewContext(options_.timeout);
  const grpc::Status status = client_.stub().GetBulkState(context.get(), request, &response);
  if (!status.ok()) return Unavailable("read state", status.error_message());
  for (const runtime::BulkStateItem& item : response.items()) {
    if (!item.error().empty()) return Unavailable("read state", item.error());
    if (!item.data().empty()) values[item.key()] = {item.data(), item.etag()};
  }
  return values;
}

absl::Status DaprStateStore::Write(const std::string& key, const std::string& data,
                                   const std::string& etag,
                                   std::optional<std::chrono::seconds> ttl) {
  runtime::SaveStateRequest request;
  request.set_store_name(options_.component);
  auto& item = *request.add_states();
  item.set_key(key);
  item.set_value(data);
  if (ttl) (*item.mutable_metadata())["ttlInSeconds"] = fmt::format("{}", ttl->count());
  if (!etag.empty()) item.mutable_etag()->set_value(etag);
  item.mutable_options()->set_concurrency(StateOptions::CONCURRENCY_FIRST_WRITE);
  item.mutable_options()->set_consistency(StateOptions::CONSISTENCY_STRONG);
  google::protobuf::Empty response;
  const auto context = client_.NewContext(options_.timeout);
  const grpc::Status status = client_.stub().SaveState(context.get(), request, &response);
  if (status.ok()) return absl::OkStatus();
  const absl::Status changed = absl::AbortedError("dapr: write state: the value has changed since");
  // An etag that the component cannot even read is none of its current ones.
  if (status.error_code() == grpc::StatusCode::ABORTED ||
      (status.error_code() == grpc::StatusCode::INVALID_ARGUMENT && !etag.empty())) {
    return changed;
  }
  // Where a first write has come too late, components say so each in words of its own.
  if (etag.empty() && status.error_code() != grpc::StatusCode::UNAVAILABLE) {
    const auto there = Read({key});
    if (there.ok() && !there->empty()) return changed;
  }
  return Unavailable("write state", status.error_message());
}

}  // namespace todo::client
