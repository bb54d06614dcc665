#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "page/file.h"

namespace todo::page {
namespace {

using testing::HasSubstr;

const File* Find(std::string_view path) {
  const auto files = EmbeddedFiles();
  const auto found = std::ranges::find(files, path, &File::path);
  return found == files.end() ? nullptr : &*found;
}

TEST(EmbeddedFilesTest, AreOrderedByPath) {
  EXPECT_TRUE(std::ranges::is_sorted(EmbeddedFiles(), {}, &File::path));
}

TEST(EmbeddedFilesTest, HaveThePageAndItsLibraries) {
  for (const char* path : {"/index.html", "/app.js", "/sw.js", "/manifest.webmanifest",
                           "/lib/preact.js", "/lib/uplot.js", "/lib/uplot.css"}) {
    const File* const file = Find(path);
    ASSERT_NE(file, nullptr) << path;
    EXPECT_FALSE(file->body.empty()) << path;
    EXPECT_TRUE(file->etag.starts_with("W/\"")) << path;
  }
  const File& library = *Find("/lib/preact.js");
  EXPECT_EQ(library.type, "text/javascript; charset=utf-8");
  EXPECT_LT(library.gzip.size(), library.body.size() / 2);
  EXPECT_EQ(library.gzip.substr(0, 2), "\x1f\x8b");
}

TEST(EmbeddedFilesTest, HaveTheLicencesOfAllThatIsInTheLibraries) {
  const File* const licences = Find("/lib/licences.txt");
  ASSERT_NE(licences, nullptr);
  EXPECT_THAT(licences->body, HasSubstr("Apache License"));
  EXPECT_THAT(licences->body, HasSubstr("Copyright (c) 2015-present Jason Miller"));
  EXPECT_THAT(licences->body, HasSubstr("Leon Sorokin"));
}

}  // namespace
}  // namespace todo::page
