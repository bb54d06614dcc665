#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "page/file.h"
#include "page/settings.h"
#include "util/http_exchange.h"

namespace todo::page {

struct DoorOptions {
  /// Origins that the page may call besides its own, such as "https://id.example.org".
  std::vector<std::string> connect_origins = {};
  /// Called for each request of /settings.json, on the server's thread; must not block.
  std::function<Settings()> settings;
};

/// The way to the page: its files, its settings, and its views, which all begin with index.html.
/// Everything else is answered 404. Browsers keep what they got and ask whether it has changed.
/// Thread safety: Decide may be called by one thread at a time; it does not block.
class Door final : public util::HttpHandler {
 public:
  /// `files` are ordered by path and outlive the door.
  Door(std::span<const File> files, DoorOptions options);

  util::HttpDecision Decide(const util::HttpRequestHead& head) override;

 private:
  const File* Find(std::string_view path) const;
  /// `file` is the one that the path names, or null.
  util::HttpResponse Answer(const util::HttpRequestHead& head, const File* file) const;

  const std::span<const File> files_;
  const std::function<Settings()> settings_;
  const std::string policy_;
};

/// The content security policy of the page: nothing but the server's own files and calls, calls to
/// `connect_origins`, and no HTML from strings. Precondition: each is an origin. Pure.
std::string ContentPolicy(const std::vector<std::string>& connect_origins);

}  // namespace todo::page
