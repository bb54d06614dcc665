#include "page/request_fields.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace todo::page {
namespace {

using Values = std::vector<std::string>;

TEST(RequestFieldsTest, GzipMustBeAllowed) {
  for (const Values& values :
       {Values{"gzip"}, Values{"gzip, deflate, br"}, Values{"br;q=1.0, GZIP;q=0.5"},
        Values{"identity", "gzip"}, Values{"*"}, Values{"br, *;q=0.1"}, Values{" \tgzip ; q=1 "}})
    EXPECT_TRUE(AcceptsGzip(values)) << values.front();
  for (const Values& values :
       {Values{}, Values{""}, Values{"br"}, Values{"identity"}, Values{"gzip;q=0"},
        Values{"gzip; q=0.000, *"}, Values{"*;q=0"}, Values{"xgzip"}, Values{",;,;q="}})
    EXPECT_FALSE(AcceptsGzip(values)) << (values.empty() ? "" : values.front());
}

TEST(RequestFieldsTest, TagsAreComparedWithoutTheirStrength) {
  const std::string tag = "W/\"abc\"";
  for (const Values& values : {Values{tag}, Values{"\"abc\""}, Values{"W/\"x\", W/\"abc\""},
                               Values{"\"x\"", "\"abc\""}, Values{"*"}})
    EXPECT_TRUE(NamesTag(values, tag)) << values.front();
  for (const Values& values :
       {Values{}, Values{""}, Values{"\"x\""}, Values{"abc"}, Values{"\"ab\",\"c\""}, Values{","}})
    EXPECT_FALSE(NamesTag(values, tag)) << (values.empty() ? "" : values.front());
}

}  // namespace
}  // namespace todo::page
