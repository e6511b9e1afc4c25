// Every network from bytes: the bits of a run from the floats that normalize_to_chw makes of them.

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/image/image.h"
#include "tests/support/every_net.h"

namespace penult {
namespace {

using testing::EveryNet;

constexpr int64_t kSize = 64, kBatch = 3;

Image busy_picture(uint32_t seed) {
  Image image{.h = kSize, .w = kSize, .rgb = {}};
  for (int64_t i = 0; i < kSize * kSize * 3; ++i) {
    seed = seed * 1664525 + 1013904223;
    image.rgb.push_back(static_cast<uint8_t>(seed >> 24));
  }
  return image;
}

class Rgb8Nets : public ::testing::TestWithParam<EveryNet> {
 protected:
  void SetUp() override { testing::skip_without_assets(GetParam()); }
};

TEST_P(Rgb8Nets, HaveTheBitsOfFloats) {
  const auto model = testing::load_net(GetParam());
  ASSERT_NE(model, nullptr);
  constexpr size_t kElems = 3 * kSize * kSize;
  std::vector<uint8_t> pictures;
  std::vector<float> images(kBatch * kElems);
  for (uint32_t i = 0; i < kBatch; ++i) {
    const Image picture = busy_picture(i);
    pictures.insert(pictures.end(), picture.rgb.begin(), picture.rgb.end());
    normalize_to_chw(picture, model->preprocess(), std::span(images).subspan(i * kElems, kElems));
  }
  ExtractorOptions options;
  options.max_batch = kBatch;
  options.threads = 2;
  options.input_h = options.input_w = kSize;
  auto extractor = Extractor::create(model, options);
  ASSERT_TRUE(extractor.ok()) << extractor.status().message();
  std::vector<float> want(kBatch * (*extractor)->outputs()[0].elems), got(want.size());
  const std::span<float> to_want[] = {want}, to_got[] = {got};
  ASSERT_TRUE((*extractor)->run(images, kBatch, to_want).ok());
  ASSERT_TRUE((*extractor)->run_rgb8(pictures, kBatch, to_got).ok());
  EXPECT_EQ(got, want);
  // Pictures differ, so that equal features say something.
  const auto middle = want.begin() + static_cast<int64_t>(want.size() / kBatch);
  EXPECT_FALSE(std::equal(want.begin(), middle, middle));
}

INSTANTIATE_TEST_SUITE_P(Nets, Rgb8Nets,
                         ::testing::ValuesIn(testing::every_net().begin(),
                                             testing::every_net().end()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace penult
