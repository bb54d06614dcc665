#include "app/origin.h"

#include <algorithm>

namespace todo::app {

bool IsOrigin(std::string_view text) {
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return false;
  const std::string_view scheme = text.substr(0, scheme_end);
  const std::string_view host = text.substr(scheme_end + 3);
  const auto is_of_host = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view(".-:[]").find(c) != std::string_view::npos;
  };
  return (scheme == "http" || scheme == "https") && !host.empty() &&
         std::ranges::all_of(host, is_of_host);
}

}  // namespace todo::app
