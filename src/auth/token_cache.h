#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "domain/time.h"
#include "ports/authenticator.h"
#include "util/guarded.h"

namespace todo::auth {

/// The callers of verified tokens, so that only the first call with a token costs a signature. A
/// token is known by its digest alone. At most twice `capacity` tokens are kept: when `capacity` of
/// them were new, those that nobody has used meanwhile are dropped.
/// Thread safety: all methods may be called from many threads at once. None blocks.
class TokenCache {
 public:
  struct Entry {
    ports::Identity identity;
    domain::Instant valid_until;
    std::size_t issuer = 0;            // index
    std::uint64_t key_generation = 0;  // of the keys that have verified the token
  };

  /// Precondition: `capacity` > 0.
  explicit TokenCache(std::size_t capacity);

  /// null: the token is not known. The caller decides whether the entry still counts.
  std::shared_ptr<const Entry> Find(const std::string& digest);

  /// Adds an entry, or replaces it.
  void Put(const std::string& digest, Entry entry);

  std::size_t size() const;

 private:
  using Map = std::unordered_map<std::string, std::shared_ptr<const Entry>>;
  struct Generations {
    Map young;  // added or used since the last drop
    Map old;
  };
  void Add(const std::string& digest, std::shared_ptr<const Entry> entry);

  const std::size_t capacity_;
  mutable util::Guarded<Generations> maps_;
};

}  // namespace todo::auth
