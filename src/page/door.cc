#include "page/door.h"

#include <algorithm>
#include <array>
#include <utility>

#include "page/request_fields.h"
#include "util/http_problem.h"

namespace todo::page {
namespace {

constexpr std::string_view kSettingsPath = "/settings.json";
constexpr std::string_view kWorkerPath = "/sw.js";

/// The addresses of the views. The script of index.html shows the one that the path names.
constexpr std::array<std::string_view, 13> kViews = {
    "/",      "/today", "/upcoming",      "/all",         "/done",     "/search",   "/chat",
    "/usage", "/about", "/notifications", "/preferences", "/operator", "/signed-in"};
/// Views with one more part: a name, an id.
constexpr std::array<std::string_view, 2> kViewsOfOne = {"/tag/", "/task/"};

bool IsView(std::string_view path) {
  if (std::ranges::find(kViews, path) != kViews.end()) return true;
  return std::ranges::any_of(kViewsOfOne, [path](std::string_view prefix) {
    return path.starts_with(prefix) && path.size() > prefix.size() &&
           path.find('/', prefix.size()) == std::string_view::npos;
  });
}

/// No device is of use to the page, so that no script can ask for one.
constexpr const char* kPermissions =
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()";

/// Policies count in the document or worker that an answer becomes. Scripts and styles that a
/// document loads are under its own; without theirs, the first visit is a quarter shorter.
bool IsPartOfDocument(const File& file) {
  return file.path != kWorkerPath &&
         (file.type.starts_with("text/javascript") || file.type.starts_with("text/css"));
}

util::HttpResponse SettingsAnswer(const Settings& settings) {
  return {.status = 200,
          .headers = {{"content-type", "application/json"}, {"cache-control", "no-cache"}},
          .body = SettingsJson(settings)};
}

util::HttpResponse FileAnswer(const File& file, const util::HttpRequestHead& head) {
  util::HttpHeaders headers = {
      {"etag", std::string(file.etag)}, {"cache-control", "no-cache"}, {"vary", "accept-encoding"}};
  if (NamesTag(head.All("if-none-match"), file.etag))
    return {.status = 304, .headers = std::move(headers)};
  headers.emplace_back("content-type", file.type);
  if (file.gzip.empty() || !AcceptsGzip(head.All("accept-encoding")))
    return {.status = 200, .headers = std::move(headers), .body = std::string(file.body)};
  headers.emplace_back("content-encoding", "gzip");
  return {.status = 200, .headers = std::move(headers), .body = std::string(file.gzip)};
}

}  // namespace

std::string ContentPolicy(const std::vector<std::string>& connect_origins) {
  std::string connect = "'self'";
  for (const std::string& origin : connect_origins) connect += " " + origin;
  return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
         "connect-src " +
         connect +
         "; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
         "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types todo-page";
}

Door::Door(std::span<const File> files, DoorOptions options)
    : files_(files),
      settings_(std::move(options.settings)),
      policy_(ContentPolicy(options.connect_origins)) {}

util::HttpDecision Door::Decide(const util::HttpRequestHead& head) {
  const File* const file = Find(IsView(head.path) ? "/index.html" : std::string_view(head.path));
  util::HttpResponse answer = Answer(head, file);
  const auto add = [&answer](const char* name, std::string value) {
    answer.headers.emplace_back(name, std::move(value));
  };
  add("cross-origin-resource-policy", "same-origin");
  add("referrer-policy", "no-referrer");
  if (file != nullptr && IsPartOfDocument(*file)) return answer;
  add("content-security-policy", policy_);
  add("cross-origin-opener-policy", "same-origin");
  add("permissions-policy", kPermissions);
  return answer;
}

const File* Door::Find(std::string_view path) const {
  const auto found = std::ranges::lower_bound(files_, path, {}, &File::path);
  return found == files_.end() || found->path != path ? nullptr : &*found;
}

util::HttpResponse Door::Answer(const util::HttpRequestHead& head, const File* file) const {
  if (file == nullptr && head.path != kSettingsPath)
    return util::HttpProblem(404, "there is nothing here");
  if (head.method != "GET" && head.method != "HEAD") {
    util::HttpResponse refusal = util::HttpProblem(405, "only GET and HEAD");
    refusal.headers.emplace_back("allow", "GET, HEAD");
    return refusal;
  }
  return file == nullptr ? SettingsAnswer(settings_()) : FileAnswer(*file, head);
}

}  // namespace todo::page
