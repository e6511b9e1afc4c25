#pragma once

#include <array>
#include <cmath>

#include "engine/image/image.h"
#include "tests/fuzz/target.h"

namespace penult::fuzz {

// Decodes, and holds a success to what it promises. The last byte chooses how the decoder is asked.
inline int decode_input(const uint8_t* data, size_t size) {
  constexpr int64_t kBudgets[] = {1 << 16, 1 << 18, 1 << 20, 1 << 8};  // large pictures are slow
  constexpr int64_t kSmallSide = 96;  // a thin picture grows to millions of pixels when resized
  const uint8_t choice = size > 0 ? data[size - 1] : 0;
  int64_t announced = 0, times = 0;
  DecodeOptions options;
  options.apply_exif = (choice & 1) != 0;
  options.max_pixels = kBudgets[choice >> 2 & 3];
  options.before_pixels = [&](uint64_t pixels) {
    announced = static_cast<int64_t>(pixels);
    ++times;
  };
  const Result<Image> image = decode_image({data, size}, options);
  require(times <= 1, "the size was announced once");
  if (!image.ok()) {
    const StatusCode code = image.status().code();
    require(code == StatusCode::kImageCorrupt || code == StatusCode::kImageUnsupported ||
                code == StatusCode::kLimitExceeded,
            "a code for images");
    return 0;
  }
  require(image->h > 0 && image->w > 0 && image->h * image->w <= options.max_pixels,
          "the budget is kept");
  require(image->h * image->w == announced, "the size was announced");
  require(image->rgb.size() == static_cast<size_t>(image->h * image->w * 3),
          "all pixels are there");
  if (image->h > kSmallSide || image->w > kSmallSide) return 0;
  Preprocess preprocess;
  preprocess.resize = 20 + (choice >> 5);
  preprocess.crop_h = preprocess.crop_w = 16;
  preprocess.filter =
      (choice & 2) != 0 ? Preprocess::Filter::kBicubic : Preprocess::Filter::kBilinear;
  if ((choice & 16) != 0) preprocess.resize_mode = Preprocess::ResizeMode::kSquash;
  const Result<Image> crop = resize_and_crop(*image, preprocess);
  require(crop.ok() && crop->rgb.size() == 16 * 16 * 3, "a crop of the right size");
  std::array<float, 3 * 16 * 16> input;
  normalize_to_chw(*crop, preprocess, input);
  for (const float value : input) require(std::isfinite(value), "finite input");
  return 0;
}

}  // namespace penult::fuzz
