#include "contract/contract_support.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace todo::contract {

using domain::ChangeKind;

domain::Uuid NewUuid() {
  static std::atomic<std::uint64_t> count{0};
  return *domain::Uuid::Parse(fmt::format("01890000-0000-7000-8000-{:012x}", ++count));
}

domain::Instant At(std::string_view text) {
  const absl::StatusOr<domain::Instant> instant = domain::ParseInstant(text);
  EXPECT_TRUE(instant.ok()) << text;
  return instant.value_or(domain::Instant{});
}

ports::Mutation Create(const domain::UserId& user, const std::string& title) {
  ports::Mutation mutation;
  mutation.kind = ChangeKind::kCreated;
  mutation.user = user;
  mutation.fields.title = title;
  mutation.request_id = NewRequestId();
  mutation.fingerprint = "create " + title.substr(0, 20);
  mutation.event_id = NewEventId();
  mutation.now = At("2026-03-01T09:00:00.25Z");
  return mutation;
}

ports::Mutation CreateRecurring(const domain::UserId& user, const std::string& title) {
  ports::Mutation mutation = Create(user, title);
  mutation.fields.due = DueAt("2026-03-02T09:00:00Z");
  mutation.fields.recurrence_rule = "FREQ=DAILY";
  mutation.series = PositionOf(NewUuid(), 1);
  return mutation;
}

ports::Mutation ChangeOf(ChangeKind kind, const domain::Task& task) {
  ports::Mutation mutation;
  mutation.kind = kind;
  mutation.user = task.user;
  mutation.task_id = task.id;
  mutation.request_id = NewRequestId();
  mutation.fingerprint = fmt::format("{} {}", domain::ToString(kind), task.id.value);
  mutation.event_id = NewEventId();
  mutation.now = At("2026-03-01T10:00:00Z");
  return mutation;
}

ports::Mutation Rename(const domain::Task& task, const std::string& title) {
  ports::Mutation mutation = ChangeOf(ChangeKind::kUpdated, task);
  mutation.patch.title = title;
  return mutation;
}

domain::SeriesPosition PositionOf(const domain::Uuid& series_id, std::int64_t occurrence) {
  domain::SeriesPosition position;
  position.series_id = series_id;
  position.occurrence = occurrence;
  position.anchor = absl::CivilSecond(2026, 3, 2, 9, 0, 0);
  position.scheduled = position.anchor + 86400 * (occurrence - 1);
  return position;
}

domain::Due DueAt(std::string_view instant) {
  domain::Due due;
  due.kind = domain::DueKind::kInstant;
  due.at = At(instant);
  return due;
}

void InParallel(int count, const std::function<void(int)>& work) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&work, i] { work(i); });
}

std::vector<domain::Change> AllChanges(ports::TaskStore& store, const domain::UserId& user) {
  std::vector<domain::Change> all;
  for (;;) {
    const std::int64_t seen = all.empty() ? 0 : all.back().seq;
    auto page = store.ListChanges(user, {.after_seq = seen, .limit = 500});
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok() || page->changes.empty()) return all;
    all.insert(all.end(), page->changes.begin(), page->changes.end());
  }
}

}  // namespace todo::contract
