// A run from bytes has the bits of a run from the floats that the model's preprocessing makes of
// them.

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "penult/extractor.h"
#include "tests/support/onednn_test.h"
#include "tests/support/random_model.h"
#include "tests/support/random_net.h"

namespace penult {
namespace {

using testing::Features;

constexpr int64_t kSize = 40, kBatch = 5;

// (n, kSize, kSize, 3)
std::vector<uint8_t> random_pictures(int64_t n) {
  std::mt19937 random(3);
  std::vector<uint8_t> pictures(static_cast<size_t>(n * kSize * kSize * 3));
  for (uint8_t& byte : pictures) byte = static_cast<uint8_t>(random() >> 24);
  return pictures;
}

// The floats of these bytes, written down once more.
std::vector<float> normalized(const std::vector<uint8_t>& pictures, const Preprocess& preprocess) {
  const bool bgr = preprocess.channel_order == Preprocess::ChannelOrder::kBgr;
  const size_t plane = kSize * kSize;
  std::vector<float> images(pictures.size());
  for (size_t i = 0; i < images.size(); ++i) {
    const size_t image = i / (3 * plane), c = i / plane % 3, pixel = i % plane;
    const uint8_t byte = pictures[(image * plane + pixel) * 3 + (bgr ? 2 - c : c)];
    images[i] = (static_cast<float>(byte) / 255.0f - preprocess.mean[c]) / preprocess.std[c];
  }
  return images;
}

Features run_rgb8(Extractor& extractor, std::span<const uint8_t> pictures, int64_t n) {
  Features features;
  for (const OutputInfo& output : extractor.outputs()) {
    features.emplace_back(static_cast<size_t>(n * output.elems), NAN);
  }
  const std::vector<std::span<float>> spans(features.begin(), features.end());
  const Status status = extractor.run_rgb8(pictures, n, spans);
  EXPECT_TRUE(status.ok()) << status.message();
  return features;
}

bool same_bits(const Features& a, const Features& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].size() != b[i].size()) return false;
    if (std::memcmp(a[i].data(), b[i].data(), a[i].size() * sizeof(float)) != 0) return false;
  }
  return true;
}

std::unique_ptr<Extractor> make(const std::shared_ptr<const Model>& model, const char* backend,
                                int threads) {
  ExtractorOptions options;
  options.taps = {"stem", "penultimate"};
  options.max_batch = kBatch;
  options.threads = threads;
  options.backend = backend;
  auto extractor = Extractor::create(model, options);
  EXPECT_TRUE(extractor.ok()) << extractor.status().message();
  return extractor.ok() ? std::move(extractor).value() : nullptr;
}

std::vector<Preprocess> preprocesses() {
  Preprocess torchvision, bgr, plain;
  bgr.channel_order = Preprocess::ChannelOrder::kBgr;
  plain.mean = {0.5f, 0.5f, 0.5f};
  plain.std = {0.5f, 0.5f, 0.5f};
  return {torchvision, bgr, plain};
}

void compare(const std::shared_ptr<const Model>& model, const char* backend, int threads) {
  const auto extractor = make(model, backend, threads);
  ASSERT_NE(extractor, nullptr);
  const std::vector<uint8_t> pictures = random_pictures(kBatch);
  const std::vector<float> images = normalized(pictures, model->preprocess());
  for (int64_t n = 1; n <= kBatch; ++n) {
    const auto count = static_cast<size_t>(n * 3 * kSize * kSize);
    EXPECT_TRUE(same_bits(run_rgb8(*extractor, std::span(pictures).first(count), n),
                          testing::run(*extractor, std::span(images).first(count), n)))
        << backend << ", " << threads << " threads, batch " << n;
  }
}

void compare_all(const char* backend, const std::vector<int>& threads) {
  for (const Preprocess& preprocess : preprocesses()) {
    for (const auto net : {testing::inverted_residual_net, testing::mixed_net}) {
      const auto model = testing::model_of(net(5, kSize), kSize, preprocess);
      for (const int t : threads) compare(model, backend, t);
    }
  }
}

TEST(Rgb8, HasTheBitsOfFloatsWithNative) { compare_all("native", {1, 2, 3, 4}); }
TEST(Rgb8, HasTheBitsOfFloatsWithReference) { compare_all("reference", {1}); }

class Rgb8Onednn : public testing::OnednnTest<> {};
TEST_F(Rgb8Onednn, HasTheBitsOfFloats) { compare_all("onednn", {1, 2, 3, 4}); }

// Were both all zeros, the bits would agree, too.
TEST(Rgb8, TellsPicturesAndPreprocessingApart) {
  const std::vector<uint8_t> pictures = random_pictures(2);
  const size_t half = pictures.size() / 2;
  std::vector<Features> seen;
  for (const Preprocess& preprocess : preprocesses()) {
    const auto model =
        testing::model_of(testing::inverted_residual_net(5, kSize), kSize, preprocess);
    const auto extractor = make(model, "native", 1);
    for (const size_t from : {size_t{0}, half}) {
      seen.push_back(run_rgb8(*extractor, std::span(pictures).subspan(from, half), 1));
    }
  }
  for (size_t i = 0; i < seen.size(); ++i) {
    for (size_t j = 0; j < i; ++j) EXPECT_FALSE(same_bits(seen[i], seen[j])) << i << " " << j;
  }
}

TEST(Rgb8, FollowsAReshape) {
  const auto model = testing::model_of(testing::inverted_residual_net(5, kSize), kSize);
  const auto extractor = make(model, "native", 2);
  const Features expected = run_rgb8(*extractor, random_pictures(1), 1);
  ASSERT_TRUE(extractor->reshape(48, 64, 1).ok());
  run_rgb8(*extractor, std::vector<uint8_t>(48 * 64 * 3, 200), 1);
  ASSERT_TRUE(extractor->reshape(kSize, kSize, 1).ok());
  EXPECT_TRUE(same_bits(run_rgb8(*extractor, random_pictures(1), 1), expected));
}

TEST(Rgb8, RefusesBuffersOfTheWrongSize) {
  const auto model = testing::model_of(testing::inverted_residual_net(5, kSize), kSize);
  const auto extractor = make(model, "native", 1);
  const auto code = [&](size_t bytes, int64_t n) {
    return extractor->run_rgb8(std::vector<uint8_t>(bytes), n, {}).code();
  };
  const size_t one = 3 * kSize * kSize;
  EXPECT_EQ(code(one, 1), StatusCode::kInvalidArgument);  // no features
  EXPECT_EQ(code(one - 1, 1), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(0, 0), StatusCode::kInvalidArgument);
  EXPECT_EQ(code((kBatch + 1) * one, kBatch + 1), StatusCode::kInvalidArgument);
  const Status status = extractor->run_rgb8(std::vector<uint8_t>(one + 3), 1, {});
  EXPECT_NE(status.message().find("bytes of images: got 4803, expected 4800"), std::string::npos)
      << status.message();
}

}  // namespace
}  // namespace penult
