#include "contract/audit_log_contract.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "domain/event/event_writer.h"
#include "util/status.h"

namespace todo::contract {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AuditLogContract);

using domain::Change;
using domain::UserId;
using ports::AuditFindings;
using ports::MissingEvent;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

constexpr milliseconds kLease{5'000};

std::vector<std::int64_t> SeqsOf(const absl::StatusOr<std::vector<MissingEvent>>& events) {
  EXPECT_TRUE(events.ok()) << events.status();
  std::vector<std::int64_t> seqs;
  for (const MissingEvent& event : events.value()) seqs.push_back(event.change.seq);
  return seqs;
}

}  // namespace

void AuditLogContract::SetUp() {
  environment_ = GetParam()();
  if (environment_ == nullptr) GTEST_SKIP() << "needs a database";
  audit_ = environment_->NewAudit(1'000, 10'000);
  ASSERT_TRUE(audit_->Enroll({"all"}).ok());
  scope_.now = At("2026-03-01T12:00:00Z");
  scope_.overdue_before = At("2026-03-01T11:55:00Z");
  scope_.oldest = At("2026-02-01T00:00:00Z");
  scope_.due_at = At("2026-03-01T12:05:00Z");
}

Change AuditLogContract::NewChange(const UserId& user) {
  const auto result = environment_->store().Apply(Create(user, "a task"));
  EXPECT_TRUE(result.ok()) << result.status();
  return AllChanges(environment_->store(), user).back();
}

void AuditLogContract::Take(const Change& change, std::string_view consumer) {
  domain::ReceivedEvent received;
  received.event.id = change.event_id;
  received.event.at = change.at;
  const auto status = environment_->inbox().Transact([&](ports::InboxTransaction& transaction) {
    return transaction.Claim(consumer, {received}).status();
  });
  EXPECT_TRUE(status.ok()) << status;
}

std::vector<ports::OutboxMessage> AuditLogContract::Publish() {
  std::vector<ports::OutboxMessage> messages;
  auto shards = environment_->outbox().Renew("relay", kLease);
  EXPECT_TRUE(shards.ok()) << shards.status();
  for (bool any = true; any;) {
    any = false;
    auto batches = environment_->outbox().Read(shards->owned, 100);
    EXPECT_TRUE(batches.ok()) << batches.status();
    for (std::size_t i = 0; i < batches->size(); ++i) {
      auto& batch = batches->at(i);
      any = any || !batch.changes.empty() || !batch.messages.empty();
      messages.insert(messages.end(), batch.messages.begin(), batch.messages.end());
      shards->owned.at(i).cursor = batch.next;
    }
  }
  EXPECT_THAT(environment_->outbox().Advance(shards->owned).value(), IsEmpty());
  return messages;
}

AuditFindings AuditLogContract::Look(std::string_view consumer) {
  const absl::StatusOr<AuditFindings> findings = audit_->Look(consumer, scope_);
  EXPECT_TRUE(findings.ok()) << findings.status();
  return findings.value_or(AuditFindings());
}

std::vector<MissingEvent> AuditLogContract::Missing(std::string_view consumer) {
  return audit_->Due(consumer, scope_.now + std::chrono::hours(24), 1'000).value();
}

std::vector<std::int64_t> AuditLogContract::MissingSeqs(std::string_view consumer) {
  return SeqsOf(Missing(consumer));
}

std::vector<std::int64_t> AuditLogContract::PassedOver() {
  return SeqsOf(audit_->PassedOver("all", 1'000));
}

void AuditLogContract::Repeat(const std::vector<MissingEvent>& events) {
  std::vector<ports::Repetition> repetitions;
  for (const MissingEvent& event : events) {
    repetitions.push_back({.change_id = event.change_id,
                           .repeats = event.repeats,
                           .due_at = scope_.due_at,
                           .record = fmt::format("again {}", event.change.seq)});
  }
  EXPECT_TRUE(audit_->Repeat("all", "a-topic", repetitions).ok());
}

TEST_P(AuditLogContract, AnEventPublishedButNotTakenIsMissing) {
  const Change first = NewChange(user_);
  const Change second = NewChange(user_);
  Publish();
  Take(second);
  EXPECT_EQ(Look().missing, 1);
  const std::vector<MissingEvent> missing = Missing();
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_EQ(domain::TaskEventRecord(missing[0].change), domain::TaskEventRecord(first))
      << "all that its record is made of";
  EXPECT_EQ(missing[0].repeats, 0);
}

TEST_P(AuditLogContract, AnEventIsMissingForEachConsumerByItself) {
  for (const char* consumer : {"all", "some"}) {
    const Change change = NewChange(user_);
    Publish();
    Take(change, consumer);
  }
  Look();
  EXPECT_THAT(MissingSeqs(), ElementsAre(2));
}

TEST_P(AuditLogContract, AnUnpublishedChangeIsNotMissing) {
  NewChange(user_);
  EXPECT_EQ(Look().missing, 0);
  Publish();
  EXPECT_EQ(Look().missing, 1) << "a look does not go beyond what was published";
}

TEST_P(AuditLogContract, ARecentChangeIsLookedAtLater) {
  const Change change = NewChange(user_);
  Publish();
  scope_.overdue_before = change.at - milliseconds(1);
  EXPECT_EQ(Look().missing, 0);
  scope_.overdue_before = change.at;
  EXPECT_EQ(Look().missing, 1);
}

TEST_P(AuditLogContract, AChangeOlderThanTheInboxIsNotLookedAt) {
  const Change change = NewChange(user_);
  Publish();
  scope_.oldest = change.at + milliseconds(1);
  EXPECT_EQ(Look().missing, 0);
  scope_.oldest = At("2026-02-01T00:00:00Z");
  EXPECT_EQ(Look().missing, 0) << "each change is looked at once";
}

TEST_P(AuditLogContract, AMissingEventThatBecomesTooOldIsForgotten) {
  NewChange(user_);
  Publish();
  Look();
  scope_.oldest = At("2026-03-02T00:00:00Z");
  EXPECT_EQ(Look().missing, 0);
}

TEST_P(AuditLogContract, AnAuditBeginsWithItsConsumer) {
  NewChange(user_);
  Publish();
  NewChange(user_);  // not yet published, but no news either
  ASSERT_TRUE(audit_->Enroll({"all", "new"}).ok());
  NewChange(user_);
  Publish();
  Look();
  Look("new");
  EXPECT_THAT(MissingSeqs(), ElementsAre(1, 2, 3)) << "it goes on for one that was enrolled before";
  EXPECT_THAT(MissingSeqs("new"), ElementsAre(3));
}

TEST_P(AuditLogContract, AnEventTakenLateIsForgottenAndShowsThatTheConsumerIsBehind) {
  const Change first = NewChange(user_);
  const Change second = NewChange(other_);
  Publish();
  EXPECT_EQ(Look().late_take, std::nullopt);
  Take(first);
  const AuditFindings findings = Look();
  EXPECT_EQ(findings.missing, 1);
  EXPECT_EQ(findings.late_take, scope_.now);

  const auto then = scope_.now;
  scope_.now += std::chrono::minutes(1);
  Repeat(Missing());
  Take(second);
  EXPECT_EQ(Look().late_take, then) << "a copy of ours says nothing about the others";
  EXPECT_THAT(MissingSeqs(), IsEmpty());
}

TEST_P(AuditLogContract, EachMissingEventIsDueAtItsTime) {
  NewChange(user_);
  Publish();
  Look();
  EXPECT_THAT(SeqsOf(audit_->Due("all", scope_.due_at - milliseconds(1), 10)), IsEmpty());
  EXPECT_THAT(SeqsOf(audit_->Due("all", scope_.due_at, 10)), ElementsAre(1));
}

TEST_P(AuditLogContract, DueAnswersTheFirstMissingEventsOfTheLog) {
  std::vector<Change> changes;
  for (int i = 0; i < 4; ++i) changes.push_back(NewChange(user_));
  Publish();
  Look();
  Take(changes[1]);
  EXPECT_THAT(SeqsOf(audit_->Due("all", scope_.due_at, 2)), ElementsAre(1, 3))
      << "what was taken since the look is not answered";
}

TEST_P(AuditLogContract, AnEventIsPassedOverWhenALaterOneOfItsUserIsTaken) {
  std::vector<Change> changes;
  for (int i = 0; i < 4; ++i) changes.push_back(NewChange(user_));
  const Change others = NewChange(other_);
  Publish();
  Look();
  EXPECT_THAT(PassedOver(), IsEmpty()) << "a consumer that is behind has passed over nothing";
  Take(others);
  EXPECT_THAT(PassedOver(), IsEmpty()) << "other users' events go other ways";
  Take(changes[2]);
  EXPECT_THAT(PassedOver(), ElementsAre(1, 2)) << "and 4 may still come";
  EXPECT_THAT(SeqsOf(audit_->PassedOver("all", 1)), ElementsAre(1));
  Repeat(Missing());
  EXPECT_THAT(PassedOver(), IsEmpty()) << "published again, it has a new place";
}

TEST_P(AuditLogContract, ARepetitionIsAMessageWithTheEventsIdAndKeyForAllConsumers) {
  ASSERT_TRUE(audit_->Enroll({"second"}).ok());
  const Change first = NewChange(user_);
  const Change second = NewChange(other_);
  Publish();
  Look();
  Look("second");
  Repeat(Missing());
  const std::vector<ports::OutboxMessage> messages = Publish();
  ASSERT_EQ(messages.size(), 2u);
  for (const ports::OutboxMessage& message : messages) {
    const Change& change = message.key == user_.value ? first : second;
    EXPECT_EQ(message.topic, "a-topic");
    EXPECT_EQ(message.key, change.user.value);
    EXPECT_EQ(message.id, change.event_id.uuid);
    EXPECT_EQ(message.payload, "again 1");
  }
  EXPECT_EQ(Missing().at(0).repeats, 1);
  EXPECT_EQ(Missing("second").at(0).repeats, 1) << "the copy was for both";
}

TEST_P(AuditLogContract, RepetitionsKeepTheOrderOfTheLog) {
  for (int i = 0; i < 20; ++i) NewChange(user_);
  Publish();
  Look();
  Repeat(Missing());
  std::vector<std::string> payloads;
  for (const ports::OutboxMessage& message : Publish()) payloads.push_back(message.payload);
  std::vector<std::string> expected;
  for (int i = 1; i <= 20; ++i) expected.push_back(fmt::format("again {}", i));
  EXPECT_EQ(payloads, expected);
}

TEST_P(AuditLogContract, ARepetitionThatWasReadBeforeAnotherOnePostsNothing) {
  NewChange(user_);
  Publish();
  Look();
  const std::vector<MissingEvent> read = Missing();
  Repeat(read);
  Repeat(read);
  EXPECT_EQ(Publish().size(), 1u);
  EXPECT_EQ(Missing().at(0).repeats, 1);
}

TEST_P(AuditLogContract, ALostEventIsCountedUntilItIsTakenAfterAll) {
  const Change change = NewChange(user_);
  Publish();
  Look();
  ASSERT_TRUE(audit_->GiveUp("all", {Missing().at(0).change_id}, scope_.now).ok());
  EXPECT_EQ(environment_->LostCount(), 1);
  EXPECT_EQ(Look().missing, 0);
  EXPECT_THAT(Missing(), IsEmpty());
  Take(change);
  Look();
  EXPECT_EQ(environment_->LostCount(), 0);
}

TEST_P(AuditLogContract, ALookEndsAtItsLimitAndTheNextGoesOn) {
  audit_ = environment_->NewAudit(2, 10'000);
  for (int i = 0; i < 5; ++i) NewChange(user_);
  Publish();
  EXPECT_TRUE(Look().more);
  EXPECT_THAT(MissingSeqs(), ElementsAre(1, 2));
  EXPECT_TRUE(Look().more);
  EXPECT_FALSE(Look().more);
  EXPECT_THAT(MissingSeqs(), ElementsAre(1, 2, 3, 4, 5));
}

TEST_P(AuditLogContract, ALookTakesInNoMoreChangesWhileTooManyEventsAreMissing) {
  audit_ = environment_->NewAudit(2, 2);
  std::vector<Change> changes;
  for (int i = 0; i < 5; ++i) changes.push_back(NewChange(user_));
  Publish();
  Look();
  const AuditFindings findings = Look();
  EXPECT_FALSE(findings.more) << "nothing is won by looking again soon";
  EXPECT_EQ(findings.missing, 2);
  Take(changes[0]);
  Take(changes[1]);
  Look();
  EXPECT_THAT(MissingSeqs(), ElementsAre(3, 4));
}

TEST_P(AuditLogContract, TheOutboxFlowsWhileNothingOldWaits) {
  EXPECT_TRUE(audit_->OutboxFlows(scope_.now).value());
  const Change change = NewChange(user_);
  EXPECT_FALSE(audit_->OutboxFlows(scope_.now).value());
  EXPECT_TRUE(audit_->OutboxFlows(change.at).value()) << "what is young waits for its turn only";
  Publish();
  EXPECT_TRUE(audit_->OutboxFlows(scope_.now).value());
  Look();
  Repeat(Missing());
  EXPECT_FALSE(audit_->OutboxFlows(domain::kMaxInstant).value()) << "messages count too";
  Publish();
  EXPECT_TRUE(audit_->OutboxFlows(domain::kMaxInstant).value());
}

TEST_P(AuditLogContract, OneReplicaAuditsAtATime) {
  EXPECT_TRUE(audit_->TakeTurn("a", kLease).value());
  EXPECT_FALSE(audit_->TakeTurn("b", kLease).value());
  environment_->Pass(kLease - milliseconds(2'000));
  EXPECT_TRUE(audit_->TakeTurn("a", kLease).value()) << "it renews its lease";
  environment_->Pass(kLease - milliseconds(2'000));
  EXPECT_FALSE(audit_->TakeTurn("b", kLease).value());
  environment_->Pass(kLease);
  EXPECT_TRUE(audit_->TakeTurn("b", kLease).value());
  EXPECT_FALSE(audit_->TakeTurn("a", kLease).value());
}

}  // namespace todo::contract
