#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "ports/preferred_zones.h"

namespace todo::contract {

/// An empty database with the zones on it.
class PreferredZonesEnvironment {
 public:
  virtual ~PreferredZonesEnvironment() = default;
  virtual ports::PreferredZones& zones() = 0;
};

/// What PreferredZones promises. The parameter makes the environment; null skips the test.
class PreferredZonesContract
    : public testing::TestWithParam<std::function<std::unique_ptr<PreferredZonesEnvironment>()>> {
 protected:
  void SetUp() override {
    environment_ = GetParam()();
    if (environment_ == nullptr) GTEST_SKIP() << "needs a database";
  }
  ports::PreferredZones& zones() { return environment_->zones(); }

  std::unique_ptr<PreferredZonesEnvironment> environment_;
};

}  // namespace todo::contract
