#include "page/door.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <variant>

namespace todo::page {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::Pair;

constexpr std::array<File, 3> kSomeFiles = {
    {{"/app.js", "text/javascript; charset=utf-8", "W/\"a\"", "let page;", "packed"},
     {"/icons/i.png", "image/png", "W/\"i\"", "picture", ""},
     {"/index.html", "text/html; charset=utf-8", "W/\"x\"", "<!doctype html>", ""}}};

class DoorTest : public testing::Test {
 protected:
  util::HttpResponse Ask(std::string path, util::HttpHeaders headers = {},
                         std::string method = "GET") {
    util::HttpRequestHead head;
    head.method = std::move(method);
    head.path = std::move(path);
    head.headers = std::move(headers);
    return std::get<util::HttpResponse>(door_.Decide(head));
  }

  Settings settings_{.identity = "oidc",
                     .issuer = "https://id.example.org/a",
                     .client_id = "todo-page",
                     .scopes = "openid",
                     .parameters = {{"audience", "todo"}},
                     .operator_claim = "roles",
                     .operator_values = {"todo-operator"},
                     .vapid_key = "",
                     .version = "1.2.3"};
  Door door_{kSomeFiles,
             {.connect_origins = {"https://id.example.org", "https://token.example.org:8443"},
              .settings = [this] { return settings_; }}};
};

TEST_F(DoorTest, SendsAFileInTheFormThatTheClientTakes) {
  const util::HttpResponse plain = Ask("/app.js");
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(plain.body, "let page;");
  EXPECT_THAT(
      plain.headers,
      AllOf(Contains(Pair("content-type", "text/javascript; charset=utf-8")),
            Contains(Pair("etag", "W/\"a\"")), Contains(Pair("cache-control", "no-cache")),
            Contains(Pair("vary", "accept-encoding")), Not(Contains(Key("content-encoding")))));
  const util::HttpResponse packed = Ask("/app.js", {{"accept-encoding", "gzip, br"}});
  EXPECT_EQ(packed.body, "packed");
  EXPECT_THAT(packed.headers, Contains(Pair("content-encoding", "gzip")));
  const util::HttpResponse never_packed = Ask("/icons/i.png", {{"accept-encoding", "gzip"}});
  EXPECT_EQ(never_packed.body, "picture");
  EXPECT_THAT(never_packed.headers, Not(Contains(Key("content-encoding"))));
}

TEST_F(DoorTest, AnswersAKnownFileWithoutItsBody) {
  const util::HttpResponse known = Ask("/app.js", {{"if-none-match", "\"b\", W/\"a\""}});
  EXPECT_EQ(known.status, 304);
  EXPECT_THAT(known.body, IsEmpty());
  EXPECT_THAT(known.headers,
              AllOf(Contains(Pair("etag", "W/\"a\"")), Contains(Pair("cache-control", "no-cache")),
                    Not(Contains(Key("content-type")))));
  EXPECT_EQ(Ask("/app.js", {{"if-none-match", "W/\"b\""}}).status, 200);
}

TEST_F(DoorTest, EveryViewBeginsWithTheSameFile) {
  for (const char* path : {"/", "/today", "/upcoming", "/all", "/done", "/tag/home", "/tag/a%2Fb",
                           "/search", "/task/42", "/chat", "/usage", "/notifications",
                           "/preferences", "/operator", "/about", "/signed-in", "/index.html"})
    EXPECT_EQ(Ask(path).body, "<!doctype html>") << path;
}

TEST_F(DoorTest, EverythingElseIsNotThere) {
  for (const char* path : {"/today/", "/tag", "/tag/", "/tag/a/b", "/task/", "/app", "/app.js/",
                           "/App.js", "//", "/../app.js", "/icons/../app.js", "/%61pp.js", "/icons",
                           "/icons/", "*", "", "/zz", "/settings.json/", "/app.js%00"}) {
    const util::HttpResponse answer = Ask(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_THAT(answer.headers, Contains(Pair("content-type", "application/problem+json")));
  }
  EXPECT_EQ(Ask("/nothing", {}, "POST").status, 404);
}

TEST_F(DoorTest, IsOnlyRead) {
  EXPECT_EQ(Ask("/app.js", {}, "HEAD").body, "let page;") << "the server leaves the body out";
  for (const char* path : {"/", "/app.js", "/settings.json"}) {
    const util::HttpResponse answer = Ask(path, {}, "POST");
    EXPECT_EQ(answer.status, 405) << path;
    EXPECT_THAT(answer.headers, Contains(Pair("allow", "GET, HEAD")));
  }
}

TEST_F(DoorTest, EveryDocumentHasThePolicy) {
  const std::string policy =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src "
      "'self' https://id.example.org https://token.example.org:8443; manifest-src 'self'; "
      "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
      "require-trusted-types-for 'script'; trusted-types todo-page";
  for (const char* path : {"/", "/icons/i.png", "/settings.json", "/nothing"}) {
    EXPECT_THAT(Ask(path).headers,
                AllOf(Contains(Pair("content-security-policy", policy)),
                      Contains(Pair("cross-origin-opener-policy", "same-origin")),
                      Contains(Pair("cross-origin-resource-policy", "same-origin")),
                      Contains(Pair("permissions-policy", HasSubstr("camera=()"))),
                      Contains(Pair("referrer-policy", "no-referrer"))))
        << path;
  }
  EXPECT_THAT(Ask("/app.js").headers, AllOf(Not(Contains(Key("content-security-policy"))),
                                            Contains(Pair("referrer-policy", "no-referrer"))))
      << "a script is under the policy of its document";
  EXPECT_THAT(ContentPolicy({}), HasSubstr("; connect-src 'self'; "));
}

TEST_F(DoorTest, TheSettingsAreThoseOfTheMoment) {
  const util::HttpResponse first = Ask("/settings.json");
  EXPECT_EQ(first.status, 200);
  EXPECT_THAT(first.headers, AllOf(Contains(Pair("content-type", "application/json")),
                                   Contains(Pair("cache-control", "no-cache"))));
  EXPECT_EQ(nlohmann::json::parse(first.body),
            nlohmann::json::parse(R"({"identity": "oidc", "issuer": "https://id.example.org/a",
              "clientId": "todo-page", "scopes": "openid",
              "parameters": {"audience": "todo"}, "operatorClaim": "roles",
              "operatorValues": ["todo-operator"], "vapidKey": "", "version": "1.2.3"})"));
  settings_.vapid_key = "BKey";
  settings_.client_id = "\xff";
  const auto later = nlohmann::json::parse(Ask("/settings.json").body);
  EXPECT_EQ(later["vapidKey"], "BKey");
  EXPECT_EQ(later["clientId"], "\xEF\xBF\xBD");
}

}  // namespace
}  // namespace todo::page
