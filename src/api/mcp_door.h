#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/admission.h"
#include "api/mcp/server.h"
#include "api/method.h"
#include "api/origin_rule.h"
#include "util/http_exchange.h"

namespace todo::api {

/// The path /mcp: the tasks of a user for assistants, by the Model Context Protocol over streamable
/// HTTP (docs/mcp.md). Each message is one admitted call, whatever it asks for; the caller is known
/// by the headers, as in all calls. Pages of other origins than the allowed ones get 403. Thread
/// safety: as HttpHandler.
class McpDoor final : public util::HttpHandler {
 public:
  /// `admission`, and what `parts` refers to, must outlive the door and every call.
  /// `allowed_origins`: of pages that may call, besides the server's own.
  McpDoor(const Admission& admission, mcp::Server::Parts parts,
          std::vector<std::string> allowed_origins);

  util::HttpDecision Decide(const util::HttpRequestHead& head) override;

 private:
  const OriginRule origins_;
  const Admission& admission_;
  const mcp::Server server_;
  const Method post_;  // what admission sees
};

}  // namespace todo::api
