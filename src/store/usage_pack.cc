#include "store/usage_pack.h"

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/status/status.h"
#include "util/require.h"

namespace todo::store {
namespace {

using domain::ChangeKind;
using domain::Priority;
using nlohmann::json;

// A pack is: the version, the texts, the number of facts, the facts. Of a fact: the quarters since
// the fact before, a byte of flags, and what the flags announce. Numbers have seven bits in each
// byte, the lowest first; the eighth bit says that another byte follows.
constexpr std::uint64_t kVersion = 1;
constexpr unsigned kKindBits = 0b111;
constexpr unsigned kBorn = 1U << 3;
constexpr unsigned kHasCreated = 1U << 4;
constexpr unsigned kHasDuration = 1U << 5;
constexpr unsigned kPriorityShift = 6;  // 0: not known

class Writer {
 public:
  void Number(std::uint64_t number) {
    for (; number >= 0x80; number >>= 7) bytes_.push_back(static_cast<char>(number | 0x80));
    bytes_.push_back(static_cast<char>(number));
  }
  void Byte(unsigned byte) { bytes_.push_back(static_cast<char>(byte)); }
  void Text(std::string_view text) {
    Number(text.size());
    bytes_ += text;
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// After bytes that are wrong it answers zeros, and is not `ok`.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t Number() {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const unsigned byte = Byte();
      number |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return number;
    }
    return Fail();
  }
  unsigned Byte() {
    if (rest_.empty()) return static_cast<unsigned>(Fail());
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }
  std::string_view Text() {
    const std::uint64_t size = Number();
    if (size > rest_.size()) {
      Fail();
      return {};
    }
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return text;
  }
  /// A number of things that have a byte or more each.
  std::size_t Size() {
    const std::uint64_t size = Number();
    return size <= rest_.size() ? size : Fail();
  }
  /// A number below `end`.
  std::uint32_t Index(std::size_t end) {
    const std::uint64_t index = Number();
    return static_cast<std::uint32_t>(index < end ? index : Fail());
  }
  std::uint64_t Fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

void WriteFact(const UsagePack& pack, const UsageFact& fact, std::int64_t before, Writer& writer) {
  TODO_REQUIRE(fact.quarter >= before);
  writer.Number(static_cast<std::uint64_t>(fact.quarter - before));
  const unsigned priority = fact.priority ? static_cast<unsigned>(*fact.priority) + 1 : 0;
  writer.Byte(static_cast<unsigned>(fact.kind) | (fact.born ? kBorn : 0) |
              (fact.created ? kHasCreated : 0) | (fact.duration ? kHasDuration : 0) |
              priority << kPriorityShift);
  if (fact.created) {
    TODO_REQUIRE(*fact.created <= fact.quarter);
    writer.Number(static_cast<std::uint64_t>(fact.quarter - *fact.created));
  }
  if (fact.duration) {
    TODO_REQUIRE(*fact.duration >= 0);
    writer.Number(static_cast<std::uint64_t>(*fact.duration));
  }
  writer.Number(fact.tags << 1U | (fact.series ? 1U : 0U));
  for (std::size_t i = 0; i < fact.tags; ++i) writer.Number(pack.tags[fact.first_tag + i]);
  if (fact.series) writer.Number(*fact.series);
}

UsageFact ReadFact(Reader& reader, std::int64_t before, UsagePack& pack) {
  UsageFact fact;
  fact.quarter = before + static_cast<std::int64_t>(reader.Number());
  const unsigned flags = reader.Byte();
  fact.kind = static_cast<ChangeKind>(flags & kKindBits);
  fact.born = (flags & kBorn) != 0;
  const unsigned priority = flags >> kPriorityShift;
  if (fact.kind > ChangeKind::kDeleted) reader.Fail();
  if (priority > 0) fact.priority = static_cast<Priority>(priority - 1);
  if ((flags & kHasCreated) != 0)
    fact.created = fact.quarter - static_cast<std::int64_t>(reader.Number());
  if ((flags & kHasDuration) != 0) fact.duration = static_cast<std::int64_t>(reader.Number());
  const std::uint64_t tags_and_series = reader.Number();
  fact.first_tag = pack.tags.size();
  fact.tags = tags_and_series >> 1U;
  for (std::size_t i = 0; i < fact.tags && reader.ok(); ++i)
    pack.tags.push_back(reader.Index(pack.texts.size()));
  if ((tags_and_series & 1U) != 0) fact.series = reader.Index(pack.texts.size());
  return fact;
}

/// Gives each text a number.
class Texts {
 public:
  explicit Texts(UsagePack& pack) : pack_(pack) {}
  std::uint32_t NumberOf(const std::string& text) {
    const auto [entry, is_new] =
        numbers_.emplace(text, static_cast<std::uint32_t>(pack_.texts.size()));
    if (is_new) pack_.texts.push_back(text);
    return entry->second;
  }

 private:
  UsagePack& pack_;
  std::map<std::string, std::uint32_t> numbers_;
};

UsageFact FactIn(const json& row, UsagePack& pack, Texts& texts) {
  const auto maybe = [&](std::size_t i) {
    return row.at(i).is_null() ? std::nullopt : std::optional(row.at(i).get<std::int64_t>());
  };
  UsageFact fact;
  fact.quarter = row.at(0).get<std::int64_t>();
  fact.kind = domain::ParseChangeKind(row.at(1).get<std::string>()).value();
  fact.born = row.at(2).get<bool>();
  fact.created = maybe(3);
  fact.duration = maybe(4);
  if (const auto priority = maybe(5)) fact.priority = static_cast<Priority>(*priority);
  fact.first_tag = pack.tags.size();
  fact.tags = row.at(6).size();
  for (const json& tag : row.at(6)) pack.tags.push_back(texts.NumberOf(tag.get<std::string>()));
  if (!row.at(7).is_null()) fact.series = texts.NumberOf(row.at(7).get<std::string>());
  return fact;
}

}  // namespace

absl::StatusOr<UsagePack> ParseUsageFacts(std::string_view text) {
  UsagePack pack;
  Texts texts(pack);
  try {
    for (const json& row : json::parse(text)) pack.facts.push_back(FactIn(row, pack, texts));
  } catch (const std::exception& error) {
    return absl::InternalError(std::string("usage facts: ") + error.what());
  }
  return pack;
}

std::string EncodeUsagePack(const UsagePack& pack) {
  Writer writer;
  writer.Number(kVersion);
  writer.Number(pack.texts.size());
  for (const std::string& text : pack.texts) writer.Text(text);
  writer.Number(pack.facts.size());
  std::int64_t before = 0;
  for (const UsageFact& fact : pack.facts) {
    WriteFact(pack, fact, before, writer);
    before = fact.quarter;
  }
  return writer.Take();
}

absl::StatusOr<UsagePack> DecodeUsagePack(std::string_view bytes) {
  Reader reader(bytes);
  UsagePack pack;
  if (reader.Number() != kVersion) reader.Fail();
  pack.texts.resize(reader.Size());
  for (std::string& text : pack.texts) text = reader.Text();
  const std::size_t facts = reader.Size();
  pack.facts.reserve(facts);
  std::int64_t before = 0;
  for (std::size_t i = 0; i < facts && reader.ok(); ++i) {
    pack.facts.push_back(ReadFact(reader, before, pack));
    before = pack.facts.back().quarter;
  }
  if (!reader.ok() || !reader.at_end()) return absl::DataLossError("a pack of usage is damaged");
  return pack;
}

}  // namespace todo::store
