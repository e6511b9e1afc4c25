// The comparison with goldens, and the goldens themselves: what is wrong must not pass.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "engine/output/npz_reader.h"
#include "tests/support/golden.h"

namespace penult::testing {
namespace {

constexpr int64_t kChannels = 24, kPlane = 36;

std::vector<float> random_map() {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0.5f, 1);
  std::vector<float> map(kChannels * kPlane);
  for (float& v : map) v = normal(random);
  return map;
}

// Stands for the map as make_golden.py would: each seventh position, sums, maximum, norm.
GoldenTap summary_of(const std::vector<float>& map) {
  GoldenTap tap{.name = "tap"};
  double squares = 0;
  for (size_t i = 0; i < map.size(); ++i) {
    if (i % 7 == 0) {
      tap.positions.push_back(static_cast<int32_t>(i));
      tap.values.push_back(map[i]);
    }
    tap.max = std::max(tap.max, std::abs(static_cast<double>(map[i])));
    squares += static_cast<double>(map[i]) * static_cast<double>(map[i]);
  }
  tap.l2 = std::sqrt(squares);
  for (int64_t c = 0; c < kChannels; ++c) {
    double sum = 0;
    for (int64_t i = 0; i < kPlane; ++i) sum += static_cast<double>(map[c * kPlane + i]);
    tap.channel_sums.push_back(static_cast<float>(sum));
  }
  return tap;
}

GoldenTap complete(const std::vector<float>& map) {
  GoldenTap tap = summary_of(map);
  tap.positions.clear();
  tap.channel_sums.clear();
  tap.values = map;
  return tap;
}

bool agrees(const GoldenTap& want, const std::vector<float>& got) {
  const auto agreement = compare(want, got, kChannels);
  EXPECT_TRUE(agreement.ok()) << agreement.status().message();
  return agreement.ok() && agreement->within_tolerance();
}

TEST(GoldenComparison, PassesTheMapItself) {
  const std::vector<float> map = random_map();
  EXPECT_TRUE(agrees(summary_of(map), map));
  EXPECT_TRUE(agrees(complete(map), map));
}

TEST(GoldenComparison, FailsAtOneStoredValueOffByMoreThanTheTolerance) {
  const std::vector<float> map = random_map();
  const GoldenTap want = summary_of(map);
  for (const double factor : {0.9, 1.1}) {
    std::vector<float> got = map;
    got[7] += static_cast<float>(factor * kMaxError * want.max);
    EXPECT_EQ(agrees(want, got), factor < 1) << factor;
    EXPECT_EQ(agrees(complete(map), got), factor < 1) << factor;
  }
}

TEST(GoldenComparison, FailsAtAValueThatIsNotStored) {
  const std::vector<float> map = random_map();
  std::vector<float> got = map;
  got[8] += 0.5f;
  EXPECT_FALSE(agrees(summary_of(map), got));
  got = map;
  got[8] = 100;  // beyond the maximum
  EXPECT_FALSE(agrees(summary_of(map), got));
}

TEST(GoldenComparison, FailsAtSwappedChannels) {
  const std::vector<float> map = random_map();
  std::vector<float> got = map;
  std::swap_ranges(got.begin(), got.begin() + kPlane, got.begin() + kPlane);
  EXPECT_FALSE(agrees(summary_of(map), got));
  EXPECT_FALSE(agrees(complete(map), got));
  // Also where no stored value would show it.
  GoldenTap blind = summary_of(map);
  std::erase_if(blind.positions, [](int32_t position) { return position < 2 * kPlane; });
  blind.values.erase(blind.values.begin(), blind.values.end() - blind.positions.size());
  EXPECT_TRUE(agrees(blind, map));
  EXPECT_FALSE(agrees(blind, got));
}

TEST(GoldenComparison, FailsAtWhatIsNoNumber) {
  const std::vector<float> map = random_map();
  for (const float bad : {NAN, std::numeric_limits<float>::infinity()}) {
    for (const size_t at : {size_t{7}, size_t{8}}) {  // stored, and not stored
      std::vector<float> got = map;
      got[at] = bad;
      EXPECT_FALSE(agrees(summary_of(map), got)) << bad << " at " << at;
      EXPECT_FALSE(agrees(complete(map), got)) << bad << " at " << at;
    }
  }
  EXPECT_FALSE(agrees(summary_of(map), std::vector<float>(map.size(), NAN)));
  EXPECT_FALSE(agrees(summary_of(map), std::vector<float>(map.size(), 0)));
}

TEST(GoldenComparison, HoldsF16ToCosineAndNorm) {
  const std::vector<float> map = random_map();
  const auto agrees_in_f16 = [&](const std::vector<float>& got) {
    const bool whole = compare(complete(map), got, kChannels)->within_f16_tolerance();
    EXPECT_EQ(compare(summary_of(map), got, kChannels)->within_f16_tolerance(), whole);
    return whole;
  };
  // A difference of `angle` at right angles to the map has the cosine 1 / sqrt(1 + angle^2).
  const auto turned = [&](float angle) {
    std::vector<float> got = map;
    for (size_t i = 0; i + 1 < map.size(); i += 2) {
      got[i] += angle * map[i + 1];
      got[i + 1] -= angle * map[i];
    }
    return got;
  };
  const auto scaled = [&](float factor) {
    std::vector<float> got = map;
    for (float& v : got) v *= factor;
    return got;
  };
  EXPECT_TRUE(agrees_in_f16(turned(0.01F)));   // cosine 0.99995
  EXPECT_FALSE(agrees_in_f16(turned(0.02F)));  // 0.9998
  EXPECT_TRUE(agrees_in_f16(scaled(1.014F)));
  EXPECT_FALSE(agrees_in_f16(scaled(1.015F)));
  EXPECT_FALSE(agrees_in_f16(scaled(0)));
  std::vector<float> got = map;
  got[8] = NAN;  // not stored
  EXPECT_FALSE(agrees_in_f16(got));
}

TEST(GoldenComparison, RefusesOtherShapes) {
  const std::vector<float> map = random_map();
  std::vector<float> got = map;
  EXPECT_FALSE(compare(summary_of(map), got, kChannels - 1).ok());
  got.pop_back();
  EXPECT_FALSE(compare(summary_of(map), got, kChannels).ok());
  EXPECT_FALSE(compare(complete(map), got, kChannels).ok());
}

TEST(GoldenComparison, FailsAtARealTapWithOneValueChanged) {
  const auto golden = load_golden("mobilenet_v2_96");
  ASSERT_TRUE(golden.ok()) << golden.status().message();
  const GoldenTap* pooled = golden->find("adaptive_avg_pool2d");
  ASSERT_NE(pooled, nullptr);
  std::vector<float> got = pooled->values;
  ASSERT_EQ(got.size(), 1280u);
  EXPECT_TRUE(compare(*pooled, got, 1280)->within_tolerance());
  got[640] += static_cast<float>(2e-4 * pooled->max);
  EXPECT_FALSE(compare(*pooled, got, 1280)->within_tolerance());
}

TEST(Worst, NamesTheTapAndKeepsNan) {
  Worst worst;
  worst.add("good", {});
  worst.add("bad", {.cosine = NAN, .error = NAN});
  worst.add("also good", {});
  EXPECT_THAT(worst.to_string(), ::testing::HasSubstr("(bad), worst error"));
}

TEST(Goldens, AreTheFilesOfTheManifest) {
  EXPECT_THAT(golden_names(), ::testing::IsSupersetOf({"mobilenet_v2_96", "resnet50_96"}));
  for (const std::string& name : golden_names()) {
    const auto golden = load_golden(name);
    ASSERT_TRUE(golden.ok()) << golden.status().message();
    EXPECT_FALSE(golden->taps.empty());
    for (const GoldenTap& tap : golden->taps) EXPECT_GT(tap.max, 0) << name << " " << tap.name;
  }
  EXPECT_EQ(load_golden("mobilenet_v2_97").status().code(), StatusCode::kNotFound);
}

TEST(NpyReader, RefusesWhatIsDamaged) {
  std::vector<std::byte> file(10);
  EXPECT_EQ(parse_npy(file).status().code(), StatusCode::kFormatCorrupt);
  const std::string text = std::string("\x93NUMPY\x01\x00\x3b\x00", 10) +
                           "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }\n";
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  file.assign(bytes, bytes + text.size());
  ASSERT_EQ(text.size(), 70u);
  file[8] = std::byte{60};
  EXPECT_EQ(parse_npy(file).status().code(), StatusCode::kFormatCorrupt) << "no data";
  file.resize(file.size() + 8);
  const auto array = parse_npy(file);
  ASSERT_TRUE(array.ok()) << array.status().message();
  EXPECT_EQ(array->dims, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(array->values<float>()->size(), 2u);
  EXPECT_FALSE(array->values<double>().ok());
}

}  // namespace
}  // namespace penult::testing
