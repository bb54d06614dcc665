#pragma once

#include <span>
#include <string_view>

namespace todo::page {

/// One file of the page, ready to be sent. All texts live as long as the program.
struct File {
  std::string_view path;  // of the URL: "/app.js"
  std::string_view type;  // for content-type
  std::string_view etag;  // of the content in any coding, so a weak one: W/"…"
  std::string_view body;
  std::string_view gzip;  // the body compressed; empty where that saves nothing
};

/// The files of `web/`, and the libraries below /lib, ordered by path. They are a part of the
/// program: embed.py writes their source when the program is built.
std::span<const File> EmbeddedFiles();

}  // namespace todo::page
