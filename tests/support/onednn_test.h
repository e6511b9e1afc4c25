#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

#include "kernels/onednn/load.h"

namespace penult::testing {

// Tests of the backend onednn: skipped, with the reason, where there is none, unless
// PENULT_REQUIRE_ONEDNN=1 says that there must be one (tests/run.sh does).
template <class Base = ::testing::Test>
class OnednnTest : public Base {
 protected:
  void SetUp() override {
    const auto loaded = kernels::load_onednn();
    if (loaded.ok()) {
      module_ = *loaded;
      return;
    }
    const char* required = std::getenv("PENULT_REQUIRE_ONEDNN");
    if (required != nullptr && std::string_view(required) == "1")
      FAIL() << loaded.status().message();
    GTEST_SKIP() << loaded.status().message();
  }

  const kernels::BackendModule* module_ = nullptr;
};

}  // namespace penult::testing
