#include "app/config/setting.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <limits>

namespace todo::app {
namespace {

using std::chrono::milliseconds;

struct Unit {
  std::string_view suffix;
  std::int64_t milliseconds_count;
};
constexpr Unit kUnits[] = {{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};

/// Sets `endpoint` to the host:port in `text`. Returns the fault of `text`; empty: none.
std::string SetEndpoint(std::string& endpoint, std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with("https://") || rest.find("tls=true") != std::string_view::npos) {
    return "asks for TLS; the sidecar is expected on this machine, without TLS, as host:port";
  }
  for (const std::string_view scheme : {"http://", "grpc://", "dns:///", "dns:"}) {
    if (rest.starts_with(scheme)) {
      rest.remove_prefix(scheme.size());
      break;
    }
  }
  rest = rest.substr(0, rest.find_first_of("/?"));
  const std::size_t colon = rest.rfind(':');
  int port = 0;
  if (colon == std::string_view::npos || colon == 0 ||
      std::from_chars(rest.data() + colon + 1, rest.data() + rest.size(), port).ptr !=
          rest.data() + rest.size() ||
      port < 1 || port > 65'535) {
    return fmt::format("is {}; it must be host:port", Quoted(text));
  }
  endpoint = rest;
  return "";
}

}  // namespace

std::string VariableOfFlag(std::string_view name) {
  std::string variable = fmt::format("TODO_{}", name);
  for (char& c : variable)
    c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return variable;
}

std::string VariableOf(const Setting& setting) {
  return setting.secret_variable.empty() ? VariableOfFlag(setting.name) : setting.secret_variable;
}

const std::string& NameOf(const Setting& setting) {
  return setting.secret_variable.empty() ? setting.name : setting.secret_variable;
}

std::optional<milliseconds> ParseDuration(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const auto* unit = std::ranges::find(kUnits, suffix, &Unit::suffix);
  if (error != std::errc() || unit == std::end(kUnits) || count < 0 ||
      count > std::numeric_limits<std::int64_t>::max() / unit->milliseconds_count) {
    return std::nullopt;
  }
  return milliseconds(count * unit->milliseconds_count);
}

std::string FormatDuration(milliseconds duration) {
  for (const Unit& unit : kUnits) {
    if (duration.count() % unit.milliseconds_count == 0) {
      return fmt::format("{}{}", duration.count() / unit.milliseconds_count, unit.suffix);
    }
  }
  return "";
}

std::vector<std::string> SplitList(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const std::string_view part = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), part.size() + 1));
    const std::size_t first = part.find_first_not_of(' ');
    if (first == std::string_view::npos) continue;
    parts.emplace_back(part.substr(first, part.find_last_not_of(' ') - first + 1));
  }
  return parts;
}

std::string Quoted(std::string_view text) {
  constexpr std::size_t kMaxQuotedBytes = 60;
  if (text.size() > kMaxQuotedBytes) return fmt::format("\"{}…\"", text.substr(0, kMaxQuotedBytes));
  return fmt::format("\"{}\"", text);
}

Setting Text(std::string name, std::string hint, std::string Config::*field, std::string meaning) {
  return {.name = std::move(name),
          .hint = std::move(hint),
          .meaning = std::move(meaning),
          .set = [field](Config& config, std::string_view text) -> std::string {
            config.*field = text;
            return text.empty() ? "must not be empty" : "";
          },
          .show = [field](const Config& config) { return config.*field; }};
}

Setting Address(std::string name, std::string Config::*field, std::string meaning) {
  Setting setting = Text(std::move(name), "ADDRESS", field, std::move(meaning));
  setting.set = [field](Config& config, std::string_view text) -> std::string {
    config.*field = text;
    std::array<unsigned char, sizeof(in6_addr)> unused{};
    if (text == "localhost" || inet_pton(AF_INET, (config.*field).c_str(), unused.data()) == 1 ||
        inet_pton(AF_INET6, (config.*field).c_str(), unused.data()) == 1) {
      return "";
    }
    return fmt::format("is {}; it must be an IP address or localhost", Quoted(text));
  };
  return setting;
}

Setting Number(std::string name, int Config::*field, int min, int max, std::string meaning) {
  return {.name = std::move(name),
          .hint = "N",
          .meaning = std::move(meaning),
          .set = [=](Config& config, std::string_view text) -> std::string {
            int value = 0;
            const auto [end, error] =
                std::from_chars(text.data(), text.data() + text.size(), value);
            if (error != std::errc() || end != text.data() + text.size() || value < min ||
                value > max) {
              const bool link = text.starts_with("tcp://");
              return fmt::format(
                  "is {}; it must be a whole number from {} to {}{}", Quoted(text), min, max,
                  link ? " (Kubernetes sets such values for a Service whose name fits: set "
                         "enableServiceLinks: false in the pod)"
                       : "");
            }
            config.*field = value;
            return "";
          },
          .show = [field](const Config& config) { return fmt::format("{}", config.*field); }};
}

Setting Boolean(std::string name, bool Config::*field, std::string meaning) {
  return {.name = std::move(name),
          .hint = "true|false",
          .meaning = std::move(meaning),
          .set = [field](Config& config, std::string_view text) -> std::string {
            if (text != "true" && text != "false") {
              return fmt::format("is {}; it must be true or false", Quoted(text));
            }
            config.*field = text == "true";
            return "";
          },
          .show = [field](const Config& config) { return fmt::format("{}", config.*field); },
          .is_boolean = true};
}

Setting Duration(std::string name, milliseconds Config::*field, milliseconds min, milliseconds max,
                 std::string meaning) {
  return {.name = std::move(name),
          .hint = "DURATION",
          .meaning = std::move(meaning),
          .set = [=](Config& config, std::string_view text) -> std::string {
            const std::optional<milliseconds> duration = ParseDuration(text);
            if (!duration || *duration < min || *duration > max) {
              return fmt::format(
                  "is {}; it must be a duration with its unit (ms, s, m, h) from {} to {}",
                  Quoted(text), FormatDuration(min), FormatDuration(max));
            }
            config.*field = *duration;
            return "";
          },
          .show = [field](const Config& config) { return FormatDuration(config.*field); }};
}

Setting Secret(std::string variable, std::string Config::*field, std::string meaning) {
  Setting setting = Text("", "", field, std::move(meaning));
  setting.set = [field](Config& config, std::string_view text) -> std::string {
    config.*field = text;
    // A token is sent as gRPC metadata.
    const bool sendable = std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
    return sendable
               ? ""
               : "holds spaces, line breaks or other characters that cannot be sent in a header";
  };
  setting.show = [field](const Config& config) { return (config.*field).empty() ? "" : "***"; };
  setting.secret_variable = std::move(variable);
  return setting;
}

Setting Endpoint(std::string name, std::string Config::*field, std::string meaning) {
  Setting setting = Text(std::move(name), "HOST:PORT", field, std::move(meaning));
  setting.set = [field](Config& config, std::string_view text) {
    return SetEndpoint(config.*field, text);
  };
  return setting;
}

}  // namespace todo::app
