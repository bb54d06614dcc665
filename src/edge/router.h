#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "util/http_exchange.h"

namespace todo::edge {

/// Answers GET and HEAD requests for one path from memory; 405 for other methods.
class Page final : public util::HttpHandler {
 public:
  /// Called on the server's thread, one call at a time; must not block.
  explicit Page(std::function<util::HttpResponse()> content) : content_(std::move(content)) {}

  util::HttpDecision Decide(const util::HttpRequestHead& head) override;

 private:
  const std::function<util::HttpResponse()> content_;
};

/// Chooses the handler by the path of the request: an exact path first, then the longest prefix
/// that ends at a slash, else 404. The handlers must outlive the router. Add all of them before
/// the server starts.
class Router final : public util::HttpHandler {
 public:
  void AddPath(std::string path, util::HttpHandler& handler);
  /// `prefix` ends with '/'; "/" takes everything else.
  void AddPrefix(std::string prefix, util::HttpHandler& handler);

  util::HttpDecision Decide(const util::HttpRequestHead& head) override;

 private:
  std::map<std::string, util::HttpHandler*, std::less<>> paths_;
  std::map<std::string, util::HttpHandler*, std::less<>> prefixes_;
};

}  // namespace todo::edge
