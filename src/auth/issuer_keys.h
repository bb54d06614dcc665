#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "auth/key_set.h"
#include "util/backoff.h"
#include "util/bell.h"
#include "util/guarded.h"

namespace todo::auth {

/// The keys of one issuer, kept fresh by a thread of their own. If reading fails, the last good
/// keys stay. A key that the issuer has removed counts until the next read.
/// Thread safety: Current and Missed may be called from many threads at once and never block; Run
/// and Refresh belong to one thread, and block.
class IssuerKeys {
 public:
  /// The keys as they were read. Never changes.
  struct Snapshot {
    KeySet keys;
    std::uint64_t generation = 0;  // another one for every other set of keys, from 1
  };

  struct Options {
    std::string issuer;  // for the log
    /// The text of the key set. Blocks, with a deadline of its own.
    std::function<absl::StatusOr<std::string>()> read;
    KeySet::SharedSecrets secrets = KeySet::SharedSecrets::kRefused;
    std::string rsa_algorithm = {};  // see KeySet::Parse
    /// How long to wait after a read.
    std::chrono::milliseconds refresh{600'000};
    /// A token with an unknown key ends that wait, though not before this time. At most `refresh`.
    std::chrono::milliseconds least_pause{60'000};
  };
  explicit IssuerKeys(Options options) : options_(std::move(options)) {}

  /// null: the keys have never been read.
  std::shared_ptr<const Snapshot> Current() const { return *current_.Lock(); }

  /// Says that a token named a key that is not among the current ones.
  void Missed() {
    if (!missed_.exchange(true)) bell_.Ring();
  }

  /// Reads the keys once, and logs failures and changes. Returns how long to wait until the next
  /// read.
  std::chrono::milliseconds Refresh();

  /// Refreshes again and again, until `stop`.
  void Run(const std::stop_token& stop);

 private:
  const Options options_;
  util::Bell bell_;
  std::atomic<bool> missed_ = false;  // the bell has rung since the last read began
  mutable util::Guarded<std::shared_ptr<const Snapshot>> current_;
  std::string text_;     // that the current keys were made from
  std::string failure_;  // the failure that was logged last
  util::Backoff backoff_{std::chrono::seconds(1), std::chrono::seconds(60)};
};

}  // namespace todo::auth
