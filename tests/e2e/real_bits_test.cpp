// The promise of bits, on the two networks with real weights and real photos: whatever the batch,
// the position in it, the number of threads and the other taps, `native` gives the same bits; and
// they are those of the unfused sequence of native kernels.

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "engine/exec/executor.h"
#include "engine/input_size.h"
#include "engine/model/model_data.h"
#include "engine/passes/passes.h"
#include "tests/support/real_nets.h"

namespace penult {
namespace {

using testing::Maps;
using testing::RealNet;

constexpr int64_t kImages = 7;

// Seven pictures that no two of are alike: three photos, at several distances.
std::vector<float> pictures(const Model& model, int64_t size, int64_t count) {
  const char* const photos[] = {"coffee.png", "chelsea.png", "rocket.jpg"};
  const auto elems = static_cast<size_t>(3 * size * size);
  std::vector<float> images(elems * static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    const auto photo = testing::load_photo(photos[i % 3]);
    EXPECT_TRUE(photo.ok()) << photo.status().message();
    Preprocess preprocess = model.preprocess();
    preprocess.resize = static_cast<int32_t>(size + i * size / 8);
    preprocess.crop_h = preprocess.crop_w = static_cast<int32_t>(size);
    const auto crop = photo.ok() ? resize_and_crop(*photo, preprocess) : photo.status();
    EXPECT_TRUE(crop.ok()) << crop.status().message();
    if (!crop.ok()) return {};
    normalize_to_chw(*crop, preprocess, std::span(images).subspan(elems * i, elems));
  }
  return images;
}

// Image `index` of many, as the first of a batch that goes around.
std::vector<float> rotated(const std::vector<float>& images, size_t elems, int64_t index) {
  std::vector<float> out(images.begin() + static_cast<int64_t>(elems) * index, images.end());
  out.insert(out.end(), images.begin(), images.begin() + static_cast<int64_t>(elems) * index);
  return out;
}

struct Setting {
  std::vector<std::string> taps;
  int64_t size, max_batch;
  int threads;
};

class RealBits : public ::testing::TestWithParam<std::tuple<RealNet, Isa>> {
 protected:
  void SetUp() override {
    if (!is_supported(isa())) GTEST_SKIP() << "this machine lacks " << isa_name(isa());
    testing::skip_without_assets();
    if (IsSkipped() || HasFatalFailure()) return;
    model_ = testing::load_real_net(std::get<0>(GetParam()), testing::Through::kMemory);
    ASSERT_NE(model_, nullptr);
    taps_ = testing::tap_names(*model_);
  }

  Isa isa() const { return std::get<1>(GetParam()); }

  std::unique_ptr<Extractor> extractor(const Setting& s) const {
    return testing::make_extractor(
        model_, {s.taps, {.backend = "native", .isa = isa()}, s.size, s.max_batch, s.threads});
  }

  // Every tap of `n` images by a plan that is folded and not fused, a kernel for each operator;
  // one run for each image, one thread.
  std::vector<Maps> unfused(int64_t size, const std::vector<float>& images, int64_t n,
                            size_t& kernels) const {
    Graph graph = model_->data().graph;
    EXPECT_TRUE(set_input_size(model_->data(), size, size, graph).ok());
    std::vector<ValueId> values;
    std::vector<Delivery> deliveries;
    for (const Tap& tap : model_->data().taps) {
      values.push_back(tap.value);
      deliveries.push_back({tap.value, Pooling::kNone});
    }
    EXPECT_TRUE(run_passes(graph, values, {.fuse = false}).ok());
    kernels = graph.nodes.size();
    const Result<Plan> plan = make_plan(graph, deliveries, {.isa = isa()});
    EXPECT_TRUE(plan.ok()) << plan.status().message();
    auto workspace = plan.ok() ? Workspace::create(*plan) : plan.status();
    EXPECT_TRUE(workspace.ok()) << workspace.status().message();
    std::vector<Maps> maps(workspace.ok() ? static_cast<size_t>(n) : 0);
    for (size_t i = 0; i < maps.size(); ++i) {
      std::vector<std::span<float>> spans;
      maps[i].values.reserve(values.size());
      for (const ValueId value : values) {
        const auto elems = static_cast<size_t>(graph.values[value].shape.elems());
        spans.emplace_back(maps[i].values.emplace_back(elems, NAN));
      }
      const float* image = images.data() + static_cast<int64_t>(i) * 3 * size * size;
      EXPECT_TRUE((*workspace)->run(image, 1, spans).ok());
    }
    return maps;
  }

  std::shared_ptr<const Model> model_;
  std::vector<std::string> taps_;
};

// Bits of image `position` of a batch equal those of the image alone.
bool same_bits(const std::vector<float>& batch, int64_t position, const std::vector<float>& alone) {
  const size_t from = alone.size() * static_cast<size_t>(position);
  return batch.size() >= from + alone.size() &&
         std::memcmp(batch.data() + from, alone.data(), alone.size() * sizeof(float)) == 0;
}

TEST_P(RealBits, FusedTapsAloneEqualTheUnfusedSequence) {
  constexpr int64_t kSize = 96;
  const std::vector<float> images = pictures(*model_, kSize, kImages);
  size_t kernels = 0;
  const std::vector<Maps> oracle = unfused(kSize, images, kImages, kernels);
  ASSERT_EQ(oracle.size(), static_cast<size_t>(kImages));
  for (size_t t = 0; t < taps_.size(); ++t) {
    // Batch 1 and 7 with two threads, batch 2 with one.
    const auto two = extractor({{taps_[t]}, kSize, kImages, 2});
    const auto one = extractor({{taps_[t]}, kSize, 2, 1});
    ASSERT_TRUE(two && one) << taps_[t];
    const std::span<const float> all(images);
    const Maps seven = testing::run(*two, all, kImages);
    const Maps single = testing::run(*two, all.first(images.size() / kImages), 1);
    const Maps pair = testing::run(*one, all.first(2 * images.size() / kImages), 2);
    EXPECT_TRUE(same_bits(single.values[0], 0, oracle[0].values[t])) << taps_[t];
    for (int64_t i = 0; i < kImages; ++i) {
      EXPECT_TRUE(same_bits(seven.values[0], i, oracle[i].values[t])) << taps_[t] << ", " << i;
      if (i >= 2) continue;
      EXPECT_TRUE(same_bits(pair.values[0], i, oracle[i].values[t])) << taps_[t] << ", " << i;
    }
  }
}

// The comparison above would be empty if nothing were fused, or if the pictures were alike.
TEST_P(RealBits, PlansAreFusedAndPicturesDiffer) {
  constexpr int64_t kSize = 96;
  const std::vector<float> images = pictures(*model_, kSize, kImages);
  size_t unfused_kernels = 0;
  const std::vector<Maps> maps = unfused(kSize, images, kImages, unfused_kernels);
  Graph graph = model_->data().graph;
  ASSERT_TRUE(set_input_size(model_->data(), kSize, kSize, graph).ok());
  ASSERT_TRUE(run_passes(graph, {model_->data().taps.back().value}, {.fuse = true}).ok());
  EXPECT_LT(graph.nodes.size() + 40, unfused_kernels);
  for (size_t t = 0; t < taps_.size(); ++t) {
    for (int64_t i = 1; i < kImages; ++i) {
      EXPECT_FALSE(same_bits(maps[i].values[t], 0, maps[i - 1].values[t])) << taps_[t];
    }
  }
}

TEST_P(RealBits, AllTapsAreTheSameAtEveryPositionOfABatch) {
  constexpr int64_t kSize = 96;
  const std::vector<float> images = pictures(*model_, kSize, kImages);
  const size_t elems = images.size() / kImages;
  size_t kernels = 0;
  const std::vector<Maps> oracle = unfused(kSize, images, kImages, kernels);
  ASSERT_EQ(oracle.size(), static_cast<size_t>(kImages));
  for (const int threads : {1, 2}) {
    const auto seven = extractor({taps_, kSize, kImages, threads});
    ASSERT_NE(seven, nullptr);
    for (int64_t first = 0; first < kImages; ++first) {
      const std::vector<float> batch = rotated(images, elems, first);
      for (const int64_t n : {int64_t{1}, int64_t{2}, kImages}) {
        const Maps maps = testing::run(*seven, std::span(batch).first(elems * n), n);
        for (size_t t = 0; t < taps_.size(); ++t) {
          for (int64_t i = 0; i < n; ++i) {
            EXPECT_TRUE(same_bits(maps.values[t], i, oracle[(first + i) % kImages].values[t]))
                << taps_[t] << ", image " << i << " of " << n << ", " << threads << " threads";
          }
        }
      }
    }
  }
}

// At the size of real use other tiles, chunks and thread splits are taken than at 96 pixels.
TEST_P(RealBits, BlocksAreTheSameInPairsAt224Pixels) {
  constexpr int64_t kSize = 224;
  const std::vector<float> images = pictures(*model_, kSize, 2);
  const size_t elems = images.size() / 2;
  const auto alone = extractor({{"blocks"}, kSize, 1, 1});
  ASSERT_NE(alone, nullptr);
  const Maps want[] = {testing::run(*alone, std::span(images).first(elems), 1),
                       testing::run(*alone, std::span(images).last(elems), 1)};
  for (const int threads : {1, 2}) {
    const auto pair = extractor({{"blocks"}, kSize, 2, threads});
    ASSERT_NE(pair, nullptr);
    for (int64_t first = 0; first < 2; ++first) {
      const Maps maps = testing::run(*pair, rotated(images, elems, first), 2);
      for (size_t t = 0; t < maps.values.size(); ++t) {
        for (int64_t i = 0; i < 2; ++i) {
          EXPECT_TRUE(same_bits(maps.values[t], i, want[(first + i) % 2].values[t]))
              << maps.outputs[t].name << ", image " << i << ", " << threads << " threads";
        }
      }
    }
  }
}

// Memory is reused from run to run and from layer to layer, and what a vector is padded with is
// unspecified: a picture of NaNs must not shine through.
TEST_P(RealBits, DoNotDependOnWhatWasInTheBatchBeforeOrBeside) {
  constexpr int64_t kSize = 96;
  std::vector<float> images = pictures(*model_, kSize, 2);
  const size_t elems = images.size() / 2;
  for (const char* taps : {"all", "blocks", "penultimate"}) {
    const auto fresh = extractor({{taps}, kSize, 1, 1});
    const auto used = extractor({{taps}, kSize, 2, 2});
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
