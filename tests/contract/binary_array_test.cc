#include "store/binary_array.h"

#include <gtest/gtest.h>

namespace todo::store {
namespace {

using namespace std::string_literals;  // NOLINT: texts with zero bytes

const std::string kNull = "\xff\xff\xff\xff"s;

domain::Uuid UuidOf(std::string_view text) { return domain::Uuid::Parse(text).value(); }

TEST(BinaryArrayTest, AnArrayHasItsTypeItsCountAndItsValues) {
  BinaryArray<std::int64_t> array;
  EXPECT_TRUE(array.empty());
  array.Add(258);
  array.Add(-1);
  EXPECT_FALSE(array.empty());
  EXPECT_EQ(array.Encoded(),
            "\0\0\0\1"s                    // dimensions
            "\0\0\0\0"s                    // no nulls
            "\0\0\0\x14"s                  // bigint
            "\0\0\0\2"s                    // values
            "\0\0\0\1"s                    // the first index
            "\0\0\0\x08\0\0\0\0\0\0\1\2"s  //
            "\0\0\0\x08\xff\xff\xff\xff"s +
                kNull);
}

TEST(BinaryArrayTest, AnEmptyArrayHasNoDimensions) {
  EXPECT_EQ(BinaryArray<std::string>().Encoded(), "\0\0\0\0\0\0\0\0\0\0\0\x19"s);
}

TEST(BinaryArrayTest, ARowHasTheTypeAndTheValueOfEachColumn) {
  const BinaryRow row("ab"s, true, std::int16_t{-2},
                      UuidOf("8c0d1a3e-0000-4000-8000-0000000000ff"));
  EXPECT_EQ(row.bytes(),
            "\0\0\0\4"s
            "\0\0\0\x19\0\0\0\2ab"s
            "\0\0\0\x10\0\0\0\1\1"s
            "\0\0\0\x15\0\0\0\2\xff\xfe"s
            "\0\0\x0b\x86\0\0\0\x10\x8c\x0d\x1a\x3e\0\0\x40\0\x80\0\0\0\0\0\0\xff"s);
}

TEST(BinaryArrayTest, TimesAreMicrosecondsSinceTheServersEpoch) {
  const domain::Instant epoch{std::chrono::sys_days{std::chrono::year{2000} / 1 / 1}};
  EXPECT_EQ(BinaryRow(epoch + std::chrono::microseconds(3), absl::CivilSecond(2000, 1, 1, 0, 0, 1))
                .bytes(),
            "\0\0\0\2"s
            "\0\0\4\xa0\0\0\0\x08\0\0\0\0\0\0\0\3"s
            "\0\0\4\x5a\0\0\0\x08\0\0\0\0\0\x0f\x42\x40"s);
}

TEST(BinaryArrayTest, ANullHasItsTypeAndNoValue) {
  EXPECT_EQ(BinaryRow(std::optional<bool>(), std::optional<std::string>("")).bytes(),
            "\0\0\0\2"s
            "\0\0\0\x10"s +
                kNull + "\0\0\0\x19\0\0\0\0"s);
}

TEST(BinaryArrayTest, BytesAndJsonHaveTypesOfTheirOwn) {
  EXPECT_EQ(BinaryRow(Bytea{"\0x"s}, Jsonb{"{}"}).bytes(),
            "\0\0\0\2"s
            "\0\0\0\x11\0\0\0\2\0x"s
            "\0\0\x0e\xda\0\0\0\3\1{}"s);
}

TEST(BinaryArrayTest, ARowMayHoldAnArrayAndAnArrayRows) {
  BinaryArray<std::string> tags;
  tags.Add("a");
  tags.Add("");
  const BinaryRow row(std::vector<std::string>{"a", ""});
  EXPECT_EQ(row.bytes(), "\0\0\0\1\0\0\3\xf1\0\0\0\x1d"s + tags.Encoded());
  BinaryArray<BinaryRow> rows;
  rows.Add(row);
  // The server knows the number of its own type.
  EXPECT_EQ(rows.Encoded(), "\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\x29"s + row.bytes());
}

}  // namespace
}  // namespace todo::store
