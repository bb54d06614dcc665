#include "api/http_refusal.h"

#include <fmt/format.h>

#include <chrono>

#include "api/connect/error.h"
#include "api/status_encoding.h"
#include "google/rpc/status.pb.h"
#include "util/http_problem.h"
#include "util/status.h"

namespace todo::api {

util::HttpResponse RefusalOf(const absl::Status& status) {
  const google::rpc::Status rich = EncodeStatus(status);
  util::HttpResponse response =
      util::HttpProblem(connect::HttpStatusOf(rich.code()), rich.message());
  if (response.status == 401) response.headers.emplace_back("www-authenticate", "Bearer");
  if (response.status == 429 || response.status == 503) {
    const auto pause = util::RetryAfterOf(status).value_or(std::chrono::seconds(1));
    response.headers.emplace_back(
        "retry-after", fmt::format("{}", std::chrono::ceil<std::chrono::seconds>(pause).count()));
  }
  return response;
}

}  // namespace todo::api
