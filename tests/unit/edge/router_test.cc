#include "edge/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>

namespace todo::edge {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Pair;

util::HttpResponse Ask(util::HttpHandler& handler, std::string method, std::string path) {
  util::HttpRequestHead head;
  head.method = std::move(method);
  head.path = std::move(path);
  return std::get<util::HttpResponse>(handler.Decide(head));
}

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    router_.AddPath("/a", a_);
    router_.AddPrefix("/a/", below_a_);
    router_.AddPrefix("/a/b.c/", deeper_);
  }

  Page a_{[] { return util::HttpResponse{.body = "a"}; }};
  Page below_a_{[] { return util::HttpResponse{.body = "below a"}; }};
  Page deeper_{[] { return util::HttpResponse{.body = "deeper"}; }};
  Page rest_{[] { return util::HttpResponse{.body = "rest"}; }};
  Router router_;
};

TEST_F(RouterTest, ChoosesTheExactPathThenTheLongestPrefix) {
  EXPECT_EQ(Ask(router_, "GET", "/a").body, "a");
  EXPECT_EQ(Ask(router_, "GET", "/a/").body, "below a");
  EXPECT_EQ(Ask(router_, "GET", "/a/x/y").body, "below a");
  EXPECT_EQ(Ask(router_, "GET", "/a/b.c/d").body, "deeper");
  EXPECT_EQ(Ask(router_, "GET", "/a/b.c").body, "below a");
}

TEST_F(RouterTest, SaysThatThereIsNothing) {
  for (const char* path : {"/", "/b", "/ab", "*", ""}) {
    const util::HttpResponse answer = Ask(router_, "GET", path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_THAT(answer.headers, Contains(Pair("content-type", "application/problem+json")));
    EXPECT_THAT(answer.body, HasSubstr(R"("title":"Not Found","status":404)"));
  }
  router_.AddPrefix("/", rest_);
  EXPECT_EQ(Ask(router_, "GET", "/b").body, "rest");
}

TEST_F(RouterTest, APageIsOnlyRead) {
  EXPECT_EQ(Ask(router_, "HEAD", "/a").status, 200);
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "get"}) {
    const util::HttpResponse answer = Ask(router_, method, "/a");
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_THAT(answer.headers, Contains(Pair("allow", "GET, HEAD")));
  }
}

}  // namespace
}  // namespace todo::edge
