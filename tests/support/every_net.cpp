#include "tests/support/every_net.h"

#include <gtest/gtest.h>

#include <ostream>
#include <utility>

#include "tests/support/seeded_nets.h"
#include "tests/support/seeded_weights.h"

namespace penult::testing {
namespace {

std::vector<EveryNet> list_nets() {
  std::vector<EveryNet> nets;
  for (const RealNet& net : real_nets()) nets.push_back({.name = net.name, .real = &net});
  for (const SeededNet& net : seeded_nets()) {
    if (!net.needs_more_pixels) nets.push_back({.name = net.name, .heavy = net.heavy});
  }
  return nets;
}

}  // namespace

std::span<const EveryNet> every_net() {
  static const std::vector<EveryNet> nets = list_nets();
  return nets;
}

void PrintTo(const EveryNet& net, std::ostream* out) { *out << net.name; }

void skip_without_assets(const EveryNet& net) {
  if (net.real != nullptr) skip_without_assets();
}

std::shared_ptr<const Model> load_net(const EveryNet& net) {
  return net.real == nullptr ? seeded_model(net.name) : load_real_net(*net.real, Through::kMemory);
}

std::vector<float> photo_pictures(const Model& model, int64_t size, int64_t count) {
  constexpr const char* kPhotos[] = {"coffee.png", "chelsea.png", "rocket.jpg"};
  const auto elems = static_cast<size_t>(3 * size * size);
  std::vector<float> images(elems * static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    const auto photo = load_photo(kPhotos[i % 3]);
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

std::vector<float> seeded_pictures(int64_t size, int64_t count) {
  std::vector<float> images;
  for (int64_t i = 0; i < count; ++i) {
    // Rows of one number: unit variance.
    const std::vector<float> image =
        seeded_values("picture " + std::to_string(i), {3 * size * size, 1});
    images.insert(images.end(), image.begin(), image.end());
  }
  return images;
}

std::vector<float> pictures(const EveryNet& net, const Model& model, int64_t size, int64_t count) {
  return net.real == nullptr ? seeded_pictures(size, count) : photo_pictures(model, size, count);
}

}  // namespace penult::testing
