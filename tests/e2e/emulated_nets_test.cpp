// Whole networks through the kernels for GPUs, on the device emulated, against the reference on the
// processor: all blocks in one run, single ones in runs that end there, batches, bytes.

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/support/real_nets.h"
#include "tests/support/seeded_nets.h"

namespace penult {
namespace {

struct Param {
  const char* net;
  bool real;
  int64_t size;  // pixels: 224 takes minutes
  const char* precision;
};

void PrintTo(const Param& param, std::ostream* out) { *out << param.net << param.precision; }

// Of whole maps; below the least of any tap.
double least_cosine(const char* precision) {
  return std::string(precision) == "f32" ? 1 - 1e-6 : 0.9999;
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    dot += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  if (aa == 0 && bb == 0) return 1;
  return dot / std::sqrt(aa * bb);  // a NaN is below every bound
}

class EmulatedNets : public ::testing::TestWithParam<Param> {
 protected:
  void SetUp() override {
    if (GetParam().real) testing::skip_without_assets();
    if (IsSkipped() || HasFatalFailure()) return;
    model_ = load();
    ASSERT_NE(model_, nullptr);
    std::mt19937 random(11);
    std::normal_distribution<float> normal;
    images_.resize(static_cast<size_t>(kImages * 3 * GetParam().size * GetParam().size));
    for (float& x : images_) x = normal(random);
  }

  static std::shared_ptr<const Model> load() {
    const std::string name = GetParam().net;
    if (!GetParam().real) return testing::seeded_model(name);
    for (const testing::RealNet& net : testing::real_nets())
      if (net.name == name) return testing::load_real_net(net, testing::Through::kMemory);
    return nullptr;
  }

  std::unique_ptr<Extractor> make(const std::vector<std::string>& taps, bool emulated,
                                  Pooling pooling = Pooling::kNone) const {
    ExtractorOptions options;
    options.taps = taps;
    options.pooling = pooling;
    options.max_batch = kImages;
    options.input_h = options.input_w = GetParam().size;
    options.backend = emulated ? "native" : "reference";
    options.device = emulated ? "emulated" : "cpu";
    options.precision = emulated ? GetParam().precision : "f32";
    auto extractor = Extractor::create(model_, options);
    EXPECT_TRUE(extractor.ok()) << extractor.status().message();
    return extractor.ok() ? std::move(extractor).value() : nullptr;
  }

  testing::Maps run(const std::vector<std::string>& taps, bool emulated, int64_t n) const {
    const auto extractor = make(taps, emulated);
    if (extractor == nullptr) return {};
    const auto elems = static_cast<size_t>(n * 3 * GetParam().size * GetParam().size);
    return testing::run(*extractor, std::span(images_).first(elems), n);
  }

  void expect_close(const std::vector<std::string>& taps, int64_t n) const {
    const testing::Maps got = run(taps, true, n), want = run(taps, false, n);
    ASSERT_EQ(got.values.size(), want.values.size());
    ASSERT_FALSE(got.values.empty());
    for (size_t i = 0; i < got.values.size(); ++i) {
      EXPECT_GE(cosine(got.values[i], want.values[i]), least_cosine(GetParam().precision))
          << want.outputs[i].name;
    }
  }

  static constexpr int64_t kImages = 2;
  std::shared_ptr<const Model> model_;
  std::vector<float> images_;
};

TEST_P(EmulatedNets, AgreeAtEveryBlock) { expect_close({"blocks", "penultimate"}, 1); }

// What is asked for decides what is fused.
TEST_P(EmulatedNets, AgreeWhereTheyAreCutShort) {
  const auto blocks = model_->resolve("blocks");
  ASSERT_TRUE(blocks.ok());
  for (size_t i = 0; i < blocks->size(); i += (blocks->size() + 2) / 3)
    expect_close({(*blocks)[i]}, 1);
  expect_close({blocks->front(), blocks->back()}, 1);
}

// A full batch is a graph that was recorded, a smaller one is not.
TEST_P(EmulatedNets, GiveAnImageTheSameBitsInEveryBatch) {
  const std::vector<std::string> taps = {"penultimate"};
  const testing::Maps both = run(taps, true, kImages), one = run(taps, true, 1);
  ASSERT_EQ(both.values.size(), 1U);
  ASSERT_EQ(one.values.size(), 1U);
  for (size_t i = 0; i < one.values[0].size(); ++i)
    ASSERT_EQ(one.values[0][i], both.values[0][i]) << i;
}

TEST_P(EmulatedNets, GiveBytesTheBitsOfFloats) {
  const auto extractor = make({"penultimate"}, true, Pooling::kAvg);
  ASSERT_NE(extractor, nullptr);
  const auto pixels = static_cast<size_t>(GetParam().size * GetParam().size);
  std::vector<uint8_t> bytes(3 * pixels);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 37 % 251);
  const Image image{.h = GetParam().size, .w = GetParam().size, .rgb = bytes};
  std::vector<float> floats(3 * pixels);
  normalize_to_chw(image, model_->preprocess(), floats);
  const auto elems = static_cast<size_t>(extractor->outputs()[0].elems);
  std::vector<float> of_bytes(elems, 1e30F), of_floats(elems, -1e30F);  // neither is a feature
  const std::span<float> first[] = {of_bytes}, second[] = {of_floats};
  ASSERT_TRUE(extractor->run_rgb8(bytes, 1, first).ok());
  ASSERT_TRUE(extractor->run(floats, 1, second).ok());
  EXPECT_EQ(of_bytes, of_floats);
}

// The first layer, and where there are any, squeeze-and-excitation blocks.
TEST_P(EmulatedNets, HaveTheKernelsThatAreMadeForThem) {
  const auto extractor = make({"penultimate"}, true);
  ASSERT_NE(extractor, nullptr);
  const std::string net = GetParam().net, end = std::string("_") + GetParam().precision + "_cuda";
  int stems = 0, blocks = 0;
  for (const StepInfo& step : extractor->steps()) {
    stems += step.kernel == "conv2d_stem" + end;
    blocks += step.kernel == "squeeze_excitation_block" + end;
  }
  const bool has_large_window = net.starts_with("resnet") && end == "_f16_cuda";
  EXPECT_EQ(stems, has_large_window ? 0 : 1);
  EXPECT_EQ(blocks, net == "mobilenet_v3_large" ? 8 : 0);
}

std::string param_name(const ::testing::TestParamInfo<Param>& info) {
  return std::string(info.param.net) + "_" + info.param.precision;
}

INSTANTIATE_TEST_SUITE_P(All, EmulatedNets,
                         ::testing::Values(Param{"mobilenet_v2", true, 96, "f32"},
                                           Param{"mobilenet_v2", true, 96, "f16"},
                                           Param{"tf_efficientnet_lite0", true, 96, "f32"},
                                           Param{"tf_efficientnet_lite0", true, 96, "f16"},
                                           Param{"resnet18", false, 64, "f32"},
                                           Param{"resnet18", false, 64, "f16"},
                                           Param{"resnet50", false, 64, "f32"},
                                           Param{"resnet50", false, 64, "f16"},
                                           Param{"mobilenet_v3_large", false, 64, "f32"},
                                           Param{"mobilenet_v3_large", false, 64, "f16"}),
                         param_name);

}  // namespace
}  // namespace penult
