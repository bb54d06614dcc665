#pragma once

#include <random>
#include <string>

#include "domain/ids.h"

namespace todo::bench {

/// Random ids, quick to make. For one thread.
class Ids {
 public:
  explicit Ids(unsigned seed) : random_(seed) {}

  domain::Uuid Next() {
    std::string bytes(16, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_());
    return domain::Uuid::FromBytes(bytes, 4);
  }
  int Below(int limit) { return std::uniform_int_distribution<>(0, limit - 1)(random_); }

 private:
  std::mt19937 random_;
};

}  // namespace todo::bench
