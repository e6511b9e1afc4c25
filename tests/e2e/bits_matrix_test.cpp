// The promise of bits at 64 pixels, for all networks and every ISA class: whatever the batch, the
// position in it, the number of threads and the taps asked for, `native` gives the bits of the
// unfused sequence. Every position of a batch holds another picture. ctest runs a sample;
// tests/e2e/bits_matrix.sh the matrix (PENULT_FULL_MATRIX=1).

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "engine/base/text.h"
#include "tests/support/bits_oracle.h"
#include "tests/support/every_net.h"

namespace penult {
namespace {

using testing::BitsCheck;
using testing::BitsOracle;
using testing::EveryNet;

constexpr int64_t kSize = 64;

bool is_complete() { return std::getenv("PENULT_FULL_MATRIX") != nullptr; }

struct Effort {
  std::vector<int64_t> batches;  // the last is the largest
  std::vector<int> threads;
  std::vector<int64_t> rotations;  // of `all`: the picture at position 0
  size_t step;                     // of the taps, every step-th is asked for alone, and in a pair
};

// scalar and portable16 are the code of the others over another type of vector, and slow: a sample
// of the taps. The steps have no factor in common with the taps of a block, so that they meet every
// place of it; but for 5 and MobileNetV3's blocks of 15.
Effort effort_for(const EveryNet& net, Isa isa) {
  const bool is_fast = isa >= Isa::kAvx2;
  if (is_complete()) {
    const size_t step = is_fast ? 1 : net.heavy ? 23 : 5;
    return {{1, 2, 3, 7, 8, 31}, {1, 2, 3, 4}, {0, 10, 21}, step};
  }
  if (net.heavy && !is_fast) return {{1, 3}, {1, 3}, {0}, 61};
  return {{1, 3, 8}, {1, 3}, {0}, net.heavy ? 61u : 29u};
}

class BitsMatrix : public ::testing::TestWithParam<std::tuple<EveryNet, Isa>> {
 protected:
  void SetUp() override {
    if (!is_supported(isa())) GTEST_SKIP() << "this machine lacks " << isa_name(isa());
    testing::skip_without_assets(net());
  }

  const EveryNet& net() const { return std::get<0>(GetParam()); }
  Isa isa() const { return std::get<1>(GetParam()); }
  std::string name() const { return concat(net().name, " ", isa_name(isa())); }
};

// One extractor for all batches.
void compare_taps(const BitsOracle& oracle, const Effort& effort, BitsCheck& check,
                  const std::string& name) {
  const std::vector<std::string>& taps = oracle.taps();
  std::vector<std::vector<std::string>> sets;
  for (size_t t = 0; t < taps.size(); t += effort.step) {
    sets.push_back({taps[t]});
    if (t > 0) sets.push_back({taps[t - 1], taps[t]});
  }
  for (size_t s = 0; s < sets.size(); ++s) {
    for (const int threads : effort.threads) {
      const auto extractor = check.extractor({sets[s], effort.batches.back(), threads});
      ASSERT_NE(extractor, nullptr);
      const std::string what = concat(sets[s].size(), " taps, ", threads, " threads");
      for (const int64_t n : effort.batches) check.compare(*extractor, n, 0, what);
    }
    if (is_complete() && s % 50 == 49) {
      std::cout << name << ": " << s + 1 << " of " << sets.size() << " sets of taps" << std::endl;
    }
  }
}

// An extractor made for each batch.
void compare_group(const std::string& group, const Effort& effort, BitsCheck& check) {
  const std::vector<int64_t> once = {0};
  for (const int threads : effort.threads) {
    for (const int64_t n : effort.batches) {
      const auto extractor = check.extractor({{group}, n, threads});
      ASSERT_NE(extractor, nullptr);
      for (const int64_t first : group == "all" ? effort.rotations : once) {
        check.compare(*extractor, n, first, concat(group, ", ", threads, " threads"));
      }
    }
  }
}

TEST_P(BitsMatrix, EqualsTheUnfusedSequence) {
  const auto model = testing::load_net(net());
  ASSERT_NE(model, nullptr);
  const Effort effort = effort_for(net(), isa());
  const BitsOracle oracle(model, isa(), kSize,
                          testing::pictures(net(), *model, kSize, effort.batches.back()));
  ASSERT_TRUE(oracle.ok());
  BitsCheck check(oracle);
  for (const char* group : {"penultimate", "blocks", "all"}) {
    ASSERT_NO_FATAL_FAILURE(compare_group(group, effort, check));
  }
  ASSERT_NO_FATAL_FAILURE(compare_taps(oracle, effort, check, name()));
  std::cout << "bits " << name() << ": " << check.comparisons() << " comparisons, "
            << check.mismatches() << " mismatches" << std::endl;
  EXPECT_EQ(check.mismatches(), 0) << check.report();
  EXPECT_GE(check.comparisons(), 8 * static_cast<int64_t>(oracle.taps().size()));
}

INSTANTIATE_TEST_SUITE_P(Nets, BitsMatrix,
                         ::testing::Combine(::testing::ValuesIn(testing::every_net().begin(),
                                                                testing::every_net().end()),
                                            ::testing::ValuesIn(all_isas().begin(),
                                                                all_isas().end())),
                         [](const auto& test) {
                           return std::get<0>(test.param).name + "_" +
                                  isa_name(std::get<1>(test.param));
                         });

class BitsMatrixNets : public ::testing::TestWithParam<EveryNet> {
 protected:
  void SetUp() override { testing::skip_without_assets(GetParam()); }
};

// The matrix would be empty if nothing were fused, or if pictures were alike.
TEST_P(BitsMatrixNets, AreFusedAndTellPicturesApart) {
  const auto model = testing::load_net(GetParam());
  ASSERT_NE(model, nullptr);
  const BitsOracle oracle(model, detected_isa(), kSize,
                          testing::pictures(GetParam(), *model, kSize, 31));
  ASSERT_TRUE(oracle.ok());
  EXPECT_LT(oracle.fused_kernels() + 15, oracle.kernels());
  oracle.expect_images_differ();
}

INSTANTIATE_TEST_SUITE_P(Nets, BitsMatrixNets,
                         ::testing::ValuesIn(testing::every_net().begin(),
                                             testing::every_net().end()),
                         [](const auto& test) { return test.param.name; });

// Three pictures, all taps, batch 3.
class BitsCheckOfASpoiltOracle : public ::testing::Test {
 protected:
  BitsCheckOfASpoiltOracle()
      : oracle_(testing::load_net({.name = "mobilenet_v3_small"}), detected_isa(), kSize,
                testing::seeded_pictures(kSize, 3)) {}

  void compare(BitsCheck& check) {
    const auto extractor = check.extractor({{"all"}, 3, 2});
    ASSERT_NE(extractor, nullptr);
    check.compare(*extractor, 3, 1, "spoilt");
    EXPECT_EQ(check.comparisons(), 3 * static_cast<int64_t>(oracle_.taps().size()));
  }

  BitsOracle oracle_;
};

TEST_F(BitsCheckOfASpoiltOracle, FindsNothingInASoundOne) {
  BitsCheck check(oracle_);
  compare(check);
  EXPECT_EQ(check.mismatches(), 0);
  EXPECT_EQ(check.report(), "");
}

TEST_F(BitsCheckOfASpoiltOracle, FindsTheLastBitOfTheLastValueOfEachTap) {
  for (const std::string& tap : oracle_.taps()) {
    float& value = oracle_.of(tap, 2).back();
    uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof(bits));
    bits ^= 1;
    std::memcpy(&value, &bits, sizeof(bits));
  }
  BitsCheck check(oracle_);
  compare(check);
  EXPECT_EQ(check.mismatches(), static_cast<int64_t>(oracle_.taps().size()));
  // The batch begins with image 1.
  EXPECT_NE(check.report().find(oracle_.taps()[0] + ", image 1 of 3 from 1 on"), std::string::npos)
      << check.report();
}

TEST_F(BitsCheckOfASpoiltOracle, FindsPicturesThatHaveChangedPlaces) {
  const std::string& tap = oracle_.taps()[oracle_.taps().size() / 2];
  const std::span<float> one = oracle_.of(tap, 0), other = oracle_.of(tap, 1);
  std::swap_ranges(one.begin(), one.end(), other.begin());
  BitsCheck check(oracle_);
  compare(check);
  EXPECT_EQ(check.mismatches(), 2);
}

}  // namespace
}  // namespace penult
