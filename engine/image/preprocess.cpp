// Decoded pixels -> network input, as torchvision's Resize, CenterCrop, ToTensor, Normalize do it.

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/image/image.h"
#include "kernels/resize/resize.h"

namespace penult {
namespace {

// A thin picture grows along its long side; the budget keeps the allocation in proportion.
constexpr int64_t kMaxResizedPixels = 178'956'970;

Image center_crop(const Image& image, int64_t h, int64_t w) {
  Image crop{.h = h, .w = w, .rgb = {}};
  crop.rgb.assign(h * w * 3, 0);
  // Where the picture is smaller than the crop, torchvision pads with zeros, the smaller half
  // first. Else it rounds half to even, as Python does; nearbyint does so in the default mode.
  const auto offset = [](int64_t have, int64_t want) {
    if (have < want) return -((want - have) / 2);
    return static_cast<int64_t>(std::nearbyint(static_cast<double>(have - want) / 2.0));
  };
  const int64_t top = offset(image.h, h), left = offset(image.w, w);
  const int64_t x0 = std::max<int64_t>(0, -left), x1 = std::min(w, image.w - left);
  for (int64_t y = std::max<int64_t>(0, -top); y < std::min(h, image.h - top); ++y) {
    if (x1 <= x0) break;
    std::memcpy(&crop.rgb[(y * w + x0) * 3], &image.rgb[((y + top) * image.w + x0 + left) * 3],
                (x1 - x0) * 3);
  }
  return crop;
}

}  // namespace

Result<Image> resize_image(const Image& image, int64_t h, int64_t w, Preprocess::Filter filter) {
  if (h < 1 || w < 1 || h > kMaxResizedPixels / w) {
    return Status(StatusCode::kLimitExceeded,
                  concat("resized to ", w, "x", h, " the picture is outside the budget of ",
                         kMaxResizedPixels, " pixels"));
  }
  Image resized{.h = h, .w = w, .rgb = {}};
  resized.rgb.resize(h * w * 3);
  kernels::resize_rgb8(image.rgb.data(), image.h, image.w, resized.rgb.data(), h, w,
                       filter == Preprocess::Filter::kBilinear ? kernels::ResizeFilter::kBilinear
                                                               : kernels::ResizeFilter::kBicubic);
  return resized;
}

Result<Image> resize_and_crop(const Image& image, const Preprocess& preprocess) {
  int64_t h = preprocess.resize, w = preprocess.resize;
  if (preprocess.resize_mode == Preprocess::ResizeMode::kShortSide) {
    // torchvision: int(size * long / short)
    if (image.h <= image.w) w = preprocess.resize * image.w / image.h;
    if (image.w < image.h) h = preprocess.resize * image.h / image.w;
  }
  PENULT_ASSIGN_OR_RETURN(const Image resized, resize_image(image, h, w, preprocess.filter));
  return center_crop(resized, preprocess.crop_h, preprocess.crop_w);
}

void normalize_to_chw(const Image& image, const Preprocess& preprocess, std::span<float> dst) {
  const int64_t pixels = image.h * image.w;
  for (int c = 0; c < 3; ++c) {
    const bool bgr = preprocess.channel_order == Preprocess::ChannelOrder::kBgr;
    const uint8_t* src = image.rgb.data() + (bgr ? 2 - c : c);
    const float mean = preprocess.mean[c], std = preprocess.std[c];
    float* plane = dst.data() + c * pixels;
    for (int64_t i = 0; i < pixels; ++i) {
      plane[i] = (static_cast<float>(src[3 * i]) / 255.0f - mean) / std;
    }
  }
}

}  // namespace penult
