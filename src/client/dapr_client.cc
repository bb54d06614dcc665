#include "client/dapr_client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <utility>

#include "client/grpc_status.h"
#include "util/span.h"
#include "util/status.h"
#include "util/trace_context.h"

namespace todo::client {
namespace {

namespace runtime = dapr::proto::runtime::v1;

constexpr char kTokenHeader[] = "dapr-api-token";
constexpr char kTraceHeader[] = "traceparent";

std::shared_ptr<grpc::Channel> Connect(const std::string& endpoint) {
  grpc::ChannelArguments arguments;
  // gRPC's own backoff grows to two minutes: far too slow for a neighbour that restarts.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS,
                   1'000);  // in truth the time that one attempt may take
  // Or the backoff would be shared with every other channel of the process to this address.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // A proxy set in the environment is not meant for the sidecar.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(endpoint, grpc::InsecureChannelCredentials(), arguments);
}

SidecarMetadata Decode(const runtime::GetMetadataResponse& response) {
  SidecarMetadata metadata;
  metadata.app_id = response.id();
  metadata.runtime_version = response.runtime_version();
  for (const auto& component : response.registered_components()) {
    metadata.components.push_back({component.name(), component.type(), component.version()});
  }
  for (const auto& from : response.subscriptions()) {
    auto& to = metadata.subscriptions.emplace_back();
    to.pubsub_name = from.pubsub_name();
    to.topic = from.topic();
    to.dead_letter_topic = from.dead_letter_topic();
    for (const auto& rule : from.rules().rules()) to.rules.push_back({rule.match(), rule.path()});
  }
  return metadata;
}

}  // namespace

DaprClient::DaprClient(Options options)
    : options_(std::move(options)), stub_(runtime::Dapr::NewStub(Connect(options_.endpoint))) {}

absl::StatusOr<SidecarMetadata> DaprClient::GetMetadata() {
  const auto context = NewContext(options_.metadata_timeout);
  runtime::GetMetadataResponse response;
  const grpc::Status status = stub_->GetMetadata(context.get(), {}, &response);
  if (!status.ok()) return util::Annotate(FromGrpc(status), "dapr: get metadata");
  return Decode(response);
}

std::unique_ptr<grpc::ClientContext> DaprClient::NewContext(
    std::chrono::milliseconds timeout) const {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + timeout);
  if (!options_.api_token.empty()) context->AddMetadata(kTokenHeader, options_.api_token);
  if (const util::TraceContext& trace = util::CurrentTrace(); trace.valid())
    context->AddMetadata(kTraceHeader, util::FormatTraceparent(trace));
  return context;
}

}  // namespace todo::client
