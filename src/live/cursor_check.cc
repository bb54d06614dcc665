#include "live/cursor_check.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "util/log.h"

namespace todo::live {
namespace {

/// The index in `cursors` of `cursor`, which is added unless it is among the last few that belong
/// to the same user, from `first` on. Watches of one user rarely have more cursors than that.
std::size_t IndexOf(std::vector<ports::CursorOfUser>& cursors, std::size_t first,
                    const domain::UserId& user, domain::ChangeCursor cursor) {
  constexpr std::size_t kLookBack = 8;
  const std::size_t size = cursors.size();
  first = std::max(first, size - std::min(size, kLookBack));
  for (std::size_t i = size; i-- > first;) {
    if (cursors[i].cursor == cursor) return i;
  }
  cursors.push_back({user, std::move(cursor)});
  return size;
}

}  // namespace

CursorCheck::CursorCheck(ports::LiveLog& log, Audiences& audiences, Counters& counters,
                         OutageLog& outages)
    : log_(log), audiences_(audiences), counters_(counters), outages_(outages) {}

void CursorCheck::CheckAll() {
  asked_.Lock()->clear();
  const std::vector<Audiences::List> audiences = audiences_.All();
  KeepAlive(audiences, true);
  Check(audiences);
  KeepAlive(audiences, false);
}

void CursorCheck::KeepAlive(const std::vector<Audiences::List>& audiences, bool head_may_come) {
  for (const Audiences::List& watches : audiences) {
    for (const auto& watch : *watches) watch->KeepAlive(head_may_come);
  }
}

void CursorCheck::CheckAsked() {
  std::set<domain::UserId> asked;
  asked_.Lock()->swap(asked);
  std::vector<Audiences::List> audiences;
  for (const domain::UserId& user : asked) {
    if (auto watches = audiences_.Find(user)) audiences.push_back(std::move(watches));
  }
  Check(audiences);
}

void CursorCheck::Check(const std::vector<Audiences::List>& audiences) {
  std::vector<ports::CursorOfUser> cursors;
  std::vector<Subject> subjects;
  for (const Audiences::List& watches : audiences) {
    std::size_t first = cursors.size();
    for (const auto& watch : *watches) {
      std::optional<domain::ChangeCursor> cursor = watch->checkable();
      if (!cursor) continue;
      if (cursors.size() >= ports::LiveLog::kMaxChecked) {
        CheckChunk(cursors, subjects);
        cursors.clear();
        subjects.clear();
        first = 0;
      }
      subjects.push_back({watch, IndexOf(cursors, first, watch->user(), *std::move(cursor))});
    }
  }
  CheckChunk(cursors, subjects);
}

void CursorCheck::CheckChunk(const std::vector<ports::CursorOfUser>& cursors,
                             const std::vector<Subject>& subjects) {
  if (cursors.empty()) return;
  ++counters_.checks;
  const auto answers = log_.Check(cursors);
  outages_.Note(answers.status(), "check cursors");
  if (!answers.ok()) {
    ++counters_.failed_queries;
    return;
  }
  if (answers->size() != cursors.size()) {
    util::Log(util::Severity::kError, "live_check_broken",
              {{"asked", cursors.size()}, {"answered", answers->size()}});
    return;
  }
  for (const Subject& subject : subjects) {
    const ports::CursorOfUser& asked = cursors[subject.index];
    if (subject.watch->TakeCheck(asked.cursor, (*answers)[subject.index])) Ask(asked.user);
  }
}

}  // namespace todo::live
