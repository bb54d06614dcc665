#include "edge/response_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <iterator>
#include <string_view>

#include "edge/head_parser.h"
#include "util/http_problem.h"

namespace todo::edge {
namespace {

constexpr std::array<std::string_view, 4> kOfServer = {"content-length", "transfer-encoding",
                                                       "connection", "date"};
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kSecurity = {
    {{"x-content-type-options", "nosniff"}, {"cache-control", "no-store"}}};

/// The date of now, in the form of HTTP.
std::string DateText() {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
                     kDays[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                     kMonths[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                     utc.tm_min, utc.tm_sec);
}

void Append(std::string& text, std::string_view name, std::string_view value) {
  // A value from a handler must not end its line: what follows would be a field of its own.
  const auto is_control = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  };
  if (!IsToken(name)) return;
  text.append(name).append(": ");
  std::ranges::replace_copy_if(value, std::back_inserter(text), is_control, ' ');
  text.append("\r\n");
}

}  // namespace

std::string ResponseHeadText(const util::HttpResponseHead& head, const util::HttpHeaders& more,
                             const Framing& framing) {
  std::string text = fmt::format("HTTP/1.1 {} {}\r\n", head.status, util::HttpReason(head.status));
  for (const auto& [name, value] : head.headers) {
    if (std::ranges::find(kOfServer, name) == kOfServer.end()) Append(text, name, value);
  }
  for (const auto& [name, value] : more) Append(text, name, value);
  for (const auto& [name, value] : kSecurity) {
    if (std::ranges::find(head.headers, name, &util::HttpHeaders::value_type::first) ==
        head.headers.end())
      Append(text, name, value);
  }
  Append(text, "date", DateText());
  if (HasBody(head.status)) {
    if (framing.content_length) {
      Append(text, "content-length", fmt::to_string(*framing.content_length));
    } else if (!framing.http_1_0) {
      Append(text, "transfer-encoding", "chunked");
    }
  }
  if (!framing.keep_alive) Append(text, "connection", "close");
  text.append("\r\n");
  return text;
}

std::string ChunkText(const std::string& piece) {
  return fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
}

bool HasBody(int status) { return status >= 200 && status != 204 && status != 304; }

}  // namespace todo::edge
