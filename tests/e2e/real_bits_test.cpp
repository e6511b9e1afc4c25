// The promise of bits, on the two networks with real weights and real photos: whatever the batch,
// the position in it, the number of threads and the other taps, `native` gives the same bits; and
// they are those of the unfused sequence of native kernels.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/base/text.h"
#include "tests/support/bits_oracle.h"
#include "tests/support/every_net.h"

namespace penult {
namespace {

using testing::BitsCheck;
using testing::BitsOracle;
using testing::Maps;
using testing::RealNet;
using testing::same_bits;

constexpr int64_t kImages = 7;

class RealBits : public ::testing::TestWithParam<std::tuple<RealNet, Isa>> {
 protected:
  void SetUp() override {
    if (!is_supported(isa())) GTEST_SKIP() << "this machine lacks " << isa_name(isa());
    testing::skip_without_assets();
    if (IsSkipped() || HasFatalFailure()) return;
    model_ = testing::load_real_net(std::get<0>(GetParam()), testing::Through::kMemory);
    ASSERT_NE(model_, nullptr);
  }

  Isa isa() const { return std::get<1>(GetParam()); }

  BitsOracle oracle(int64_t size, int64_t count) const {
    return {model_, isa(), size, testing::photo_pictures(*model_, size, count)};
  }

  std::shared_ptr<const Model> model_;
};

TEST_P(RealBits, FusedTapsAloneEqualTheUnfusedSequence) {
  const BitsOracle oracle = this->oracle(96, kImages);
  ASSERT_TRUE(oracle.ok());
  BitsCheck check(oracle);
  for (const std::string& tap : oracle.taps()) {
    // Batch 1 and 7 with two threads, batch 2 with one.
    const auto two = check.extractor({{tap}, kImages, 2});
    const auto one = check.extractor({{tap}, 2, 1});
    ASSERT_TRUE(two && one) << tap;
    check.compare(*two, kImages, 0, "two threads");
    check.compare(*two, 1, 0, "two threads");
    check.compare(*one, 2, 0, "one thread");
  }
  EXPECT_EQ(check.mismatches(), 0) << check.report();
  EXPECT_EQ(check.comparisons(), (kImages + 3) * static_cast<int64_t>(oracle.taps().size()));
}

// The comparison above would be empty if nothing were fused, or if the pictures were alike.
TEST_P(RealBits, PlansAreFusedAndPicturesDiffer) {
  const BitsOracle oracle = this->oracle(96, kImages);
  ASSERT_TRUE(oracle.ok());
  EXPECT_LT(oracle.fused_kernels() + 40, oracle.kernels());
  oracle.expect_images_differ();
}

TEST_P(RealBits, AllTapsAreTheSameAtEveryPositionOfABatch) {
  const BitsOracle oracle = this->oracle(96, kImages);
  ASSERT_TRUE(oracle.ok());
  BitsCheck check(oracle);
  for (const int threads : {1, 2}) {
    const auto seven = check.extractor({{"all"}, kImages, threads});
    ASSERT_NE(seven, nullptr);
    for (int64_t first = 0; first < kImages; ++first) {
      for (const int64_t n : {int64_t{1}, int64_t{2}, kImages}) {
        check.compare(*seven, n, first, concat(threads, " threads"));
      }
    }
  }
  EXPECT_EQ(check.mismatches(), 0) << check.report();
}

// At the size of real use other tiles, chunks and thread splits are taken than at 96 pixels.
TEST_P(RealBits, BlocksAreTheSameInPairsAt224Pixels) {
  const BitsOracle oracle = this->oracle(224, 2);
  ASSERT_TRUE(oracle.ok());
  BitsCheck check(oracle);
  for (const int threads : {1, 2}) {
    const auto pair = check.extractor({{"blocks"}, 2, threads});
    ASSERT_NE(pair, nullptr);
    for (int64_t first = 0; first < 2; ++first) {
      check.compare(*pair, 2, first, concat(threads, " threads"));
    }
  }
  EXPECT_EQ(check.mismatches(), 0) << check.report();
}

// Memory is reused from run to run and from layer to layer, and what a vector is padded with is
// unspecified: a picture of NaNs must not shine through.
TEST_P(RealBits, DoNotDependOnWhatWasInTheBatchBeforeOrBeside) {
  constexpr int64_t kSize = 96;
  const std::vector<float> images = testing::photo_pictures(*model_, kSize, 2);
  const size_t elems = images.size() / 2;
  for (const char* taps : {"all", "blocks", "penultimate"}) {
    const testing::Target target = {.backend = "native", .isa = isa()};
    const auto fresh = testing::make_extractor(model_, {{taps}, target, kSize, 1, 1});
    const auto used = testing::make_extractor(model_, {{taps}, target, kSize, 2, 2});
    ASSERT_TRUE(fresh && used);
    const Maps want = testing::run(*fresh, std::span(images).last(elems), 1);
    std::vector<float> poisoned = images;
    std::fill(poisoned.begin(), poisoned.begin() + static_cast<int64_t>(elems), NAN);
    const Maps beside = testing::run(*used, poisoned, 2);
    std::fill(poisoned.begin(), poisoned.end(), NAN);
    testing::run(*used, poisoned, 2);
    const Maps after = testing::run(*used, std::span(images).last(elems), 1);
    for (size_t t = 0; t < want.values.size(); ++t) {
      EXPECT_TRUE(same_bits(beside.values[t], 1, want.values[t])) << want.outputs[t].name;
      EXPECT_TRUE(same_bits(after.values[t], 0, want.values[t])) << want.outputs[t].name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(RealNets, RealBits,
                         ::testing::Combine(::testing::ValuesIn(testing::real_nets().begin(),
                                                                testing::real_nets().end()),
                                            ::testing::ValuesIn(all_isas().begin(),
                                                                all_isas().end())),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param).name) + "_" +
                                  isa_name(std::get<1>(test.param));
                         });

}  // namespace
}  // namespace penult
