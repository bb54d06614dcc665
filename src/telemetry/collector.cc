#include "telemetry/collector.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/numbers.h"
#include "net/http_client.h"
#include "net/target.h"
#include "util/status.h"

namespace todo::telemetry {
namespace {

using nlohmann::json;

/// The answer of a collector that took a request says how many spans it refused, if any did.
std::uint64_t RejectedIn(const std::string& body) {
  const json answer = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object()) return 0;
  const auto partial = answer.find("partialSuccess");
  if (partial == answer.end() || !partial->is_object()) return 0;
  const auto rejected = partial->find("rejectedSpans");
  if (rejected == partial->end()) return 0;
  if (rejected->is_number_unsigned()) return rejected->get<std::uint64_t>();
  std::uint64_t count = 0;
  if (!rejected->is_string() || !absl::SimpleAtoi(rejected->get_ref<const std::string&>(), &count))
    return 0;
  return count;
}

absl::StatusOr<std::uint64_t> ResultOf(const net::HttpResponse& response) {
  const int status = response.status;
  if (status / 100 == 2) return RejectedIn(response.body);
  const bool later = status == 429 || status == 502 || status == 503 || status == 504;
  return util::MakeStatus(
      later ? absl::StatusCode::kUnavailable : absl::StatusCode::kFailedPrecondition,
      fmt::format("the collector answered HTTP {}", status));
}

}  // namespace

absl::StatusOr<Sender> HttpSender(const std::string& url) {
  TODO_ASSIGN_OR_RETURN(net::Target parsed, net::ParseTarget(url));
  // Shared, because a std::function is copied, and a target is not.
  const auto target = std::make_shared<const net::Target>(std::move(parsed));
  const auto client = std::make_shared<const net::HttpClient>(net::HttpClient::Options{});
  return Sender(
      [target, client](const std::string& body,
                       std::chrono::milliseconds timeout) -> absl::StatusOr<std::uint64_t> {
        const auto response = client->Send(*target, {.method = net::HttpRequest::Method::kPost,
                                                     .headers = {"content-type: application/json"},
                                                     .body = body,
                                                     .timeout = timeout});
        if (response.ok()) return ResultOf(*response);
        return util::MakeStatus(absl::StatusCode::kUnavailable,
                                util::FromAbsl(response.status().message()));
      });
}

}  // namespace todo::telemetry
