#include "client/dapr_job_scheduler.h"

#include <google/protobuf/wrappers.pb.h>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <span>
#include <utility>

#include "client/grpc_status.h"
#include "ports/failure.h"
#include "util/guarded.h"
#include "util/status.h"

namespace todo::client {
namespace {

namespace runtime = dapr::proto::runtime::v1;
using AsyncStub = runtime::Dapr::StubInterface::async_interface;

/// Waits until a number of calls have ended.
class Latch {
 public:
  explicit Latch(std::size_t count) : open_(count) {}
  void CountDown() {
    auto open = open_.Lock();
    // Notifies with the lock held: once the lock is free, this object may be gone.
    if (--*open == 0) none_open_.notify_all();
  }
  void Wait() {
    auto open = open_.Lock();
    none_open_.wait(open.lock(), [&] { return *open == 0; });
  }

 private:
  util::Guarded<std::size_t> open_;
  std::condition_variable none_open_;
};

}  // namespace

DaprJobScheduler::DaprJobScheduler(DaprClient& client) : DaprJobScheduler(client, Options()) {}

DaprJobScheduler::DaprJobScheduler(DaprClient& client, Options options)
    : client_(client), options_(options) {}

std::vector<absl::Status> DaprJobScheduler::Schedule(const std::vector<ports::ScheduledJob>& jobs) {
  std::vector<runtime::ScheduleJobRequest> requests;
  for (const ports::ScheduledJob& from : jobs) {
    runtime::ScheduleJobRequest& request = requests.emplace_back();
    request.set_overwrite(true);
    runtime::Job& job = *request.mutable_job();
    job.set_name(from.name);
    job.set_due_time(domain::FormatInstant(from.due));
    google::protobuf::StringValue data;
    data.set_value(from.data);
    job.mutable_data()->PackFrom(data);
    // Without max_retries the job is repeated until it succeeds; without a policy it would be lost
    // after three failures within seconds.
    job.mutable_failure_policy()->mutable_constant()->mutable_interval()->set_seconds(
        options_.retry_interval.count());
  }
  using Method =
      void (AsyncStub::*)(grpc::ClientContext*, const runtime::ScheduleJobRequest*,
                          runtime::ScheduleJobResponse*, std::function<void(grpc::Status)>);
  return CallAll<runtime::ScheduleJobRequest, runtime::ScheduleJobResponse, Method>(
      requests, &AsyncStub::ScheduleJob, &AsyncStub::ScheduleJobAlpha1, "dapr: schedule a job");
}

std::vector<absl::Status> DaprJobScheduler::Delete(const std::vector<std::string>& names) {
  std::vector<runtime::DeleteJobRequest> requests;
  for (const std::string& name : names) requests.emplace_back().set_name(name);
  using Method =
      void (AsyncStub::*)(grpc::ClientContext*, const runtime::DeleteJobRequest*,
                          runtime::DeleteJobResponse*, std::function<void(grpc::Status)>);
  return CallAll<runtime::DeleteJobRequest, runtime::DeleteJobResponse, Method>(
      requests, &AsyncStub::DeleteJob, &AsyncStub::DeleteJobAlpha1, "dapr: delete a job");
}

template <typename Request, typename Response, typename Method>
std::vector<absl::Status> DaprJobScheduler::CallAll(const std::vector<Request>& requests,
                                                    Method stable, Method alpha1,
                                                    const char* attempted) {
  struct Call {
    std::unique_ptr<grpc::ClientContext> context;
    Response response;
    grpc::Status status;
  };
  const auto run = [&](std::span<const Request> batch, Method method) {
    std::vector<Call> calls(batch.size());
    Latch latch(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      Call& call = calls[i];
      call.context = client_.NewContext(options_.timeout);
      (client_.stub().async()->*method)(call.context.get(), &batch[i], &call.response,
                                        [&call, &latch](grpc::Status status) {
                                          call.status = std::move(status);
                                          latch.CountDown();
                                        });
    }
    latch.Wait();
    return calls;
  };
  const auto is_unknown = [](const Call& call) { return IsUnknownMethod(call.status); };

  std::vector<absl::Status> statuses;
  while (statuses.size() < requests.size()) {
    const std::span<const Request> rest = std::span(requests).subspan(statuses.size());
    const std::span<const Request> batch =
        rest.first(std::min(rest.size(), options_.parallel_calls));
    const bool used_alpha1 = use_alpha1_;
    std::vector<Call> calls = run(batch, used_alpha1 ? alpha1 : stable);
    if (std::ranges::any_of(calls, is_unknown)) {
      calls = run(batch, used_alpha1 ? stable : alpha1);
      if (std::ranges::none_of(calls, is_unknown)) use_alpha1_ = !used_alpha1;
    }
    for (const Call& call : calls)
      statuses.push_back(util::Annotate(FromGrpc(call.status), attempted));
    if (const auto away = std::ranges::find_if(statuses, ports::IsUnanswered);
        away != statuses.end()) {
      statuses.resize(requests.size(), absl::Status(*away));
    }
  }
  return statuses;
}

}  // namespace todo::client
