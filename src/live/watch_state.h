#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "domain/event/event.h"
#include "domain/event/live_change.h"
#include "live/missed.h"
#include "ports/change_feed.h"
#include "ports/live_log.h"
#include "ports/task_store.h"

namespace todo::live {

/// What one watcher knows, and which message comes next. It reads and sends nothing itself: the
/// Take… functions tell it what has happened; then its owner sends what Next answers and begins
/// what TakeWork answers, until both have nothing.
///
/// A watch is resuming (with a cursor) or starting (without one), until the log was read; then it
/// is live, or a snapshot is made first. It becomes live behind the snapshot. While it is not live,
/// updates wait. A live watch sends an update only if it follows the last one. At any time at most
/// one read is in progress.
///
/// A watch that has become live catches up first, until nothing is left to send or to read: what it
/// sends then goes in portions, each after the sink has drained, so that no reader gets more than
/// its door can hold. However many changes come meanwhile, they are read in portions, too.
///
/// Thread safety: none; the owner locks. An idle live watch takes about 350 bytes.
class WatchState {
 public:
  // Bounds of waiting. More updates: all are dropped and read again. More notifications: the oldest
  // are dropped, because the list of notifications has them.
  static constexpr std::size_t kMaxHeldUpdates = 1'000;
  static constexpr std::size_t kMaxHeldBytes = 512 * 1024;
  static constexpr std::size_t kMaxHeldNotifications = 100;
  /// The updates in one portion have about so much JSON.
  static constexpr std::size_t kPortionBytes = 256 * 1024;

  /// `registers_late`: see FeedOptions.
  WatchState(std::optional<domain::ChangeCursor> cursor, ports::SnapshotScope scope,
             bool registers_late = false);

  /// An update from the bus: repeated, late or early ones are welcome.
  void TakeChange(const std::shared_ptr<const domain::LiveChange>& change);
  void TakeNotification(const ports::FeedNotification& notification);
  /// Something has changed; the log knows what.
  void TakeHint() { behind_ = hinted_ = true; }
  /// The answer of a check, which was about the cursor `asked`. `head_due`: it is time for a
  /// FeedHead. True: the answer is doubtful, check again soon.
  bool TakeCheck(const domain::ChangeCursor& asked, const ports::CheckedCursor& answer,
                 bool head_due);

  /// To be called immediately before the read that TakeWork wanted, and again before each repeated
  /// attempt. False: it is not wanted any more, and another one may be.
  bool BeginRead();
  void TakeMissed(const Missed& missed);

  /// How to read the next page of the snapshot: the tasks by `query`, and immediately after them
  /// the missed changes: behind `snapshot` after the last page, if one read can answer all of them;
  /// else none, but the head and whether `seen` is known.
  struct PagePlan {
    ports::TaskQuery query;
    domain::ChangeCursor snapshot;  // its cursor
    domain::ChangeCursor seen;      // the head when the page before was read
  };
  PagePlan BeginPage(int page_size);
  /// `next_limit`: of tasks in the next page; nullopt: the page size.
  void TakePage(ports::TaskPage page, const Missed& after_page,
                std::optional<int> next_limit = std::nullopt);

  /// The next message; it counts as sent.
  std::optional<ports::FeedMessage> Next();
  /// Whether TakeDrained is to be called when the message that Next answered last has left; once.
  /// Nothing goes on before that.
  bool TakeDrainWanted() { return std::exchange(drain_wanted_, false); }
  void TakeDrained();
  bool waits_for_drain() const { return waiting_ == Waiting::kForDrain; }

  struct PageWanted {};
  using Work = std::variant<MissedWanted, PageWanted>;
  /// A read that is to be begun, each once. To be called when Next has nothing.
  std::optional<Work> TakeWork();
  /// Whether a check should come soon; once.
  bool TakeCheckWanted() { return std::exchange(check_wanted_, false); }

  /// The cursor for a check; nullopt: there is nothing to check now.
  std::optional<domain::ChangeCursor> checkable() const;

 private:
  using Update = std::shared_ptr<const domain::LiveChange>;
  enum class Phase : std::uint8_t { kStarting, kResuming, kSnapshot, kLive };
  enum class Waiting : std::uint8_t { kForNothing, kForMissed, kForPage, kForDrain };
  static constexpr std::int64_t kNoHead = -1;

  /// The event ids of the changes sent last, as hashes: tells a repeated update from an update of
  /// another log.
  class Recent {
   public:
    void Note(const domain::ChangeCursor& sent) { At(sent.seq) = HashOf(sent); }
    void Forget() { hashes_.fill(kNone); }
    /// `newest`: of the change sent last. An older change than the recent ones does not contradict.
    bool Contradicts(const domain::ChangeCursor& update, std::int64_t newest);

   private:
    static constexpr std::size_t kSize = 16;
    static constexpr std::uint32_t kNone = 0;
    static std::uint32_t HashOf(const domain::ChangeCursor& cursor);
    std::uint32_t& At(std::int64_t seq) { return hashes_[static_cast<std::size_t>(seq) % kSize]; }
    std::array<std::uint32_t, kSize> hashes_{};
  };
  struct Snapshot {
    std::string next_page;
    domain::ChangeCursor seen;  // the newest head; the pages are not newer
    std::optional<int> limit;   // of tasks in the next page
  };

  bool HasGap() const;
  void Hold(const Update& update);
  void Release(std::map<std::int64_t, Update>::iterator held);
  void ReleaseAll();
  /// Releases the updates that `last_` covers.
  void ReleaseOld();
  /// Releases updates that the log, whose head is `head_seq`, should have had when it was read.
  void ReleaseForeign(std::int64_t head_seq);
  void Merge(const Missed& missed);
  /// Whether the log that was read lacks the change that `proof_` names.
  bool Disproves(const Missed& missed) const;
  ports::FeedMessage Sent(Update update);
  void Resync(ports::FeedResync::Reason reason, const domain::ChangeCursor& head);
  void BeginSnapshot(const domain::ChangeCursor& head);

  Phase phase_;
  Waiting waiting_ = Waiting::kForNothing;
  ports::SnapshotScope scope_;
  const bool registers_late_;
  bool read_begun_ = false;
  bool dropped_ = false;  // updates were dropped since the last read began
  bool behind_ = false;   // the log has changes that the bus has not brought
  bool hinted_ = false;   // behind_ is due to a hint, so that more may come soon
  bool check_wanted_ = false;
  bool drain_wanted_ = false;
  bool catching_up_ = false;  // live, but it has not yet been level with the log
  /// Live: the last change sent. Resuming: the watcher's cursor. Snapshot: the cursor of that.
  domain::ChangeCursor last_;
  Recent recent_;
  /// An update that contradicts what was sent. Nothing is sent until the log was asked about it.
  std::unique_ptr<domain::ChangeCursor> doubted_;
  std::unique_ptr<Snapshot> snapshot_;  // while one is made
  /// The tasks of the snapshot may be as new as this change. Until it is sent, the log must have
  /// it, and updates up to it come from the log alone.
  std::unique_ptr<domain::ChangeCursor> proof_;
  std::vector<ports::FeedMessage> first_;  // goes before everything else
  std::map<std::int64_t, Update> held_;    // by seq; live: behind last_
  std::size_t held_bytes_ = 0;
  std::size_t portion_bytes_ = 0;         // catching up: sent since the sink was drained
  std::int64_t newest_held_at_read_ = 0;  // when the last read began
  std::vector<ports::FeedNotification> notifications_;
  std::int64_t lacks_ = 0;              // at the last check the head had this seq, beyond last_
  std::int64_t head_due_at_ = kNoHead;  // a FeedHead is due when last_ has this seq
};

}  // namespace todo::live
