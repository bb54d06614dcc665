#pragma once

#include <mutex>
#include <utility>

namespace todo::util {

/// A value that can be reached only with its lock held:
///
///   Guarded<std::map<int, int>> counts;
///   counts.Lock()->emplace(1, 2);       // locked until the end of the statement
///   { auto handle = counts.Lock(); … }  // locked until the end of the block
///
/// Never call out of the room while a handle lives.
template <typename T>
class Guarded {
 public:
  class Handle {
   public:
    T* operator->() { return value_; }
    T& operator*() { return *value_; }
    /// For condition variables.
    std::unique_lock<std::mutex>& lock() { return lock_; }

   private:
    friend class Guarded;
    Handle(std::mutex& mutex, T& value) : lock_(mutex), value_(&value) {}
    std::unique_lock<std::mutex> lock_;
    T* value_;
  };

  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}
  /// Makes the value in place, for types that cannot be moved.
  template <typename... Args>
  explicit Guarded(std::in_place_t /*tag*/, Args&&... args) : value_(std::forward<Args>(args)...) {}

  [[nodiscard]] Handle Lock() { return Handle(mutex_, value_); }

 private:
  std::mutex mutex_;
  T value_{};
};

}  // namespace todo::util
