#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ports/preferred_zones.h"

namespace todo::contract {

/// An empty database with the zones on it.
class PreferredZonesEnvironment {
 public:
  virtual ~PreferredZonesEnvironment() = default;
  virtual ports::PreferredZones& zones() = 0;
};

/// The promises of PreferredZones. The parameter makes the environment; null skips the test.
class PreferredZonesContract
    : public testing::TestWithParam<std::function<std::unique_ptr<PreferredZonesEnvironment>()>> {
 protected:
  void SetUp() override {
    environment_ = GetParam()();
    if (environment_ == nullptr) GTEST_SKIP() << "needs a database";
  }
  ports::PreferredZones& zones() { return environment_->zones(); }
  /// The users with an announcement that has not ended, and the time of each.
  std::vector<std::pair<std::string, domain::Instant>> Announced(int limit = 10);

  std::unique_ptr<PreferredZonesEnvironment> environment_;
};

}  // namespace todo::contract
