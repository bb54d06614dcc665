// Gives the server for assistants whatever comes. Stops at anything that its header rules out, and
// at an answer that is no message of JSON-RPC.
//
// An input is the body of a POST, perhaps behind a first line of up to three words: the header
// fields MCP-Protocol-Version, Mcp-Method and Mcp-Name.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>

#include "api/mcp/json_rpc.h"
#include "api/mcp/server.h"
#include "require.h"
#include "services_in_memory.h"

namespace {

using nlohmann::json;
using todo::api::mcp::Server;
using todo::fuzz::Require;
using todo::fuzz::ServicesInMemory;

Server::Post PostIn(std::string_view input) {
  const std::size_t line = input.find('\n');
  if (line == std::string_view::npos || input.starts_with('{'))
    return {.headers = {}, .body = std::string(input)};
  std::array<std::string, 3> words;
  std::string_view rest = input.substr(0, line);
  for (std::string& word : words) {
    word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  }
  return {.headers = {.version = words[0], .method = words[1], .name = words[2]},
          .body = std::string(input.substr(line + 1))};
}

void CheckReply(const Server::Reply& reply) {
  Require(reply.http_status == 200 || reply.http_status == 202 ||
              (reply.http_status >= 400 && reply.http_status < 500),
          "a reply has a status");
  if (reply.http_status == 202) return Require(reply.body.empty(), "a notification has no answer");
  const json answer = json::parse(reply.body, nullptr, /*allow_exceptions=*/false);
  Require(answer.is_object() && answer.value("jsonrpc", "") == "2.0", "an answer is a message");
  Require(answer.contains("id") && answer.contains("result") != answer.contains("error"),
          "an answer has a result or an error");
  if (answer.contains("error")) {
    Require(answer["error"]["code"].is_number_integer() && answer["error"]["code"] != -32603,
            "no message leads to an internal error");
    Require(answer["error"]["message"].get<std::string>().size() < 20'000, "an error is short");
  }
}

/// The server of `services`, which must outlive it.
Server ServerOf(ServicesInMemory& services) {
  return Server({.methods = services.methods,
                 .clock = services.clock,
                 .ids = services.ids,
                 .finder = &services.finder,
                 .version = "1"});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Server::Post post = PostIn(todo::fuzz::TextOf(data, size));
  const auto parsed = todo::api::mcp::ParseMessage(post.body);
  if (std::holds_alternative<todo::api::mcp::RpcError>(parsed)) {
    // Such a message reaches no service, so it needs no new ones.
    static ServicesInMemory untouched;
    CheckReply(ServerOf(untouched).Answer(untouched.CallerOf("ada"), post));
    return 0;
  }
  ServicesInMemory services;
  const Server server = ServerOf(services);
  CheckReply(server.Answer(services.CallerOf("ada"), post));
  CheckReply(server.Answer(services.CallerOf("ada"), post));
  return 0;
}
