#include "app/config/masking.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstddef>

namespace todo::app {
namespace {

bool IsHarmlessKey(std::string_view key) {
  constexpr std::string_view kHarmless[] = {"host",
                                            "hostaddr",
                                            "port",
                                            "dbname",
                                            "user",
                                            "sslmode",
                                            "sslrootcert",
                                            "sslcert",
                                            "sslkey",
                                            "application_name",
                                            "connect_timeout",
                                            "target_session_attrs",
                                            "keepalives",
                                            "keepalives_idle",
                                            "keepalives_interval",
                                            "keepalives_count",
                                            "tcp_user_timeout",
                                            "channel_binding",
                                            "gssencmode"};
  return std::ranges::find(kHarmless, key) != std::end(kHarmless);
}

std::string MaskedUri(std::string_view url, std::size_t scheme_end) {
  std::string masked(url.substr(0, scheme_end));
  std::string_view rest = url.substr(scheme_end);
  // A password that was not encoded may contain any character, so it ends at the last '@'.
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    const std::string_view credentials = rest.substr(0, at);
    const std::size_t colon = credentials.find(':');
    masked += credentials.substr(0, colon);
    if (colon != std::string_view::npos) masked += ":***";
    masked += '@';
    rest = rest.substr(at + 1);
  }
  const std::size_t question = rest.find('?');
  masked += rest.substr(0, question);
  if (question == std::string_view::npos) return masked;
  rest = rest.substr(question + 1);
  for (char separator = '?'; !rest.empty(); separator = '&') {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest = rest.substr(std::min(rest.size(), pair.size() + 1));
    const std::string_view key = pair.substr(0, pair.find('='));
    masked += separator;
    masked += IsHarmlessKey(key) ? std::string(pair) : fmt::format("{}=***", key);
  }
  return masked;
}

/// key=value pairs; values may be in single quotes, with \ before a quote or another \.
std::string MaskedPairs(std::string_view text) {
  std::string masked;
  std::size_t i = 0;
  const auto skip_spaces = [&] {
    while (i < text.size() && std::isspace(static_cast<unsigned char>(text[i]))) ++i;
  };
  for (skip_spaces(); i < text.size(); skip_spaces()) {
    const std::size_t key_begin = i;
    while (i < text.size() && text[i] != '=' && !std::isspace(static_cast<unsigned char>(text[i])))
      ++i;
    const std::string_view key = text.substr(key_begin, i - key_begin);
    skip_spaces();
    if (i == text.size() || text[i] != '=') return "***";  // not of this form
    ++i;
    skip_spaces();
    const std::size_t value_begin = i;
    const bool quoted = i < text.size() && text[i] == '\'';
    if (quoted) ++i;
    while (i < text.size() &&
           (quoted ? text[i] != '\'' : !std::isspace(static_cast<unsigned char>(text[i])))) {
      i += text[i] == '\\' ? 2 : 1;
    }
    i = std::min(quoted ? i + 1 : i, text.size());
    const std::string_view value = text.substr(value_begin, i - value_begin);
    masked +=
        fmt::format("{}{}={}", masked.empty() ? "" : " ", key, IsHarmlessKey(key) ? value : "***");
  }
  return masked;
}

}  // namespace

std::string MaskedDatabaseUrl(std::string_view url) {
  for (const std::string_view scheme : {"postgresql://", "postgres://"}) {
    if (url.starts_with(scheme)) return MaskedUri(url, scheme.size());
  }
  return MaskedPairs(url);
}

std::string MaskedUrl(std::string_view url) { return MaskedUri(url, 0); }

}  // namespace todo::app
