#include "api/mcp/method_calls.h"

#include <fmt/format.h>

#include "api/admission_parts.h"
#include "api/call_figures.h"
#include "util/digest.h"
#include "util/require.h"
#include "util/span.h"
#include "util/status.h"
#include "util/trace_context.h"

namespace todo::api::mcp {

absl::Status MethodCalls::Run(const std::string& content, std::string_view path,
                              const google::protobuf::Message& request,
                              google::protobuf::Message& response) const {
  const Method* method = methods_.Find(path);
  if (method == nullptr) {
    return util::WithReason(absl::UnimplementedError("this server cannot do that"),
                            "METHOD_UNKNOWN");
  }
  TODO_REQUIRE(!method->streams());
  TODO_REQUIRE(method->request_prototype->GetDescriptor() == request.GetDescriptor());
  TODO_REQUIRE(method->response_prototype->GetDescriptor() == response.GetDescriptor());
  Caller caller = caller_;
  util::Span span(method->name, util::SpanKind::kInternal,
                  util::ParseTraceContext(caller_.context.traceparent));
  const util::WithTrace trace(span);
  CallTimer timer(method->figures);
  caller.context =
      ContextOf(*method, request, caller_.identity.user, util::FormatTraceparent(span.context()));
  caller.context.cancellation = caller_.context.cancellation;
  if (!content.empty())
    caller.context.fingerprint = util::Sha256(fmt::format("{}\n{}", method->name, content));
  absl::Status status =
      WithoutExceptions([&] { return method->handler(caller, request, response); });
  LogFailure(method->name, status);
  timer.Stop(status.code());
  EndSpan(span, status);
  return status;
}

}  // namespace todo::api::mcp
