#include "contract/task_store_contract.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <tuple>
#include <utility>

#include "domain/event/event_reader.h"
#include "support/status_matchers.h"
#include "util/status.h"

namespace todo::contract {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TaskStoreContract);

using absl::StatusCode;
using domain::Change;
using domain::ChangeKind;
using domain::Priority;
using domain::Task;
using domain::TaskId;
using ports::Mutation;
using ports::MutationResult;
using ports::TaskOrder;
using ports::TaskQuery;
using support::HasReason;
using support::IsOk;
using support::StatusIs;
using testing::AllOf;
using testing::ElementsAre;
using testing::IsEmpty;

Task TaskStoreContract::Apply(const Mutation& mutation) {
  absl::StatusOr<MutationResult> result = store().Apply(mutation);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? result->task : Task();
}

std::vector<Task> TaskStoreContract::ListAll(const domain::UserId& user, TaskQuery query) {
  std::vector<Task> tasks;
  for (;;) {
    const auto page = store().List(user, query);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) return tasks;
    tasks.insert(tasks.end(), page->tasks.begin(), page->tasks.end());
    if (page->next_cursor.empty()) return tasks;
    EXPECT_EQ(page->tasks.size(), static_cast<std::size_t>(query.limit));
    query.page_cursor = page->next_cursor;
  }
}

std::vector<std::string> TaskStoreContract::TitlesOf(const TaskQuery& query) {
  std::vector<std::string> titles;
  for (const Task& task : ListAll(user_, query)) titles.push_back(task.fields.title);
  return titles;
}

std::vector<Task> TaskStoreContract::CreateSeries(std::int64_t count) {
  std::vector<Task> tasks;
  const domain::Uuid series = NewUuid();
  for (std::int64_t occurrence = 1; occurrence <= count; ++occurrence) {
    Mutation mutation = CreateRecurring(user_, fmt::format("{}", occurrence));
    mutation.series = PositionOf(series, occurrence);
    tasks.push_back(Apply(mutation));
  }
  return tasks;
}

std::vector<ports::SeriesMember> TaskStoreContract::MembersOf(const Task& task) {
  const auto members = store().ListSeries(user_, task.series->series_id);
  EXPECT_TRUE(members.ok()) << members.status();
  return members.ok() ? *members : std::vector<ports::SeriesMember>();
}

namespace {

std::vector<std::int64_t> SeqsOf(const std::vector<Change>& changes) {
  std::vector<std::int64_t> seqs;
  for (const Change& change : changes) seqs.push_back(change.seq);
  return seqs;
}

std::vector<std::int64_t> UpTo(std::int64_t last) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t n = 1; n <= last; ++n) numbers.push_back(n);
  return numbers;
}

// Creating and reading.

TEST_P(TaskStoreContract, ACreatedTaskIsReadBackAsItWas) {
  Mutation mutation = Create(user_, "Buy \"groceries\", \\ ünd 🛒 more");
  mutation.fields.description = "line one\nline two\ttab {not, an, array}";
  mutation.fields.priority = Priority::kHigh;
  mutation.fields.tags = {"home", "with, comma", "with \"quote\"", "ünicode", ""};
  mutation.fields.due.kind = domain::DueKind::kLocal;
  mutation.fields.due.local = absl::CivilSecond(2026, 10, 24, 9, 30, 0);
  mutation.fields.due.at = At("2026-10-24T07:30:00Z");
  mutation.fields.time_zone = "Europe/Berlin";
  mutation.fields.recurrence_rule = "FREQ=MONTHLY;INTERVAL=2";
  mutation.fields.recurrence_basis = domain::RecurrenceBasis::kCompletion;
  mutation.series = PositionOf(NewUuid(), 1);
  mutation.series->missed = 3;
  mutation.now = At("2026-03-01T09:00:00.123456Z");

  const auto result = store().Apply(mutation);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->changed);
  const Task& task = result->task;
  EXPECT_GT(task.id.value, 0);
  EXPECT_EQ(task.user, user_);
  EXPECT_EQ(task.fields, mutation.fields);
  EXPECT_EQ(task.series, mutation.series);
  EXPECT_EQ(task.version, 1);
  EXPECT_EQ(task.seq, 1);
  EXPECT_FALSE(task.completed);
  EXPECT_FALSE(task.completed_at);
  EXPECT_FALSE(task.deleted);
  EXPECT_EQ(task.created_at, mutation.now);
  EXPECT_EQ(task.updated_at, mutation.now);

  const auto read = store().Get(user_, task.id);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, task);
}

TEST_P(TaskStoreContract, EveryKindOfDueDateIsKept) {
  Mutation date = Create(user_, "date");
  date.fields.due = {domain::DueKind::kDate, absl::CivilSecond(2026, 10, 24),
                     At("2026-10-23T22:00:00Z")};
  date.fields.time_zone = "Europe/Berlin";
  EXPECT_EQ(Apply(date).fields, date.fields);

  Mutation instant = Create(user_, "instant");
  instant.fields.due = DueAt("9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(Apply(instant).fields, instant.fields);

  const Mutation none = Create(user_, "none");
  EXPECT_EQ(Apply(none).fields, none.fields);
}

TEST_P(TaskStoreContract, TaskIdsAreUniqueOverAllUsers) {
  std::set<std::int64_t> ids;
  for (int i = 0; i < 3; ++i) {
    ids.insert(Apply(Create(user_, "mine")).id.value);
    ids.insert(Apply(Create(other_, "theirs")).id.value);
  }
  EXPECT_EQ(ids.size(), 6u);
}

TEST_P(TaskStoreContract, TasksOfOthersAreNotFoundLikeUnknownOnes) {
  const Task theirs = Apply(Create(other_, "theirs"));
  for (const TaskId id : {theirs.id, TaskId{theirs.id.value + 1000}}) {
    const auto read = store().Get(user_, id);
    EXPECT_EQ(read.status().code(), StatusCode::kNotFound);
    EXPECT_EQ(util::ReasonOf(read.status()), "TASK_NOT_FOUND");
    Task disguised = theirs;
    disguised.user = user_;
    disguised.id = id;
    for (const ChangeKind kind : {ChangeKind::kUpdated, ChangeKind::kCompleted,
                                  ChangeKind::kUncompleted, ChangeKind::kDeleted}) {
      const auto result = store().Apply(ChangeOf(kind, disguised));
      EXPECT_EQ(result.status().code(), StatusCode::kNotFound) << result.status();
      EXPECT_EQ(util::ReasonOf(result.status()), "TASK_NOT_FOUND");
    }
  }
  EXPECT_THAT(AllChanges(store(), user_), IsEmpty());
  EXPECT_EQ(store().Get(other_, theirs.id).value(), theirs);
}

TEST_P(TaskStoreContract, UsersHaveTheirOwnTasksAndChanges) {
  const Task mine = Apply(Create(user_, "mine"));
  const Task theirs = Apply(Create(other_, "theirs"));
  EXPECT_EQ(theirs.seq, 1);
  EXPECT_THAT(ListAll(user_, {}), ElementsAre(mine));
  EXPECT_THAT(ListAll(other_, {}), ElementsAre(theirs));
  EXPECT_EQ(AllChanges(store(), user_).size(), 1u);
}

// Changing.

TEST_P(TaskStoreContract, AnUpdateChangesOnlyWhatIsSet) {
  Mutation create = CreateRecurring(user_, "title");
  create.fields.description = "description";
  create.fields.tags = {"a", "b"};
  const Task before = Apply(create);

  Mutation update = ChangeOf(ChangeKind::kUpdated, before);
  update.patch.priority = Priority::kLow;
  const Task after = Apply(update);

  Task expected = before;
  expected.fields.priority = Priority::kLow;
  expected.version = 2;
  expected.seq = 2;
  expected.updated_at = update.now;
  EXPECT_EQ(after, expected);
  EXPECT_EQ(store().Get(user_, before.id).value(), expected);
}

TEST_P(TaskStoreContract, EveryFieldCanBeUpdated) {
  const Task before = Apply(Create(user_, "title"));
  Mutation update = ChangeOf(ChangeKind::kUpdated, before);
  update.patch.title = "new";
  update.patch.description = "described";
  update.patch.priority = Priority::kHigh;
  update.patch.tags = {"x"};
  update.patch.due = DueAt("2026-05-01T00:00:00Z");
  update.patch.time_zone = "Asia/Tokyo";
  update.patch.recurrence_rule = "FREQ=WEEKLY";
  update.patch.recurrence_basis = domain::RecurrenceBasis::kCompletion;
  update.patch.series = PositionOf(NewUuid(), 1);
  const Task after = Apply(update);
  EXPECT_EQ(after.fields,
            (domain::TaskFields{.title = "new",
                                .description = "described",
                                .priority = Priority::kHigh,
                                .tags = {"x"},
                                .due = DueAt("2026-05-01T00:00:00Z"),
                                .time_zone = "Asia/Tokyo",
                                .recurrence_rule = "FREQ=WEEKLY",
                                .recurrence_basis = domain::RecurrenceBasis::kCompletion}));
  EXPECT_EQ(after.series, *update.patch.series);
}

TEST_P(TaskStoreContract, AnUpdateClearsWhatIsSetToNothing) {
  Mutation create = CreateRecurring(user_, "title");
  create.fields.description = "description";
  create.fields.tags = {"a"};
  const Task before = Apply(create);

  Mutation update = ChangeOf(ChangeKind::kUpdated, before);
  update.patch.description.emplace(std::nullopt);
  update.patch.tags.emplace();
  update.patch.due = domain::Due{};
  update.patch.recurrence_rule.emplace(std::nullopt);
  update.patch.series.emplace(std::nullopt);
  const Task after = Apply(update);
  EXPECT_EQ(after.fields.description, std::nullopt);
  EXPECT_THAT(after.fields.tags, IsEmpty());
  EXPECT_EQ(after.fields.due, domain::Due{});
  EXPECT_EQ(after.fields.recurrence_rule, std::nullopt);
  EXPECT_EQ(after.series, std::nullopt);
}

TEST_P(TaskStoreContract, CompletingAndOpeningSetAndClearTheTime) {
  const Task task = Apply(Create(user_, "title"));
  const Mutation complete = ChangeOf(ChangeKind::kCompleted, task);
  const Task completed = Apply(complete);
  EXPECT_TRUE(completed.completed);
  EXPECT_EQ(completed.completed_at, complete.now);
  EXPECT_EQ(completed.version, 2);
  const Task opened = Apply(ChangeOf(ChangeKind::kUncompleted, task));
  EXPECT_FALSE(opened.completed);
  EXPECT_EQ(opened.completed_at, std::nullopt);
  EXPECT_EQ(opened.version, 3);
}

TEST_P(TaskStoreContract, AMutationThatChangesNothingWritesNoChange) {
  const Task task = Apply(Create(user_, "title"));
  const Task completed = Apply(ChangeOf(ChangeKind::kCompleted, task));
  Mutation again = ChangeOf(ChangeKind::kCompleted, task);
  again.now = At("2026-04-01T00:00:00Z");
  Mutation same_title = Rename(task, "title");
  same_title.now = again.now;
  for (const Mutation& mutation : {again, same_title, ChangeOf(ChangeKind::kUpdated, task)}) {
    const auto result = store().Apply(mutation);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_FALSE(result->changed);
    EXPECT_EQ(result->task, completed);
  }
  EXPECT_THAT(SeqsOf(AllChanges(store(), user_)), ElementsAre(1, 2));
}

TEST_P(TaskStoreContract, ADeletedTaskAnswersItsLastStateAndIsGone) {
  const Task task = Apply(Create(user_, "title"));
  const auto deleted = store().Apply(ChangeOf(ChangeKind::kDeleted, task));
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_TRUE(deleted->changed);
  EXPECT_TRUE(deleted->task.deleted);
  EXPECT_EQ(deleted->task.fields, task.fields);
  EXPECT_EQ(deleted->task.version, 2);

  EXPECT_EQ(store().Get(user_, task.id).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(store().Apply(Rename(task, "late")).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(store().Apply(ChangeOf(ChangeKind::kDeleted, task)).status().code(),
            StatusCode::kNotFound);
  EXPECT_THAT(ListAll(user_, {}), IsEmpty());
  EXPECT_THAT(SeqsOf(AllChanges(store(), user_)), ElementsAre(1, 2));
}

// Versions.

TEST_P(TaskStoreContract, AStaleVersionIsAbortedAndUsesNoSeq) {
  const Task task = Apply(Create(user_, "title"));
  Apply(Rename(task, "second"));
  for (const std::int64_t version : {0, 1, 3}) {
    Mutation late = Rename(task, "third");
    late.expected_version = version;
    const auto result = store().Apply(late);
    EXPECT_EQ(result.status().code(), StatusCode::kAborted) << result.status();
    EXPECT_EQ(util::ReasonOf(result.status()), "STALE_ETAG");
  }
  Mutation timely = Rename(task, "third");
  timely.expected_version = 2;
  EXPECT_EQ(Apply(timely).seq, 3);
  EXPECT_THAT(SeqsOf(AllChanges(store(), user_)), ElementsAre(1, 2, 3));
}

TEST_P(TaskStoreContract, OneOfManyCallsWithOneExpectedVersionWins) {
  const Task task = Apply(Create(user_, "title"));
  std::atomic<int> won{0};
  std::atomic<int> stale{0};
  InParallel(8, [&](int i) {
    Mutation rename = Rename(task, fmt::format("title {}", i));
    rename.expected_version = 1;
    const auto result = store().Apply(rename);
    if (result.ok()) ++won;
    if (util::ReasonOf(result.status()) == "STALE_ETAG") ++stale;
  });
  EXPECT_EQ(won, 1);
  EXPECT_EQ(stale, 7);
  EXPECT_THAT(SeqsOf(AllChanges(store(), user_)), ElementsAre(1, 2));
}

// Request ids.

TEST_P(TaskStoreContract, ARepeatedRequestGivesTheFirstAnswer) {
  const Mutation create = Create(user_, "title");
  const Task created = Apply(create);
  const Mutation rename = Rename(created, "renamed");
  const Task renamed = Apply(rename);
  const Mutation remove = ChangeOf(ChangeKind::kDeleted, created);
  const Task removed = Apply(remove);

  const auto repeat = [this](Mutation mutation) {
    mutation.event_id = NewEventId();  // a second try has an id of its own
    mutation.now += std::chrono::hours(1);
    const auto result = store().Apply(mutation);
    EXPECT_TRUE(result.ok()) << result.status();
    EXPECT_FALSE(result.ok() && result->changed);
    return result.ok() ? result->task : Task();
  };
  EXPECT_EQ(repeat(create), created);
  EXPECT_EQ(repeat(rename), renamed);
  EXPECT_EQ(repeat(remove), removed);
  EXPECT_THAT(SeqsOf(AllChanges(store(), user_)), ElementsAre(1, 2, 3));
}

TEST_P(TaskStoreContract, ARepeatedRequestThatChangedNothingGivesTheFirstAnswer) {
  const Task task = Apply(Create(user_, "title"));
  const Mutation nothing = Rename(task, "title");
  EXPECT_EQ(Apply(nothing), task);
  Apply(Rename(task, "other"));
  EXPECT_EQ(Apply(nothing), task);
  EXPECT_THAT(SeqsOf(AllChanges(store(), user_)), ElementsAre(1, 2));
}

TEST_P(TaskStoreContract, ARepeatedRequestIsRecognisedBeforeItsVersionIsLookedAt) {
  const Task task = Apply(Create(user_, "title"));
  Mutation rename = Rename(task, "renamed");
  rename.expected_version = 1;
  const Task renamed = Apply(rename);
  EXPECT_EQ(Apply(rename), renamed);
  rename.expected_version = 0;
  EXPECT_EQ(Apply(rename), renamed);
}

TEST_P(TaskStoreContract, ARefusedRequestMayBeTriedAgainUnderItsId) {
  const Task task = Apply(Create(user_, "title"));
  Mutation rename = Rename(task, "renamed");
  rename.expected_version = 7;
  EXPECT_EQ(store().Apply(rename).status().code(), StatusCode::kAborted);
  rename.expected_version = 1;
  EXPECT_EQ(Apply(rename).fields.title, "renamed");
}

TEST_P(TaskStoreContract, ARequestIdWithOtherContentIsRefused) {
  const Mutation create = Create(user_, "title");
  Apply(create);
  Mutation other = create;
  other.fingerprint = std::string("\0\xff other", 8);
  const auto result = store().Apply(other);
  EXPECT_EQ(result.status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(util::ReasonOf(result.status()), "REQUEST_ID_REUSED");
  EXPECT_THAT(SeqsOf(AllChanges(store(), user_)), ElementsAre(1));
}

TEST_P(TaskStoreContract, AFingerprintMayHoldAnyBytes) {
  Mutation create = Create(user_, "title");
  create.fingerprint = std::string("\0\xff'\\\n", 5);
  EXPECT_EQ(Apply(create), Apply(create));
}

TEST_P(TaskStoreContract, UsersMayUseEqualRequestIds) {
  const Mutation mine = Create(user_, "mine");
  Mutation theirs = Create(other_, "theirs");
  theirs.request_id = mine.request_id;
  EXPECT_EQ(Apply(mine).fields.title, "mine");
  EXPECT_EQ(Apply(theirs).fields.title, "theirs");
}

TEST_P(TaskStoreContract, OneRequestFromManyCallersAtOnceMakesOneChange) {
  const Mutation create = Create(user_, "title");
  std::atomic<int> changed{0};
  std::vector<Task> tasks(8);
  InParallel(8, [&](int i) {
    const auto result = store().Apply(create);
    ASSERT_TRUE(result.ok()) << result.status();
    tasks[static_cast<std::size_t>(i)] = result->task;
    if (result->changed) ++changed;
  });
  EXPECT_EQ(changed, 1);
  for (const Task& task : tasks) EXPECT_EQ(task, tasks.front());
  EXPECT_THAT(SeqsOf(AllChanges(store(), user_)), ElementsAre(1));
}

// The order of a user's changes.

TEST_P(TaskStoreContract, ContentionLeavesNoGap) {
  constexpr int kThreads = 16;
  constexpr int kRounds = 8;
  std::atomic<std::int64_t> written{0};
  InParallel(kThreads, [&](int thread) {
    for (int round = 0; round < kRounds; ++round) {
      const auto created = store().Apply(Create(user_, fmt::format("{} {}", thread, round)));
      ASSERT_TRUE(created.ok()) << created.status();
      Mutation stale = Rename(created->task, "never");
      stale.expected_version = 99;
      EXPECT_EQ(store().Apply(stale).status().code(), StatusCode::kAborted);
      const auto completed = store().Apply(ChangeOf(ChangeKind::kCompleted, created->task));
      ASSERT_TRUE(completed.ok()) << completed.status();
      EXPECT_GT(completed->task.seq, created->task.seq);
      written += 2;
    }
  });
  const std::vector<Change> changes = AllChanges(store(), user_);
  EXPECT_EQ(SeqsOf(changes), UpTo(written));
  std::set<domain::EventId> events;
  for (const Change& change : changes) events.insert(change.event_id);
  EXPECT_EQ(events.size(), changes.size());
}

TEST_P(TaskStoreContract, AContendedTaskGoesThroughEveryVersion) {
  const Task task = Apply(Create(user_, "title"));
  InParallel(8, [&](int thread) {
    for (int round = 0; round < 5; ++round) {
      const auto result = store().Apply(Rename(task, fmt::format("{} {}", thread, round)));
      EXPECT_TRUE(result.ok()) << result.status();
    }
  });
  std::vector<std::int64_t> versions;
  for (const Change& change : AllChanges(store(), user_)) versions.push_back(change.version);
  EXPECT_EQ(versions, UpTo(41));
  EXPECT_EQ(store().Get(user_, task.id).value().version, 41);
}

TEST_P(TaskStoreContract, AChangeHasAllItsFields) {
  Mutation create = Create(user_, "title \"quoted\"");
  create.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const Task created = Apply(create);
  const Mutation complete = ChangeOf(ChangeKind::kCompleted, created);
  const Task completed = Apply(complete);
  Mutation remove = ChangeOf(ChangeKind::kDeleted, created);
  Apply(remove);

  const std::vector<Change> changes = AllChanges(store(), user_);
  ASSERT_EQ(changes.size(), 3u);
  EXPECT_EQ(changes[0].user, user_);
  EXPECT_EQ(changes[0].seq, 1);
  EXPECT_EQ(changes[0].event_id, create.event_id);
  EXPECT_EQ(changes[0].kind, ChangeKind::kCreated);
  EXPECT_EQ(changes[0].task_id, created.id);
  EXPECT_EQ(changes[0].version, 1);
  EXPECT_EQ(changes[0].at, create.now);
  EXPECT_EQ(changes[0].traceparent, create.traceparent);
  EXPECT_EQ(changes[0].request_id, create.request_id);
  EXPECT_EQ(domain::ParseTaskJson(changes[0].task_json).value(), created);
  EXPECT_EQ(changes[1].kind, ChangeKind::kCompleted);
  EXPECT_EQ(changes[1].traceparent, "");
  EXPECT_EQ(domain::ParseTaskJson(changes[1].task_json).value(), completed);
  EXPECT_EQ(changes[2].kind, ChangeKind::kDeleted);
  EXPECT_EQ(domain::ParseTaskJson(changes[2].task_json).value().fields, created.fields);
}

TEST_P(TaskStoreContract, ChangesAreListedAfterASeqUpToALimit) {
  for (int i = 0; i < 5; ++i) Apply(Create(user_, "title"));
  const auto page = store().ListChanges(user_, {.after_seq = 1, .limit = 3});
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(SeqsOf(page->changes), ElementsAre(2, 3, 4));
  EXPECT_EQ(page->last_seq, 5) << "the newest of the user, on this page or not";

  const auto beyond = store().ListChanges(user_, {.after_seq = 5, .limit = 3});
  ASSERT_TRUE(beyond.ok()) << beyond.status();
  EXPECT_THAT(beyond->changes, IsEmpty());
  EXPECT_EQ(beyond->last_seq, 5);

  const auto nobody = store().ListChanges(other_, {.limit = 3});
  ASSERT_TRUE(nobody.ok()) << nobody.status();
  EXPECT_THAT(nobody->changes, IsEmpty());
  EXPECT_EQ(nobody->last_seq, 0);
}

TEST_P(TaskStoreContract, TheChangesOfOneTaskAreListed) {
  const Task task = Apply(Create(user_, "one"));
  Apply(Create(user_, "another"));
  Apply(Rename(task, "renamed"));
  Apply(ChangeOf(ChangeKind::kDeleted, task));
  const auto all = store().ListChanges(user_, {.task = task.id});
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_THAT(SeqsOf(all->changes), ElementsAre(1, 3, 4));
  const auto page = store().ListChanges(user_, {.after_seq = 1, .limit = 1, .task = task.id});
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(SeqsOf(page->changes), ElementsAre(3));
  EXPECT_EQ(page->last_seq, 4);
  const auto of_another_user = store().ListChanges(other_, {.task = task.id});
  ASSERT_TRUE(of_another_user.ok()) << of_another_user.status();
  EXPECT_THAT(of_another_user->changes, IsEmpty());
}

TEST_P(TaskStoreContract, OnlyAWrittenChangeWakesTheRelay) {
  const Mutation create = Create(user_, "title");
  const Task task = Apply(create);
  EXPECT_EQ(environment_->wakes().count(), 1);
  EXPECT_GE(environment_->wakes().last_shard(), 0);
  EXPECT_LT(environment_->wakes().last_shard(), 16);
  Apply(create);
  Apply(Rename(task, "title"));
  Mutation stale = Rename(task, "other");
  stale.expected_version = 9;
  EXPECT_THAT(store().Apply(stale), StatusIs(StatusCode::kAborted));
  EXPECT_EQ(environment_->wakes().count(), 1);
}

// Lists.

TEST_P(TaskStoreContract, AListCanBeFiltered) {
  Mutation a = Create(user_, "Apples");
  a.fields.priority = Priority::kHigh;
  a.fields.tags = {"fruit", "home"};
  a.fields.due = DueAt("2026-05-01T00:00:00Z");
  Mutation b = Create(user_, "Bananas");
  b.fields.description = "not apples";
  b.fields.tags = {"fruit"};
  b.fields.due = DueAt("2026-05-02T00:00:00Z");
  Mutation c = Create(user_, "Cars");
  c.fields.priority = Priority::kLow;
  Apply(a);
  Apply(ChangeOf(ChangeKind::kCompleted, Apply(b)));
  Apply(c);

  EXPECT_THAT(TitlesOf({}), ElementsAre("Apples", "Bananas", "Cars"));
  EXPECT_THAT(TitlesOf({.completed = true}), ElementsAre("Bananas"));
  EXPECT_THAT(TitlesOf({.completed = false}), ElementsAre("Apples", "Cars"));
  EXPECT_THAT(TitlesOf({.priority = Priority::kHigh}), ElementsAre("Apples"));
  EXPECT_THAT(TitlesOf({.priority = Priority::kLow}), ElementsAre("Cars"));
  EXPECT_THAT(TitlesOf({.tag = "fruit"}), ElementsAre("Apples", "Bananas"));
  EXPECT_THAT(TitlesOf({.tag = "fru"}), IsEmpty());
  EXPECT_THAT(TitlesOf({.due_from = At("2026-05-01T00:00:00Z")}), ElementsAre("Apples", "Bananas"));
  EXPECT_THAT(TitlesOf({.due_from = At("2026-05-01T00:00:00.000001Z")}), ElementsAre("Bananas"));
  EXPECT_THAT(TitlesOf({.due_before = At("2026-05-02T00:00:00Z")}), ElementsAre("Apples"));
  EXPECT_THAT(TitlesOf({.due_from = At("2026-05-03T00:00:00Z")}), IsEmpty());
  EXPECT_THAT(TitlesOf({.text = "APPLE"}), ElementsAre("Apples", "Bananas"));
  EXPECT_THAT(TitlesOf({.completed = false, .tag = "fruit", .text = "app"}), ElementsAre("Apples"));
}

TEST_P(TaskStoreContract, TextIsSearchedForLiterally) {
  Apply(Create(user_, "100% sure"));
  Apply(Create(user_, "100 percent"));
  Apply(Create(user_, "snake_case"));
  Apply(Create(user_, "snakeXcase"));
  Apply(Create(user_, R"(back\slash)"));
  EXPECT_THAT(TitlesOf({.text = "0%"}), ElementsAre("100% sure"));
  EXPECT_THAT(TitlesOf({.text = "e_c"}), ElementsAre("snake_case"));
  EXPECT_THAT(TitlesOf({.text = R"(k\s)"}), ElementsAre(R"(back\slash)"));
  EXPECT_THAT(TitlesOf({.text = "'; drop table tasks; --"}), IsEmpty());
}

TEST_P(TaskStoreContract, SearchingFoldsCaseAsUnicodeDoes) {
  for (const char* title :
       {"ΟΔΥΣΣΕΥΣ", "Straße", "Привет", "İstanbul", "Cafe\u0301", "ﬁne", "A\u00adB"})
    Apply(Create(user_, title));
  for (const char* text : {"οδυσσευς", "ΣΣΕΥΣ", "Οδυσσευσ", "ευς"})
    EXPECT_THAT(TitlesOf({.text = text}), ElementsAre("ΟΔΥΣΣΕΥΣ")) << text;
  for (const char* text : {"strasse", "STRASSE", "straße", "STRAẞE", "ss"})
    EXPECT_THAT(TitlesOf({.text = text}), ElementsAre("Straße")) << text;
  EXPECT_THAT(TitlesOf({.text = "пРИВЕТ"}), ElementsAre("Привет"));
  EXPECT_THAT(TitlesOf({.text = "İSTANBUL"}), ElementsAre("İstanbul"));
  EXPECT_THAT(TitlesOf({.text = "i\u0307stanbul"}), ElementsAre("İstanbul"));
  for (const char* text : {"CAFÉ", "cafe\u0301"})
    EXPECT_THAT(TitlesOf({.text = text}), ElementsAre("Cafe\u0301")) << text;
  EXPECT_THAT(TitlesOf({.text = "FINE"}), ElementsAre("ﬁne"));
  EXPECT_THAT(TitlesOf({.text = "ab"}), ElementsAre("A\u00adB"))
      << "what nobody sees does not count";
}

TEST_P(TaskStoreContract, SearchingSeesEachChangeOfTitleAndDescription) {
  Mutation create = Create(user_, "Äpfel");
  create.fields.description = "BIRNEN";
  Task task = Apply(create);
  EXPECT_THAT(TitlesOf({.text = "birnen"}), ElementsAre("Äpfel"));
  EXPECT_THAT(TitlesOf({.text = "äpfel\nbirnen"}), IsEmpty()) << "they are two texts";
  EXPECT_THAT(TitlesOf({.text = "äpfel\x01"
                                "birnen"}),
              IsEmpty());

  task = Apply(Rename(task, "Öl"));
  EXPECT_THAT(TitlesOf({.text = "ÄPFEL"}), IsEmpty());
  EXPECT_THAT(TitlesOf({.text = "öL"}), ElementsAre("Öl"));
  EXPECT_THAT(TitlesOf({.text = "Birnen"}), ElementsAre("Öl"));

  Mutation describe = ChangeOf(ChangeKind::kUpdated, task);
  describe.patch.description.emplace("ÜBEN");
  task = Apply(describe);
  EXPECT_THAT(TitlesOf({.text = "Birnen"}), IsEmpty());
  EXPECT_THAT(TitlesOf({.text = "üben"}), ElementsAre("Öl"));

  Mutation clear = ChangeOf(ChangeKind::kUpdated, task);
  clear.patch.description.emplace(std::nullopt);
  task = Apply(clear);
  EXPECT_THAT(TitlesOf({.text = "üben"}), IsEmpty());
  task = Apply(ChangeOf(ChangeKind::kCompleted, task));
  EXPECT_THAT(TitlesOf({.text = "ÖL"}), ElementsAre("Öl"));
}

TEST_P(TaskStoreContract, TitlesAreSortedWithoutRegardToCase) {
  for (const char* title :
       {"zebra", "Äpfel", "apfel", "Zebra", "äpfel", "Apfel", "Öl", "ocker", "Überall", "10",
        "apple", "éclair", "Eclair", "ζ", "Я", "_", "\u200bbee"}) {
    Apply(Create(user_, title));
  }
  const std::vector<std::string> sorted = {
      "_",      "10",    "apfel", "Apfel",   "Äpfel", "äpfel", "apple", "\u200bbee", "Eclair",
      "éclair", "ocker", "Öl",    "Überall", "zebra", "Zebra", "ζ",     "Я"};
  EXPECT_EQ(TitlesOf({.order = TaskOrder::kTitle}), sorted) << "alike but for case: by id";
  EXPECT_EQ(TitlesOf({.order = TaskOrder::kTitle, .limit = 1}), sorted);
  const std::vector<std::string> reversed(sorted.rbegin(), sorted.rend());
  EXPECT_EQ(TitlesOf({.order = TaskOrder::kTitle, .descending = true, .limit = 3}), reversed);
}

TEST_P(TaskStoreContract, PagesInEveryOrderHoldEachTaskOnce) {
  // Two tasks of each kind, so that every order has ties and (by due date) tasks without one.
  const std::vector<std::string> titles = {"b", "A", "a", "ä", "B", "b", "A", "a", "ä", "B"};
  for (std::size_t i = 0; i < titles.size(); ++i) {
    Mutation create = Create(user_, titles[i]);
    create.fields.priority = static_cast<Priority>(i % 3);
    if (i % 5 < 3) create.fields.due = DueAt(fmt::format("2026-05-0{}T00:00:00Z", 3 - i % 5));
    create.now += std::chrono::microseconds(i / 2);
    Apply(create);
  }
  const auto due_rank = [](const Task& task) {
    return task.fields.due.kind == domain::DueKind::kNone ? domain::kMaxInstant
                                                          : task.fields.due.at;
  };
  for (const TaskOrder order : {TaskOrder::kCreatedAt, TaskOrder::kDueDate, TaskOrder::kPriority,
                                TaskOrder::kTitle, TaskOrder::kUpdatedAt}) {
    for (const bool descending : {false, true}) {
      const auto whole = ListAll(user_, {.order = order, .descending = descending, .limit = 500});
      ASSERT_EQ(whole.size(), titles.size());
      for (std::size_t i = 1; i < whole.size(); ++i) {
        const Task& a = descending ? whole[i] : whole[i - 1];
        const Task& b = descending ? whole[i - 1] : whole[i];
        switch (order) {
          case TaskOrder::kCreatedAt: EXPECT_LE(a.created_at, b.created_at); break;
          case TaskOrder::kUpdatedAt: EXPECT_LE(a.updated_at, b.updated_at); break;
          case TaskOrder::kPriority: EXPECT_LE(a.fields.priority, b.fields.priority); break;
          case TaskOrder::kTitle: break;  // TitlesAreSortedWithoutRegardToCase
          case TaskOrder::kDueDate:
            // Without a due date last, in both directions.
            if (whole[i - 1].fields.due.kind == domain::DueKind::kNone) {
              EXPECT_EQ(whole[i].fields.due.kind, domain::DueKind::kNone);
            } else if (whole[i].fields.due.kind != domain::DueKind::kNone) {
              EXPECT_LE(due_rank(a), due_rank(b));
            }
            break;
        }
      }
      for (const int limit : {1, 3, 5}) {
        EXPECT_EQ(ListAll(user_, {.order = order, .descending = descending, .limit = limit}), whole)
            << "order " << static_cast<int>(order) << " descending " << descending << " limit "
            << limit;
      }
    }
  }
}

TEST_P(TaskStoreContract, AFullLastPageHasNoNext) {
  for (int i = 0; i < 4; ++i) Apply(Create(user_, "title"));
  const auto first = store().List(user_, {.limit = 2});
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_NE(first->next_cursor, "");
  const auto second = store().List(user_, {.limit = 2, .page_cursor = first->next_cursor});
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->tasks.size(), 2u);
  EXPECT_EQ(second->next_cursor, "");
}

TEST_P(TaskStoreContract, PagingGoesOnWhenItsLastTaskIsGone) {
  std::vector<Task> tasks;
  for (int i = 0; i < 4; ++i) tasks.push_back(Apply(Create(user_, fmt::format("{}", i))));
  const auto first = store().List(user_, {.order = TaskOrder::kTitle, .limit = 2});
  ASSERT_TRUE(first.ok()) << first.status();
  Apply(ChangeOf(ChangeKind::kDeleted, tasks[1]));
  Apply(Create(user_, "0 new"));
  const auto second = store().List(
      user_, {.order = TaskOrder::kTitle, .limit = 2, .page_cursor = first->next_cursor});
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_THAT(second->tasks, ElementsAre(tasks[2], tasks[3]));
}

TEST_P(TaskStoreContract, ACursorOfAnotherListIsRefused) {
  for (int i = 0; i < 3; ++i) {
    Apply(Create(user_, "title"));
    Apply(Create(other_, "title"));
  }
  const auto first = store().List(user_, {.tag = std::nullopt, .limit = 1});
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string cursor = first->next_cursor;
  EXPECT_TRUE(store().List(user_, {.limit = 2, .page_cursor = cursor}).ok())
      << "another page size is allowed";

  const std::vector<TaskQuery> foreign = {
      {.completed = false, .page_cursor = cursor},
      {.priority = Priority::kLow, .page_cursor = cursor},
      {.tag = "t", .page_cursor = cursor},
      {.due_from = At("2026-05-01T00:00:00Z"), .page_cursor = cursor},
      {.due_before = At("2026-05-01T00:00:00Z"), .page_cursor = cursor},
      {.text = "t", .page_cursor = cursor},
      {.order = TaskOrder::kTitle, .page_cursor = cursor},
      {.descending = true, .page_cursor = cursor},
      {.page_cursor = "x"},
      {.page_cursor = "bm8gSlNPTg=="},
      {.page_cursor = cursor.substr(0, cursor.size() / 2)},
  };
  for (const TaskQuery& query : foreign) {
    const auto page = store().List(user_, query);
    EXPECT_EQ(page.status().code(), StatusCode::kInvalidArgument) << page.status();
    EXPECT_EQ(util::ReasonOf(page.status()), "INVALID_PAGE_TOKEN");
  }
  EXPECT_EQ(store().List(other_, {.page_cursor = cursor}).status().code(),
            StatusCode::kInvalidArgument);
}

// Several changes in one call.

ports::MutationList ListOf(std::vector<Mutation> mutations) {
  return {.request_id = NewRequestId(),
          .fingerprint = "several changes",
          .mutations = std::move(mutations)};
}

std::vector<Task> TasksOf(const absl::StatusOr<std::vector<MutationResult>>& results) {
  EXPECT_THAT(results, IsOk());
  std::vector<Task> tasks;
  if (!results.ok()) return tasks;
  for (const MutationResult& result : *results) tasks.push_back(result.task);
  return tasks;
}

TEST_P(TaskStoreContract, SeveralChangesAreAppliedInTheirOrderEachWithASeqOfItsOwn) {
  const Task a = Apply(Create(user_, "a"));
  const Task b = Apply(Create(user_, "b"));
  const int wakes = environment_->wakes().count();
  Mutation rename = Rename(b, "renamed");
  rename.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  rename.now = At("2026-03-01T11:00:00.5Z");
  const ports::MutationList list = ListOf({ChangeOf(ChangeKind::kCompleted, a), rename,
                                           Create(user_, "c"), ChangeOf(ChangeKind::kDeleted, b)});
  const auto results = store().ApplyAll(list);
  const std::vector<Task> tasks = TasksOf(results);
  ASSERT_EQ(tasks.size(), 4u);
  EXPECT_TRUE(std::ranges::all_of(*results, &MutationResult::changed));
  EXPECT_EQ(tasks[0].id, a.id);
  EXPECT_TRUE(tasks[0].completed);
  EXPECT_EQ(tasks[1].fields.title, "renamed");
  EXPECT_EQ(tasks[1].updated_at, rename.now);
  EXPECT_EQ(tasks[2].fields.title, "c");
  EXPECT_EQ(tasks[2].version, 1);
  EXPECT_EQ(tasks[3].id, b.id);
  EXPECT_EQ(tasks[3].version, 3) << "a later change sees the earlier one";
  EXPECT_TRUE(tasks[3].deleted);

  const std::vector<Change> changes = AllChanges(store(), user_);
  EXPECT_EQ(SeqsOf(changes), UpTo(6));
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(tasks[i].seq, changes[i + 2].seq);
    EXPECT_EQ(changes[i + 2].event_id, list.mutations[i].event_id);
    EXPECT_EQ(changes[i + 2].kind, list.mutations[i].kind);
    EXPECT_EQ(changes[i + 2].task_id, tasks[i].id);
    EXPECT_EQ(changes[i + 2].at, list.mutations[i].now);
    EXPECT_EQ(changes[i + 2].traceparent, list.mutations[i].traceparent);
    EXPECT_EQ(changes[i + 2].request_id, list.request_id) << "it belongs to the call";
  }
  EXPECT_THAT(ListAll(user_, {}), ElementsAre(tasks[0], tasks[2]));
  EXPECT_GT(environment_->wakes().count(), wakes);
}

TEST_P(TaskStoreContract, OfSeveralChangesOneThatChangesNothingUsesNoSeq) {
  const Task a = Apply(Create(user_, "a"));
  const Task b = Apply(Create(user_, "b"));
  const ports::MutationList list = ListOf({Rename(a, "a"), Rename(b, "renamed")});
  const auto results = store().ApplyAll(list);
  ASSERT_THAT(results, IsOk());
  EXPECT_FALSE((*results)[0].changed);
  EXPECT_EQ((*results)[0].task, a);
  EXPECT_TRUE((*results)[1].changed);
  EXPECT_EQ((*results)[1].task.seq, 3);
  EXPECT_EQ(SeqsOf(AllChanges(store(), user_)), UpTo(3));
}

TEST_P(TaskStoreContract, ARepeatedListGivesTheFirstAnswersOfAllItsChanges) {
  const Task a = Apply(Create(user_, "a"));
  const Task b = Apply(Create(user_, "b"));
  ports::MutationList list = ListOf({Rename(a, "renamed"), Rename(b, "b"), Create(user_, "c"),
                                     ChangeOf(ChangeKind::kDeleted, b)});
  const std::vector<Task> first = TasksOf(store().ApplyAll(list));
  Apply(Rename(a, "later"));
  for (Mutation& mutation : list.mutations) {
    mutation.event_id = NewEventId();  // a second try has ids of its own
    mutation.now += std::chrono::hours(1);
  }
  const auto again = store().ApplyAll(list);
  EXPECT_EQ(TasksOf(again), first);
  EXPECT_TRUE(std::ranges::none_of(*again, &MutationResult::changed));
  EXPECT_EQ(SeqsOf(AllChanges(store(), user_)), UpTo(6));

  ports::MutationList other = list;
  other.fingerprint = "another call";
  EXPECT_THAT(store().ApplyAll(other), StatusIs(StatusCode::kAlreadyExists));
  EXPECT_THAT(store().ApplyAll(other), HasReason("REQUEST_ID_REUSED"));
  other = list;
  other.mutations.pop_back();
  EXPECT_THAT(store().ApplyAll(other), HasReason("REQUEST_ID_REUSED")) << "a shorter list";
  EXPECT_EQ(SeqsOf(AllChanges(store(), user_)), UpTo(6));
}

TEST_P(TaskStoreContract, WhenOneOfSeveralChangesFailsNothingIsWritten) {
  const Task a = Apply(Create(user_, "a"));
  const Task gone = Apply(Create(user_, "gone"));
  const Task theirs = Apply(Create(other_, "theirs"));
  Apply(ChangeOf(ChangeKind::kDeleted, gone));
  Mutation stale = Rename(a, "stale");
  stale.expected_version = 1;  // the change before it makes version 2
  Task unknown = theirs;
  unknown.user = user_;
  const int wakes = environment_->wakes().count();
  for (const auto& [bad, code, reason] :
       {std::tuple(stale, StatusCode::kAborted, "STALE_ETAG"),
        std::tuple(Rename(gone, "late"), StatusCode::kNotFound, "TASK_NOT_FOUND"),
        std::tuple(Rename(unknown, "mine"), StatusCode::kNotFound, "TASK_NOT_FOUND")}) {
    ports::MutationList list = ListOf({Create(user_, "new"), Rename(a, "renamed"), bad});
    const auto results = store().ApplyAll(list);
    EXPECT_THAT(results, StatusIs(code));
    EXPECT_THAT(results, HasReason(reason));
    EXPECT_EQ(util::IndexOf(results.status()), 2u);
    EXPECT_EQ(store().Get(user_, a.id).value(), a);
    EXPECT_THAT(ListAll(user_, {}), ElementsAre(a));
    EXPECT_EQ(SeqsOf(AllChanges(store(), user_)), UpTo(3)) << "a refused call uses no seq";
  }
  EXPECT_EQ(environment_->wakes().count(), wakes);
}

TEST_P(TaskStoreContract, TheRequestIdOfAListThatFailedIsStillGood) {
  const Task a = Apply(Create(user_, "a"));
  ports::MutationList list = ListOf({Create(user_, "new"), Rename(a, "renamed")});
  list.mutations[1].expected_version = 2;
  EXPECT_EQ(util::IndexOf(store().ApplyAll(list).status()), 1u);
  list.mutations[1].expected_version = 1;
  EXPECT_EQ(TasksOf(store().ApplyAll(list)).size(), 2u);
  EXPECT_EQ(SeqsOf(AllChanges(store(), user_)), UpTo(3));
}

TEST_P(TaskStoreContract, AListForAUserWithoutTasksCreatesThemOrLeavesNoTrace) {
  Task unknown;
  unknown.user = user_;
  unknown.id = TaskId{4711};
  EXPECT_THAT(store().ApplyAll(ListOf({Create(user_, "a"), Rename(unknown, "b")})),
              StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(ListAll(user_, {}), IsEmpty());
  const std::vector<Task> tasks =
      TasksOf(store().ApplyAll(ListOf({Create(user_, "a"), Create(user_, "b")})));
  EXPECT_THAT(ListAll(user_, {}), ElementsAre(tasks[0], tasks[1]));
  EXPECT_EQ(tasks[0].seq, 1);
}

TEST_P(TaskStoreContract, AListOfOneIsTheSameCallAsApply) {
  const Mutation create = Create(user_, "title");
  const ports::MutationList list{
      .request_id = create.request_id, .fingerprint = create.fingerprint, .mutations = {create}};
  const Task created = Apply(create);
  const auto repeated = store().ApplyAll(list);
  EXPECT_THAT(TasksOf(repeated), ElementsAre(created));
  EXPECT_FALSE(repeated->front().changed);
}

TEST_P(TaskStoreContract, AListMayHaveTheGreatestLength) {
  std::vector<Mutation> creates;
  for (std::size_t i = 0; i < ports::TaskStore::kMaxMutations; ++i)
    creates.push_back(Create(user_, fmt::format("task {}", i)));
  const std::vector<Task> tasks = TasksOf(store().ApplyAll(ListOf(creates)));
  EXPECT_EQ(ListAll(user_, {}), tasks);
  EXPECT_EQ(SeqsOf(AllChanges(store(), user_)), UpTo(ports::TaskStore::kMaxMutations));
}

TEST_P(TaskStoreContract, ListsOfOneUserAtOnceDoNotMingle) {
  constexpr int kCallers = 6;
  const Task shared = Apply(Create(user_, "shared"));
  std::vector<std::vector<Task>> written(kCallers);
  InParallel(kCallers, [&](int i) {
    const std::string name = fmt::format("by {}", i);
    written[static_cast<std::size_t>(i)] = TasksOf(
        store().ApplyAll(ListOf({Create(user_, name), Rename(shared, name), Create(user_, name)})));
  });
  for (const std::vector<Task>& tasks : written) {
    ASSERT_EQ(tasks.size(), 3u);
    EXPECT_EQ(tasks[1].seq, tasks[0].seq + 1);
    EXPECT_EQ(tasks[2].seq, tasks[0].seq + 2);
  }
  EXPECT_EQ(SeqsOf(AllChanges(store(), user_)), UpTo(1 + 3 * kCallers));
  EXPECT_EQ(store().Get(user_, shared.id)->version, 1 + kCallers);
}

TEST_P(TaskStoreContract, OneListFromTwoCallersAtOnceIsWrittenOnce) {
  const ports::MutationList list = ListOf({Create(user_, "a"), Create(user_, "b")});
  std::vector<std::vector<Task>> answers(4);
  InParallel(
      4, [&](int i) { answers[static_cast<std::size_t>(i)] = TasksOf(store().ApplyAll(list)); });
  for (const std::vector<Task>& tasks : answers) EXPECT_EQ(tasks, answers[0]);
  EXPECT_EQ(SeqsOf(AllChanges(store(), user_)), UpTo(2));
}

TEST_P(TaskStoreContract, SeveralChangesAreFoundBySearching) {
  const Task task = Apply(Create(user_, "before"));
  ASSERT_THAT(store().ApplyAll(ListOf({Rename(task, "ΟΔΥΣΣΕΥΣ"), Create(user_, "Straße")})),
              IsOk());
  EXPECT_THAT(TitlesOf({.text = "οδυσσευς"}), ElementsAre("ΟΔΥΣΣΕΥΣ"));
  EXPECT_THAT(TitlesOf({.text = "STRASSE"}), ElementsAre("Straße"));
}

TEST_P(TaskStoreContract, AChangeInAListCountsAsOneOfTheUser) {
  const Task task = Apply(CreateRecurring(user_, "title"));
  ASSERT_THAT(store().ApplyAll(ListOf({Rename(task, "renamed"), Create(user_, "other")})), IsOk());
  const auto members = MembersOf(task);
  ASSERT_EQ(members.size(), 1u);
  EXPECT_FALSE(members[0].untouched);
}

TEST_P(TaskStoreContract, AListThatOnlyAddsRemindersWakesToo) {
  const Task task = Apply(Create(user_, "title"));
  const int wakes = environment_->wakes().count();
  Mutation change = ChangeOf(ChangeKind::kUpdated, task);
  change.reminders.added.emplace_back().at = At("2026-04-01T09:00:00Z");
  ASSERT_THAT(store().ApplyAll(ListOf({change})), IsOk());
  EXPECT_EQ(environment_->wakes().count(), wakes + 1);
  EXPECT_EQ(SeqsOf(AllChanges(store(), user_)), UpTo(1)) << "the task is as it was";
}

// First answers.

ports::RequestName NameOf(const Mutation& mutation) {
  return {mutation.user, mutation.request_id, mutation.fingerprint};
}
ports::RequestName NameOf(const ports::MutationList& list) {
  return {list.mutations.front().user, list.request_id, list.fingerprint};
}

TEST_P(TaskStoreContract, TheFirstAnswersOfARequestCanBeAskedFor) {
  const Mutation create = Create(user_, "a");
  EXPECT_EQ(store().FirstAnswers(NameOf(create)).value(), std::nullopt);
  const Task a = Apply(create);
  const Mutation no_change = Rename(a, "a");
  Apply(no_change);
  const ports::MutationList list =
      ListOf({Rename(a, "renamed"), Rename(a, "renamed"), ChangeOf(ChangeKind::kDeleted, a)});
  const std::vector<Task> tasks = TasksOf(store().ApplyAll(list));

  const auto of_create = store().FirstAnswers(NameOf(create));
  EXPECT_THAT(TasksOf(**of_create), ElementsAre(a));
  EXPECT_TRUE((**of_create)[0].changed);
  EXPECT_TRUE((**of_create)[0].repeated);
  const auto of_no_change = store().FirstAnswers(NameOf(no_change));
  EXPECT_THAT(TasksOf(**of_no_change), ElementsAre(a));
  EXPECT_FALSE((**of_no_change)[0].changed);
  const auto of_list = store().FirstAnswers(NameOf(list));
  EXPECT_EQ(TasksOf(**of_list), tasks);
  EXPECT_TRUE(tasks[2].deleted);
  EXPECT_TRUE((**of_list)[0].changed);
  EXPECT_FALSE((**of_list)[1].changed) << "it was called that already";

  ports::RequestName other = NameOf(list);
  other.fingerprint = "another call";
  EXPECT_THAT(store().FirstAnswers(other),
              AllOf(StatusIs(StatusCode::kAlreadyExists), HasReason("REQUEST_ID_REUSED")));
  other = NameOf(list);
  other.user = other_;
  EXPECT_EQ(store().FirstAnswers(other).value(), std::nullopt) << "of another user";
}

// Restoring.

Mutation RestorationOf(const Task& task) {
  Mutation restoration = ChangeOf(ChangeKind::kCreated, task);
  restoration.restores = true;
  restoration.now = At("2026-03-01T12:00:00Z");
  return restoration;
}

TEST_P(TaskStoreContract, ARestoredTaskComesBackUnderItsIdAsItWas) {
  Mutation create = CreateRecurring(user_, "title");
  create.fields.description = "description";
  create.fields.tags = {"home"};
  const Task task = Apply(create);
  const Task done = Apply(ChangeOf(ChangeKind::kCompleted, task));
  Apply(ChangeOf(ChangeKind::kDeleted, task));
  const Mutation restoration = RestorationOf(task);
  const auto result = store().Apply(restoration);
  ASSERT_THAT(result, IsOk());
  EXPECT_TRUE(result->changed);
  Task expected = done;
  expected.version = 4;
  expected.seq = 4;
  expected.updated_at = restoration.now;
  EXPECT_EQ(result->task, expected);
  EXPECT_EQ(store().Get(user_, task.id).value(), expected);
  EXPECT_THAT(ListAll(user_, {.text = "descr"}), ElementsAre(expected));
  const Change change = AllChanges(store(), user_).back();
  EXPECT_EQ(change.kind, ChangeKind::kCreated);
  EXPECT_EQ(change.version, 4);
  EXPECT_EQ(change.event_id, restoration.event_id);
  EXPECT_EQ(change.request_id, restoration.request_id);
  EXPECT_EQ(store().Apply(restoration)->task, expected) << "repeated";
  EXPECT_EQ(SeqsOf(AllChanges(store(), user_)), UpTo(4));
}

TEST_P(TaskStoreContract, RestoringATaskThatIsNotDeletedChangesNothing) {
  const Task task = Apply(Create(user_, "title"));
  const auto result = store().Apply(RestorationOf(task));
  ASSERT_THAT(result, IsOk());
  EXPECT_FALSE(result->changed);
  EXPECT_EQ(result->task, task);
  EXPECT_EQ(SeqsOf(AllChanges(store(), user_)), UpTo(1));
}

TEST_P(TaskStoreContract, OnlyADeletedTaskOfTheUserCanBeRestored) {
  const Task task = Apply(Create(user_, "title"));
  Apply(ChangeOf(ChangeKind::kDeleted, task));
  Task unknown = task;
  unknown.id = TaskId{task.id.value + 4711};
  EXPECT_THAT(store().Apply(RestorationOf(unknown)), StatusIs(StatusCode::kNotFound));
  Task of_other = task;
  of_other.user = other_;
  EXPECT_THAT(store().Apply(RestorationOf(of_other)), StatusIs(StatusCode::kNotFound));
  Mutation stale = RestorationOf(task);
  stale.expected_version = 1;
  EXPECT_THAT(store().Apply(stale), HasReason("STALE_ETAG"));
  EXPECT_THAT(store().Apply(Rename(task, "other")), StatusIs(StatusCode::kNotFound));
  EXPECT_EQ(SeqsOf(AllChanges(store(), user_)), UpTo(2));
}

TEST_P(TaskStoreContract, ASkippedTaskIsRestoredWithoutItsSkip) {
  const Task task = Apply(CreateRecurring(user_, "title"));
  Mutation skip = ChangeOf(ChangeKind::kDeleted, task);
  skip.skips = true;
  Apply(skip);
  EXPECT_EQ(Apply(RestorationOf(task)).skipped_at, std::nullopt);
  const auto members = MembersOf(task);
  ASSERT_EQ(members.size(), 1u);
  EXPECT_FALSE(members[0].untouched);
}

TEST_P(TaskStoreContract, ARestoredOpenTaskCountsToTheLimit) {
  ports::TaskStore& limited = environment_->limited_store();
  const Task open = Apply(Create(user_, "open"));
  const Task done = Apply(Create(user_, "done"));
  Apply(ChangeOf(ChangeKind::kCompleted, done));
  for (const Task& task : {open, done}) Apply(ChangeOf(ChangeKind::kDeleted, task));
  std::vector<Task> others;
  for (std::int64_t i = 0; i < TaskStoreEnvironment::kOpenTasks; ++i)
    others.push_back(limited.Apply(Create(user_, fmt::format("{}", i)))->task);
  EXPECT_THAT(limited.Apply(RestorationOf(open)), HasReason("TOO_MANY_OPEN_TASKS"));
  EXPECT_THAT(limited.Apply(RestorationOf(done)), IsOk()) << "it adds no open task";
  Apply(ChangeOf(ChangeKind::kDeleted, others[0]));
  EXPECT_THAT(limited.Apply(RestorationOf(open)), IsOk());
  EXPECT_THAT(limited.Apply(Create(user_, "one more")), HasReason("TOO_MANY_OPEN_TASKS"));
}

TEST_P(TaskStoreContract, AListRestoresATaskAndChangesIt) {
  const Task task = Apply(Create(user_, "title"));
  Apply(ChangeOf(ChangeKind::kDeleted, task));
  const std::vector<Task> tasks = TasksOf(
      store().ApplyAll(ListOf({RestorationOf(task), Rename(task, "renamed"),
                               ChangeOf(ChangeKind::kDeleted, task), RestorationOf(task)})));
  ASSERT_EQ(tasks.size(), 4u);
  EXPECT_EQ(tasks[3].fields.title, "renamed");
  EXPECT_EQ(store().Get(user_, task.id).value(), tasks[3]);
}

TEST_P(TaskStoreContract, ADeletedTaskIsReadWhereItIsAskedFor) {
  const Task task = Apply(Create(user_, "title"));
  EXPECT_EQ(store().GetEvenDeleted(user_, task.id).value(), task);
  const Task deleted = Apply(ChangeOf(ChangeKind::kDeleted, task));
  EXPECT_EQ(store().GetEvenDeleted(user_, task.id).value(), deleted);
  EXPECT_THAT(store().GetEvenDeleted(other_, task.id), StatusIs(StatusCode::kNotFound));
}

// Series.

TEST_P(TaskStoreContract, ASeriesPositionIsReadBackAsItWas) {
  Mutation mutation = CreateRecurring(user_, "title");
  mutation.series->rule_since = 7;
  mutation.series->anchor_is_later = true;
  mutation.series->following = {.title = "ünd 🛒 \"more\"",
                                .description = std::optional<std::string>(),
                                .priority = Priority::kHigh,
                                .tags = {{"a", "with, comma"}},
                                .due_kind = domain::DueKind::kDate,
                                .time_zone = "Europe/Berlin"};
  const Task task = Apply(mutation);
  EXPECT_EQ(task.series, mutation.series);
  Mutation change = Rename(task, "renamed");
  change.patch.series = mutation.series;
  (*change.patch.series)->following = {};
  (*change.patch.series)->anchor_is_later = false;
  EXPECT_EQ(Apply(change).series, *change.patch.series);
}

TEST_P(TaskStoreContract, ASkippedTaskIsDeletedWithTheTimeOfTheSkip) {
  const Task task = Apply(CreateRecurring(user_, "title"));
  Mutation skip = ChangeOf(ChangeKind::kDeleted, task);
  skip.skips = true;
  EXPECT_EQ(Apply(skip).skipped_at, skip.now);
  EXPECT_EQ(store().Get(user_, task.id).status().code(), StatusCode::kNotFound);
  const auto logged = domain::ParseTaskJson(AllChanges(store(), user_).back().task_json);
  EXPECT_EQ(logged->skipped_at, skip.now);
}

TEST_P(TaskStoreContract, ASeriesIsItsOpenTasksWithThoseDoneBeforeThemAndItsLast) {
  const std::vector<Task> tasks = CreateSeries(4);
  Apply(CreateRecurring(user_, "of another series"));
  const Task done = Apply(ChangeOf(ChangeKind::kCompleted, tasks[0]));
  EXPECT_THAT(MembersOf(tasks[0]),
              ElementsAre(ports::SeriesMember{done}, ports::SeriesMember{tasks[1]},
                          ports::SeriesMember{tasks[2]}, ports::SeriesMember{tasks[3]}));
  const Task done_too = Apply(ChangeOf(ChangeKind::kCompleted, tasks[1]));
  EXPECT_THAT(MembersOf(tasks[0]),
              ElementsAre(ports::SeriesMember{done_too}, ports::SeriesMember{tasks[2]},
                          ports::SeriesMember{tasks[3]}));
  for (const Task& task : {tasks[1], tasks[2]}) Apply(ChangeOf(ChangeKind::kDeleted, task));
  EXPECT_THAT(MembersOf(tasks[0]),
              ElementsAre(ports::SeriesMember{done}, ports::SeriesMember{tasks[3]}))
      << "over a gap";
  const Task last = Apply(ChangeOf(ChangeKind::kCompleted, tasks[3]));
  EXPECT_THAT(MembersOf(tasks[0]), ElementsAre(ports::SeriesMember{last}));
  Apply(ChangeOf(ChangeKind::kDeleted, tasks[3]));
  const auto members = MembersOf(tasks[0]);
  ASSERT_EQ(members.size(), 1u);
  EXPECT_EQ(members[0].task.id, last.id);
  EXPECT_TRUE(members[0].task.deleted) << "a tombstone is the last too";
  EXPECT_THAT(*store().ListSeries(other_, tasks[0].series->series_id), IsEmpty())
      << "of this user only";
}

TEST_P(TaskStoreContract, OfALongSeriesOnlyTheFirstMembersAreRead) {
  const std::vector<Task> tasks = CreateSeries(ports::TaskStore::kMaxSeriesMembers + 3);
  const auto members = MembersOf(tasks[0]);
  ASSERT_EQ(members.size(), std::size_t{ports::TaskStore::kMaxSeriesMembers});
  EXPECT_EQ(members.front().task, tasks.front());
  EXPECT_EQ(members.back().task, tasks[ports::TaskStore::kMaxSeriesMembers - 1]);
}

TEST_P(TaskStoreContract, ChangesOfASeriesAreOneStep) {
  const std::vector<Task> tasks = CreateSeries(3);
  const int wakes = environment_->wakes().count();
  ports::SeriesMutation mutation{
      .first = Rename(tasks[1], "first"),
      .others = {Rename(tasks[0], "other"), ChangeOf(ChangeKind::kDeleted, tasks[2])},
      .series_id = tasks[0].series->series_id,
      .seen = MembersOf(tasks[0])};
  const auto result = store().ApplyToSeries(mutation);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->changed);
  EXPECT_EQ(result->task.id, tasks[1].id);
  EXPECT_EQ(result->task.fields.title, "first");
  EXPECT_EQ(store().Get(user_, tasks[0].id)->fields.title, "other");
  EXPECT_EQ(store().Get(user_, tasks[2].id).status().code(), StatusCode::kNotFound);
  EXPECT_GT(environment_->wakes().count(), wakes);
  const std::vector<Change> changes = AllChanges(store(), user_);
  EXPECT_EQ(SeqsOf(changes), UpTo(6));
  EXPECT_EQ(changes[3].event_id, mutation.first.event_id);
  EXPECT_EQ(changes[4].event_id, mutation.others[0].event_id);
  EXPECT_EQ(changes[5].kind, ChangeKind::kDeleted);
  for (std::size_t i = 3; i < 6; ++i)
    EXPECT_EQ(changes[i].request_id, mutation.first.request_id) << "it belongs to the call";

  const auto again = store().ApplyToSeries(mutation);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->task, result->task);
  EXPECT_FALSE(again->changed);
  EXPECT_EQ(AllChanges(store(), user_).size(), 6u) << "repeated: nothing happens again";
  mutation.first.fingerprint = "another call";
  EXPECT_EQ(store().ApplyToSeries(mutation).status().code(), StatusCode::kAlreadyExists);
}

TEST_P(TaskStoreContract, ChangesOfASeriesAreFoundBySearching) {
  const std::vector<Task> tasks = CreateSeries(2);
  const ports::SeriesMutation mutation{.first = Rename(tasks[1], "ΟΔΥΣΣΕΥΣ"),
                                       .others = {Rename(tasks[0], "Straße")},
                                       .series_id = tasks[0].series->series_id,
                                       .seen = MembersOf(tasks[0])};
  ASSERT_TRUE(store().ApplyToSeries(mutation).ok());
  EXPECT_THAT(TitlesOf({.text = "οδυσσευς"}), ElementsAre("ΟΔΥΣΣΕΥΣ"));
  EXPECT_THAT(TitlesOf({.text = "STRASSE"}), ElementsAre("Straße"));
  EXPECT_THAT(TitlesOf({.text = "1"}), IsEmpty());
}

TEST_P(TaskStoreContract, AChangeOfOtherMembersOnlyAnswersTheTaskUnchanged) {
  const std::vector<Task> tasks = CreateSeries(2);
  const Task done = Apply(ChangeOf(ChangeKind::kCompleted, tasks[0]));
  ports::SeriesMutation mutation{.first = ChangeOf(ChangeKind::kUpdated, done),
                                 .others = {Rename(tasks[1], "other")},
                                 .series_id = tasks[0].series->series_id,
                                 .seen = MembersOf(tasks[0])};
  const int wakes = environment_->wakes().count();
  const auto result = store().ApplyToSeries(mutation);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->task, done);
  EXPECT_GT(environment_->wakes().count(), wakes);
  EXPECT_EQ(store().ApplyToSeries(mutation)->task, done);
  EXPECT_EQ(SeqsOf(AllChanges(store(), user_)), UpTo(4));
}

TEST_P(TaskStoreContract, ASeriesThatIsNotAsItWasSeenIsLeftAsItIs) {
  const std::vector<Task> tasks = CreateSeries(2);
  ports::SeriesMutation mutation{.first = Rename(tasks[1], "first"),
                                 .others = {Rename(tasks[0], "other")},
                                 .series_id = tasks[0].series->series_id,
                                 .seen = MembersOf(tasks[0])};
  Apply(Rename(tasks[0], "meanwhile"));
  const auto overtaken = store().ApplyToSeries(mutation);
  EXPECT_EQ(overtaken.status().code(), StatusCode::kAborted);
  EXPECT_EQ(util::ReasonOf(overtaken.status()), "SERIES_CHANGED");

  mutation.seen = MembersOf(tasks[0]);
  mutation.first.expected_version = 2;
  const auto stale = store().ApplyToSeries(mutation);
  EXPECT_EQ(stale.status().code(), StatusCode::kAborted);
  EXPECT_EQ(util::ReasonOf(stale.status()), "STALE_ETAG");
  EXPECT_EQ(SeqsOf(AllChanges(store(), user_)), UpTo(3)) << "refused calls use no seq";

  mutation.first.expected_version = 1;
  EXPECT_TRUE(store().ApplyToSeries(mutation).ok()) << "the request id is still good";
}

TEST_P(TaskStoreContract, ConcurrentChangesOfASeriesAreAppliedOneAfterAnother) {
  const std::vector<Task> tasks = CreateSeries(2);
  InParallel(6, [&](int i) {
    for (bool done = false; !done;) {
      const ports::SeriesMutation mutation{
          .first = Rename(tasks[0], fmt::format("renamed by {}", i)),
          .others = {Rename(tasks[1], fmt::format("renamed by {}", i))},
          .series_id = tasks[0].series->series_id,
          .seen = MembersOf(tasks[0])};
      const auto result = store().ApplyToSeries(mutation);
      done = result.ok();
      EXPECT_TRUE(done || absl::IsAborted(result.status())) << result.status();
    }
  });
  EXPECT_EQ(store().Get(user_, tasks[0].id)->fields.title,
            store().Get(user_, tasks[1].id)->fields.title);
  EXPECT_EQ(SeqsOf(AllChanges(store(), user_)), UpTo(14));
}

// ---- the limit of open tasks

TEST_P(TaskStoreContract, AUserHasNoMoreOpenTasksThanTheLimit) {
  ports::TaskStore& limited = environment_->limited_store();
  const auto refused =
      AllOf(StatusIs(StatusCode::kResourceExhausted), HasReason("TOO_MANY_OPEN_TASKS"));
  std::vector<Task> tasks;
  for (std::int64_t i = 0; i < TaskStoreEnvironment::kOpenTasks; ++i) {
    const auto made = limited.Apply(Create(user_, fmt::format("{}", i)));
    ASSERT_THAT(made, IsOk());
    tasks.push_back(made->task);
  }
  EXPECT_THAT(limited.Apply(Create(user_, "one more")), refused);
  EXPECT_THAT(limited.Apply(Create(other_, "of another user")), IsOk());
  EXPECT_EQ(SeqsOf(AllChanges(store(), user_)), UpTo(3)) << "a refused call leaves no trace";

  // A completed task makes room, which it then does not get back.
  ASSERT_THAT(limited.Apply(ChangeOf(ChangeKind::kCompleted, tasks[0])), IsOk());
  ASSERT_THAT(limited.Apply(Create(user_, "instead")), IsOk());
  EXPECT_THAT(limited.Apply(ChangeOf(ChangeKind::kUncompleted, tasks[0])), refused);
  EXPECT_TRUE(limited.Get(user_, tasks[0].id)->completed);
  ASSERT_THAT(limited.Apply(ChangeOf(ChangeKind::kDeleted, tasks[1])), IsOk());
  EXPECT_THAT(limited.Apply(ChangeOf(ChangeKind::kUncompleted, tasks[0])), IsOk());
  // What changes no number of open tasks is never refused.
  EXPECT_THAT(limited.Apply(Rename(tasks[2], "renamed")), IsOk());
  EXPECT_THAT(limited.Apply(Create(user_, "one more")), refused);
}

TEST_P(TaskStoreContract, ARepeatedCallIsAnsweredAlsoAtTheLimitOfOpenTasks) {
  ports::TaskStore& limited = environment_->limited_store();
  const Mutation last = Create(user_, "last");
  const ports::MutationList list = ListOf({Create(user_, "a"), Create(user_, "b")});
  ASSERT_THAT(limited.ApplyAll(list), IsOk());
  const auto made = limited.Apply(last);
  ASSERT_THAT(made, IsOk());
  EXPECT_EQ(limited.Apply(last)->task, made->task);
  EXPECT_THAT(limited.ApplyAll(list), IsOk());
}

TEST_P(TaskStoreContract, ARefusedCallMayBeRepeatedWhenThereIsRoom) {
  ports::TaskStore& limited = environment_->limited_store();
  const Task first = Apply(Create(user_, "first"));
  for (const char* title : {"second", "third"}) Apply(Create(user_, title));
  const Mutation create = Create(user_, "fourth");
  EXPECT_THAT(limited.Apply(create), HasReason("TOO_MANY_OPEN_TASKS"));
  Apply(ChangeOf(ChangeKind::kCompleted, first));
  EXPECT_THAT(limited.Apply(create), IsOk());
}

TEST_P(TaskStoreContract, AListThatWouldPassTheLimitOfOpenTasksIsRefusedAsAWhole) {
  ports::TaskStore& limited = environment_->limited_store();
  const Task open = Apply(Create(user_, "open"));
  const auto refused =
      limited.ApplyAll(ListOf({Create(user_, "a"), Create(user_, "b"), Create(user_, "c")}));
  EXPECT_THAT(refused, HasReason("TOO_MANY_OPEN_TASKS"));
  EXPECT_EQ(util::IndexOf(refused.status()), 2u);
  EXPECT_THAT(ListAll(user_, {}), ElementsAre(open));
  EXPECT_THAT(limited.ApplyAll(ListOf({Create(user_, "a"), ChangeOf(ChangeKind::kCompleted, open),
                                       Create(user_, "b"), Create(user_, "c")})),
              IsOk())
      << "a change before makes room";
}

TEST_P(TaskStoreContract, CallsAtOnceDoNotPassTheLimitOfOpenTasks) {
  ports::TaskStore& limited = environment_->limited_store();
  std::atomic<int> made = 0;
  InParallel(8, [&](int i) {
    if (limited.Apply(Create(user_, fmt::format("{}", i))).ok()) ++made;
  });
  EXPECT_EQ(made, TaskStoreEnvironment::kOpenTasks);
}

// ---- callers that wait no longer

TEST_P(TaskStoreContract, AListEndsWhenItsCallerHasGone) {
  Apply(Create(user_, "title"));
  EXPECT_THAT(store().List(user_, {.cancellation = {.requested = [] { return true; }}}),
              StatusIs(StatusCode::kCancelled));
  const auto late = store().List(
      user_, {.cancellation = {.requested = {}, .deadline = std::chrono::steady_clock::now()}});
  EXPECT_THAT(late, AllOf(StatusIs(StatusCode::kDeadlineExceeded), HasReason("DEADLINE_PASSED")));
  EXPECT_THAT(store().List(user_, {.cancellation = {.requested = [] { return false; }}}), IsOk());
}

}  // namespace
}  // namespace todo::contract
