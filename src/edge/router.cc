#include "edge/router.h"

#include <string_view>
#include <utility>

#include "util/http_problem.h"
#include "util/require.h"

namespace todo::edge {

util::HttpDecision Page::Decide(const util::HttpRequestHead& head) {
  if (head.method != "GET" && head.method != "HEAD") {
    util::HttpResponse refusal = util::HttpProblem(405, "only GET and HEAD");
    refusal.headers.emplace_back("allow", "GET, HEAD");
    return refusal;
  }
  return content_();
}

void Router::AddPath(std::string path, util::HttpHandler& handler) {
  paths_.insert_or_assign(std::move(path), &handler);
}

void Router::AddPrefix(std::string prefix, util::HttpHandler& handler) {
  TODO_REQUIRE(prefix.ends_with('/'));
  prefixes_.insert_or_assign(std::move(prefix), &handler);
}

util::HttpDecision Router::Decide(const util::HttpRequestHead& head) {
  if (const auto exact = paths_.find(head.path); exact != paths_.end())
    return exact->second->Decide(head);
  std::string_view path = head.path;
  for (std::size_t slash = path.rfind('/'); slash != std::string_view::npos;
       slash = path.rfind('/')) {
    const auto found = prefixes_.find(path.substr(0, slash + 1));
    if (found != prefixes_.end()) return found->second->Decide(head);
    path = path.substr(0, slash);
  }
  return util::HttpProblem(404, "there is nothing here");
}

}  // namespace todo::edge
