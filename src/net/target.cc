#include "net/target.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "util/status.h"

namespace todo::net {
namespace {

constexpr std::size_t kMaxTargetBytes = 2048;

bool IsHostCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_';
}

std::string Part(CURLU* url, CURLUPart part, unsigned flags) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return "";
  std::string copy(text);
  curl_free(text);
  return copy;
}

absl::Status Denied(std::string_view reason) {
  return util::MakeStatus(absl::StatusCode::kPermissionDenied, reason);
}

}  // namespace

void Target::FreeUrl::operator()(Curl_URL* parsed) const { curl_url_cleanup(parsed); }

absl::StatusOr<Target> ParseTarget(std::string_view url) {
  if (url.size() > kMaxTargetBytes)
    return Denied(fmt::format("the URL is longer than {} bytes", kMaxTargetBytes));
  // libcurl would read up to the NUL, and people would see the rest.
  if (url.find('\0') != std::string_view::npos) return Denied("the URL holds a NUL");
  Target target;
  target.url.reset(curl_url());
  const CURLUcode code =
      curl_url_set(target.url.get(), CURLUPART_URL, std::string(url).c_str(), CURLU_DISALLOW_USER);
  if (code == CURLUE_USER_NOT_ALLOWED)
    return Denied("a URL with a user or password is not allowed");
  if (code != CURLUE_OK) return Denied("the URL cannot be read: it must begin with https://");

  const std::string scheme = Part(target.url.get(), CURLUPART_SCHEME, 0);
  if (scheme != "https" && scheme != "http") return Denied("the URL must begin with https://");
  target.encrypted = scheme == "https";
  const std::string host = absl::AsciiStrToLower(Part(target.url.get(), CURLUPART_HOST, 0));
  target.host = host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
  if (target.host.empty()) return Denied("the URL names no host");
  // libcurl converts other letters in a way that depends on the process's locale.
  const bool ipv6 = host.front() == '[';
  if (!ipv6 && !std::all_of(host.begin(), host.end(), IsHostCharacter))
    return Denied("the host's name must be given in its ASCII form (xn--...)");
  const std::string port = Part(target.url.get(), CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
  target.origin = fmt::format("{}://{}{}{}", scheme, host, port.empty() ? "" : ":", port);
  return target;
}

}  // namespace todo::net
