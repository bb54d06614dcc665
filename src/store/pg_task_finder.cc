#include "store/pg_task_finder.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "store/list_query.h"
#include "store/session.h"
#include "store/task_columns.h"
#include "util/unicode.h"
#include "util/utf8.h"

namespace todo::store {
namespace {

using ports::FoundTask;

/// Longer questions are cut. A title is not longer.
constexpr std::size_t kMaxBytes = 2'000;
/// So many words choose the candidates; all words are compared.
constexpr std::size_t kMaxPatterns = 16;

// A configuration that is not there, and one that drops all the words, counts as simple.
constexpr Statement kWords{"find_words", R"sql(
select c.config::text, array_to_json(w.telling), array_to_json(w.small)
from (select c.oid::regconfig as config, 1 as place from pg_ts_config c
      where c.cfgname = $1 and pg_ts_config_is_visible(c.oid)
      union all select 'simple', 2) c, words_of(c.config, $2) w
where c.place = 2 or w.telling <> '{}'
order by c.place limit 1)sql"};

// Candidates (id, likeness, rank) come before this text. A hundred are compared: those of the
// highest rank, open before completed, and with the shortest titles. Parsing a text costs much, so
// each is parsed only where it can count.
constexpr std::string_view kCompared = R"sql(
, best as (
    select t.id, s.title, s.description, c.likeness
    from candidates c
    join tasks t on t.user_id = $1 and t.id = c.id
    join lateral (select split_part(x.search_text, chr(1), 1) as title, split_part(x.search_text, chr(1), 2) as description
                  from task_texts x where x.user_id = $1 and x.id = c.id) s on true
    where t.deleted_at is null and ($3::boolean is null or t.completed = $3)
    order by s.title = $2 desc, c.rank desc, t.completed, octet_length(s.title), t.id
    limit 100)
select task_json(t), b.likeness, array_to_json(w.telling),
       case when w.telling @> $5 and w.telling <@ $5 then array_to_json((words_of($4::regconfig, b.title)).small) end,
       case when not w.telling @> $5 then
           array_to_json(tsvector_to_array(
               to_tsvector($4::regconfig, b.description || ' ' || lower(array_to_string(t.tags, ' ')))))
       end
from best b
join tasks t on t.user_id = $1 and t.id = b.id
cross join lateral (select tsvector_to_array(to_tsvector($4::regconfig, b.title)) as telling) w)sql";

// The longest word goes to the index alone.
constexpr std::string_view kWithAllWords = R"sql(
with candidates as (
    select s.id, 0::real as likeness,
           (x.title like $6 and x.title like all ($7::text[]))::int as rank
    from task_texts s cross join lateral (select split_part(s.search_text, chr(1), 1) as title) x
    where s.user_id = $1 and s.search_text like $6 and s.search_text like all ($7::text[])))sql";

constexpr std::string_view kSimilar = R"sql(
with some_words as (
    select x.id, count(*)::real / cardinality($6::text[]) as share
    from unnest($6::text[]) p cross join lateral (
        select s.id from task_texts s where s.user_id = $1 and s.search_text like p limit 2000) x
    group by x.id order by share desc limit 100),
candidates as (
    select a.id, max(a.likeness) as likeness, max(greatest(a.likeness, a.share)) as rank
    from (select id, likeness, 0 as share from similar_texts($1, $2)
          union all select id, 0, share from some_words
          union all (select t.id, 0, 0 from tasks t where t.user_id = $1 and t.tags && $7::text[] limit 100)) a
    group by a.id))sql";

/// The words of a question.
struct Words {
  std::string written;
  std::string folded;
  std::string config;
  domain::WordForms forms;
};

template <typename Strings>
Strings StringsIn(const pqxx::field& json) {
  if (json.is_null()) return {};
  return nlohmann::json::parse(View(json)).get<Strings>();
}

std::string ArrayOf(const std::set<std::string>& texts) {
  return ArrayLiteralOf(texts, [](const std::string& text) { return text; });
}

/// A part that all forms of the word share with its stem, as a pattern. Stems differ from their
/// words at the end: "groceri" is the stem of "groceries" and "grocery".
std::string PatternOf(std::string stem, std::string_view folded) {
  while (!stem.empty() && folded.find(stem) == std::string_view::npos) stem.pop_back();
  constexpr std::size_t kShort = 3;
  if (stem.size() > kShort &&
      std::string_view("aeiouy").find(stem.back()) != std::string_view::npos)
    stem.pop_back();
  while (!stem.empty() && util::CountCharacters(stem) == std::nullopt) stem.pop_back();
  return ContainsPattern(stem);
}

/// The longest first.
std::vector<std::string> PatternsOf(const Words& words) {
  std::vector<std::string> patterns;
  for (const std::string& stem : words.forms.telling)
    patterns.push_back(PatternOf(stem, words.folded));
  std::ranges::sort(patterns, [](const std::string& one, const std::string& other) {
    return one.size() > other.size();
  });
  if (patterns.size() > kMaxPatterns) patterns.resize(kMaxPatterns);
  return patterns;
}

Words WordsOf(pqxx::transaction_base& transaction, const ports::FindQuery& query) {
  Words words;
  words.written = util::CutText(query.words, kMaxBytes);
  std::ranges::replace(words.written, '\0', ' ');
  if (!util::CountCharacters(words.written)) return words;  // not text
  words.folded = util::FoldForSearch(words.written);
  const std::string language = util::CountCharacters(query.language) ? query.language : "simple";
  const pqxx::result result = Exec(transaction, kWords, language, words.folded);
  words.config = result[0][0].as<std::string>();
  words.forms = {.telling = StringsIn<std::set<std::string>>(result[0][1]),
                 .small = StringsIn<std::set<std::string>>(result[0][2])};
  return words;
}

absl::StatusOr<std::vector<FoundTask>> Compare(const Words& words, const pqxx::result& rows) {
  std::vector<FoundTask> found;
  for (const pqxx::row& row : rows) {
    const domain::TaskWords of_task{.title = {.telling = StringsIn<std::set<std::string>>(row[2]),
                                              .small = StringsIn<std::set<std::string>>(row[3])},
                                    .others = StringsIn<std::set<std::string>>(row[4]),
                                    .likeness = row[1].as<double>()};
    const auto match = domain::MatchWords(words.forms, of_task);
    if (!match) continue;
    TODO_ASSIGN_OR_RETURN(domain::Task task, DecodeTask(View(row[0])));
    found.push_back({.task = std::move(task), .fit = match->fit, .score = match->score});
  }
  return found;
}

absl::StatusOr<std::vector<FoundTask>> FindByWords(pqxx::transaction_base& transaction,
                                                   const domain::UserId& user,
                                                   const ports::FindQuery& query,
                                                   const Words& words) {
  const std::vector<std::string> patterns = PatternsOf(words);
  const auto ask = [&](std::string_view candidates, const auto&... chosen) {
    return Compare(words, ExecOnce(transaction, fmt::format("{}{}", candidates, kCompared),
                                   user.value, words.folded, query.completed, words.config,
                                   ArrayOf(words.forms.telling), chosen...));
  };
  TODO_ASSIGN_OR_RETURN(
      std::vector<FoundTask> found,
      ask(kWithAllWords, patterns.front(), ArrayLiteral({patterns.begin() + 1, patterns.end()})));
  if (!found.empty()) return found;
  std::set<std::string> names = words.forms.telling;  // as a tag may be written
  names.insert(words.folded);
  names.insert(words.written);
  return ask(kSimilar, ArrayLiteral(patterns), ArrayOf(names));
}

}  // namespace

absl::StatusOr<std::vector<FoundTask>> PgTaskFinder::Find(const domain::UserId& user,
                                                          const ports::FindQuery& query) {
  using Found = std::vector<FoundTask>;
  return ReadWhileWanted(pool_, query.cancellation, search_timeout_, "find tasks",
                         [&](pqxx::transaction_base& transaction) -> absl::StatusOr<Found> {
                           const Words words = WordsOf(transaction, query);
                           if (words.forms.telling.empty()) return Found();
                           TODO_ASSIGN_OR_RETURN(Found found,
                                                 FindByWords(transaction, user, query, words));
                           std::ranges::sort(found, ports::ComesBefore);
                           const auto limit = static_cast<std::size_t>(query.limit);
                           if (found.size() > limit)
                             found.erase(found.begin() + query.limit, found.end());
                           return found;
                         });
}

}  // namespace todo::store
