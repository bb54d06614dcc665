#include "live/reader.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "domain/event/event_writer.h"
#include "domain/event/live_change.h"
#include "domain/task/task.h"
#include "util/status.h"

namespace todo::live {
namespace {

// The least number of changes that a log can be asked for, where only the head counts.
constexpr int kHeadOnly = 1;

/// The size of the task's JSON; a little more for a short task, whose JSON is not made for this.
std::size_t JsonBytesOf(const domain::Task& task) {
  constexpr std::size_t kLongestEscape = 6;  // of one byte
  constexpr std::size_t kOtherBytes = 1'200;
  constexpr std::size_t kShortTask = 2'500;
  const domain::TaskFields& fields = task.fields;
  std::size_t text = task.user.value.size() + fields.title.size() + fields.time_zone.size();
  if (fields.description) text += fields.description->size();
  for (const std::string& tag : fields.tags) text += tag.size();
  const std::size_t bound = kLongestEscape * text + kOtherBytes;
  if (bound <= kShortTask && !task.series) return bound;
  return domain::FormatTaskJson(task).size();
}

struct Fitting {
  int count = 0;
  std::size_t bytes = 0;
};

/// The first tasks whose JSON has at most `max_bytes` together; the first one in any case.
Fitting FindFitting(const std::vector<domain::Task>& tasks, std::size_t max_bytes) {
  Fitting fitting;
  for (const domain::Task& task : tasks) {
    const std::size_t bytes = JsonBytesOf(task);
    if (fitting.count > 0 && fitting.bytes + bytes > max_bytes) break;
    ++fitting.count;
    fitting.bytes += bytes;
  }
  return fitting;
}

}  // namespace

Reader::Reader(ports::LiveLog& log, ports::TaskStore& tasks, Workplace& workplace,
               Counters& counters, OutageLog& outages, const FeedOptions& options)
    : log_(log),
      tasks_(tasks),
      workplace_(workplace),
      counters_(counters),
      outages_(outages),
      options_(options) {}

void Reader::ReadMissed(std::shared_ptr<Watch> watch, const MissedWanted& wanted) {
  const Query query{watch->user(), wanted.cursor, wanted.head_only};
  {
    auto waiting = waiting_.Lock();
    const auto [place, is_new] = waiting->try_emplace(query, Waiting{{}, NewBackoff()});
    place->second.watches.push_back(std::move(watch));
    if (!is_new) return;
  }
  const auto task = [this, query] { RunQuery(query); };
  if (wanted.may_wait) {
    workplace_.RunAfter(options_.gap_patience, query.user, task);
  } else {
    workplace_.Run(query.user, task);
  }
}

void Reader::RunQuery(const Query& query) {
  Waiting waiting{{}, NewBackoff()};
  {
    auto all = waiting_.Lock();
    auto node = all->extract(query);
    if (node.empty()) return;
    waiting = std::move(node.mapped());
  }
  // From here on, watches that want the same wait for a query of their own.
  std::erase_if(waiting.watches, [](const auto& watch) { return !watch->BeginRead(); });
  if (waiting.watches.empty()) return;
  const absl::StatusOr<Missed> missed =
      Ask(query.user, query.cursor, query.head_only ? kHeadOnly : options_.max_missed_changes);
  outages_.Note(missed.status(), "read missed changes");
  if (!missed.ok()) {
    ++counters_.failed_queries;
    return Postpone(query, std::move(waiting));
  }
  for (const auto& watch : waiting.watches) watch->TakeMissed(*missed);
}

absl::StatusOr<Missed> Reader::Ask(const domain::UserId& user, const domain::ChangeCursor& cursor,
                                   int max_changes) {
  ++counters_.reads;
  absl::StatusOr<ports::MissedChanges> read =
      log_.ReadMissed(user, cursor, max_changes, options_.max_missed_bytes);
  if (!read.ok()) return read.status();
  Missed missed{.head = std::move(read->head),
                .cursor_known = read->cursor_known,
                .complete = read->complete,
                .changes = {}};
  missed.changes.reserve(read->changes.size());
  std::int64_t seq = cursor.seq;
  for (domain::Change& change : read->changes) {
    if (change.seq != ++seq) {  // a log with a hole is usable up to it
      missed.complete = false;
      break;
    }
    missed.changes.push_back(std::make_shared<const domain::LiveChange>(std::move(change)));
  }
  return missed;
}

void Reader::Postpone(const Query& query, Waiting waiting) {
  const std::chrono::milliseconds delay = waiting.backoff.Next();
  {
    auto all = waiting_.Lock();
    const auto found = all->find(query);
    if (found != all->end()) {  // others wait already, and their task comes
      std::vector<std::shared_ptr<Watch>>& watches = found->second.watches;
      std::move(waiting.watches.begin(), waiting.watches.end(), std::back_inserter(watches));
      return;
    }
    all->emplace(query, std::move(waiting));
  }
  workplace_.RunAfter(delay, query.user, [this, query] { RunQuery(query); });
}

void Reader::ReadPage(std::shared_ptr<Watch> watch) {
  const domain::UserId& user = watch->user();
  workplace_.Run(user, [this, watch = std::move(watch)] { RunPage(watch, NewBackoff()); });
}

void Reader::RunPage(const std::shared_ptr<Watch>& watch, util::Backoff backoff) {
  const std::optional<WatchState::PagePlan> plan = watch->BeginPage(options_.page_size);
  if (!plan) return;
  absl::StatusOr<Page> page = AskPage(watch->user(), *plan);
  outages_.Note(page.status(), "read a page of tasks");
  if (page.ok()) return watch->TakePage(std::move(page->tasks), page->after, page->next_limit);
  ++counters_.failed_queries;
  const std::chrono::milliseconds delay = backoff.Next();
  workplace_.RunAfter(delay, watch->user(), [this, watch, backoff] { RunPage(watch, backoff); });
}

absl::StatusOr<Reader::Page> Reader::ListPart(const domain::UserId& user, ports::TaskQuery query) {
  for (;;) {
    TODO_ASSIGN_OR_RETURN(ports::TaskPage tasks, tasks_.List(user, query));
    const auto [fitting, bytes] = FindFitting(tasks.tasks, options_.max_part_bytes);
    if (fitting == static_cast<int>(tasks.tasks.size())) {
      // The next tasks are probably as long. When they are shorter, the pages grow again.
      const bool has_room = bytes < options_.max_part_bytes / 2;
      return Page{std::move(tasks), has_room ? 2 * query.limit : query.limit, {}};
    }
    query.limit = fitting;  // read again, for the cursor behind the last of them
  }
}

absl::StatusOr<Reader::Page> Reader::AskPage(const domain::UserId& user,
                                             const WatchState::PagePlan& plan) {
  ++counters_.page_reads;
  TODO_ASSIGN_OR_RETURN(Page page, ListPart(user, plan.query));
  if (page.tasks.next_cursor.empty()) {
    TODO_ASSIGN_OR_RETURN(page.after, Ask(user, plan.snapshot, options_.max_missed_changes));
    if (!page.after.cursor_known || page.after.complete) return page;
  }
  // Either other pages follow, or more changes than one read answers.
  TODO_ASSIGN_OR_RETURN(page.after, Ask(user, plan.seen, kHeadOnly));
  page.after.changes.clear();
  page.after.complete = false;
  return page;
}

}  // namespace todo::live
