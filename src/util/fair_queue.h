#pragma once

#include <cstddef>
#include <deque>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "util/require.h"

namespace todo::util {

/// The part of a queue and of its workers that one key (a user) may hold.
struct Share {
  static constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
  std::size_t running = kAll;  // > 0
  std::size_t waiting = kAll;  // > 0
  std::size_t aside = kAll;
};

/// A bounded queue of items that belong to keys. Keys take turns: the next item is the oldest one
/// of the key whose turn it is, so a key with many items delays another key by one item at most. A
/// key that has its share running waits until one of its items is done, and others go first. All
/// operations take constant time; a key without items takes no memory. Thread safety: none; the
/// owner locks.
template <typename Item>
class FairQueue {
 public:
  FairQueue(std::size_t limit, Share share) : limit_(limit), share_(share) {
    TODO_REQUIRE(share.running > 0 && share.waiting > 0);
  }
  FairQueue(const FairQueue&) = delete;  // turns_ points into keys_
  FairQueue& operator=(const FairQueue&) = delete;

  /// False: the queue is full, or the key has its share of it.
  [[nodiscard]] bool Push(std::string_view key, Item item) {
    if (size_ >= limit_) return false;
    Entry& entry = *keys_.try_emplace(std::string(key)).first;
    if (entry.second.waiting.size() >= share_.waiting) return false;
    entry.second.waiting.push_back(std::move(item));
    ++size_;
    TakeTurn(entry);
    return true;
  }

  /// Whether Pop would answer an item.
  bool CanPop() const { return !turns_.empty(); }

  struct Popped {
    std::string key;
    Item item;
  };
  /// The next item, which counts as running until Done. nullopt: none waits, or every key with
  /// waiting items has its share running.
  std::optional<Popped> Pop() {
    if (turns_.empty()) return std::nullopt;
    Entry& entry = *turns_.front();
    turns_.pop_front();
    KeyState& state = entry.second;
    state.has_turn = false;
    Popped popped{.key = entry.first, .item = std::move(state.waiting.front())};
    state.waiting.pop_front();
    --size_;
    ++state.running;
    ++running_;
    TakeTurn(entry);
    return popped;
  }

  /// To be called once for each popped item.
  void Done(const std::string& key) {
    const auto found = keys_.find(key);
    if (found == keys_.end()) return;
    --found->second.running;
    --running_;
    TakeTurn(*found);
    ForgetIfIdle(found);
  }

  /// A running item of the key no longer counts as running, so that another one may run. False: the
  /// key has its share of such items.
  [[nodiscard]] bool StepAside(const std::string& key) {
    Entry& entry = *keys_.find(key);
    if (entry.second.aside >= share_.aside) return false;
    ++entry.second.aside;
    ++aside_;
    --entry.second.running;
    --running_;
    TakeTurn(entry);
    return true;
  }
  /// It counts again, even when its key has its share running by now.
  void StepBack(const std::string& key) {
    KeyState& state = keys_.find(key)->second;
    --state.aside;
    --aside_;
    ++state.running;
    ++running_;
  }

  /// Takes all waiting items out of the queue.
  std::deque<Item> Clear() {
    std::deque<Item> items;
    turns_.clear();
    for (auto it = keys_.begin(); it != keys_.end();) {
      KeyState& state = it->second;
      for (Item& item : state.waiting) items.push_back(std::move(item));
      state.waiting.clear();
      state.has_turn = false;
      it = state.running + state.aside == 0 ? keys_.erase(it) : std::next(it);
    }
    size_ = 0;
    return items;
  }

  std::size_t size() const { return size_; }        // waiting
  std::size_t running() const { return running_; }  // popped, and neither done nor aside
  std::size_t aside() const { return aside_; }

 private:
  struct KeyState {
    std::deque<Item> waiting;
    std::size_t running = 0;
    std::size_t aside = 0;
    bool has_turn = false;  // in turns_
  };
  using Keys = std::unordered_map<std::string, KeyState>;
  using Entry = typename Keys::value_type;

  /// Puts the key at the end of the turns, if it can use one.
  void TakeTurn(Entry& entry) {
    KeyState& state = entry.second;
    if (state.has_turn || state.waiting.empty() || state.running >= share_.running) return;
    state.has_turn = true;
    turns_.push_back(&entry);
  }

  void ForgetIfIdle(typename Keys::iterator it) {
    const KeyState& state = it->second;
    if (state.running + state.aside == 0 && state.waiting.empty()) keys_.erase(it);
  }

  const std::size_t limit_;
  const Share share_;
  std::size_t size_ = 0;
  std::size_t running_ = 0;
  std::size_t aside_ = 0;
  Keys keys_;
  std::deque<Entry*> turns_;  // nodes of an unordered_map stay where they are
};

}  // namespace todo::util
