#include "auth/token_cache.h"

#include <utility>

#include "util/require.h"

namespace todo::auth {

TokenCache::TokenCache(std::size_t capacity) : capacity_(capacity) { TODO_REQUIRE(capacity > 0); }

std::shared_ptr<const TokenCache::Entry> TokenCache::Find(const std::string& digest) {
  std::shared_ptr<const Entry> entry;
  {
    auto maps = maps_.Lock();
    if (const auto young = maps->young.find(digest); young != maps->young.end())
      return young->second;
    const auto old = maps->old.find(digest);
    if (old == maps->old.end()) return nullptr;
    entry = std::move(old->second);
    maps->old.erase(old);
  }
  Add(digest, entry);
  return entry;
}

void TokenCache::Put(const std::string& digest, Entry entry) {
  Add(digest, std::make_shared<const Entry>(std::move(entry)));
}

std::size_t TokenCache::size() const {
  auto maps = maps_.Lock();
  return maps->young.size() + maps->old.size();
}

void TokenCache::Add(const std::string& digest, std::shared_ptr<const Entry> entry) {
  Map dropped;  // freed after the lock
  auto maps = maps_.Lock();
  maps->young.insert_or_assign(digest, std::move(entry));
  if (maps->young.size() < capacity_) return;
  dropped = std::exchange(maps->old, std::exchange(maps->young, {}));
}

}  // namespace todo::auth
