#pragma once

#include <string>
#include <utility>
#include <variant>

#include "api/mcp/json_rpc.h"
#include "api/mcp/protocol.h"
#include "api/method.h"
#include "ports/clock.h"
#include "ports/task_finder.h"

namespace todo::api::mcp {

/// The server's side of the Model Context Protocol, as a function from the body of a POST to that
/// of its answer: tools and resources over the methods of the API. No session: each message stands
/// for itself, in all versions. Thread safety: may be used from many threads at once.
class Server {
 public:
  struct Parts {
    const MethodTable& methods;
    const ports::Clock& clock;
    ports::IdSource& ids;
    ports::TaskFinder* finder = nullptr;  // nullptr: words are looked for as they are
    std::string version = {};             // of this program
  };
  /// What the parts refer to must outlive the server.
  explicit Server(Parts parts) : parts_(std::move(parts)) {}

  struct Post {
    PostHeaders headers;
    std::string body;
  };
  struct Reply {
    int http_status = 200;
    std::string body;  // JSON; empty: none
  };
  /// Blocks as the methods do that the message calls: for a worker.
  Reply Answer(const Caller& caller, const Post& post) const;

 private:
  using Result = std::variant<Json, RpcError>;

  Result Run(const Caller& caller, const RpcMessage& message, Manner manner) const;
  Result CallTool(const Caller& caller, const Json& params) const;
  Result Read(const Caller& caller, const Json& params, Manner manner) const;
  Json ServerInfo() const;
  /// What this server can do, and how an assistant should use it.
  Json Introduction() const;

  const Parts parts_;
};

}  // namespace todo::api::mcp
