// Decoded pixels -> network input, as torchvision's Resize, CenterCrop, ToTensor, Normalize do it.

#include <algorithm>
#include <cmath>
#include <memory>

#include "engine/base/check.h"
#include "engine/base/cpu_features.h"
#include "engine/base/rgb8_values.h"
#include "engine/base/text.h"
#include "engine/image/image.h"
#include "kernels/resize/resize.h"

namespace penult {
namespace {

constexpr int64_t kMaxPixels = 178'956'970;  // of one picture that is allocated here

Status check_pixels(const char* what, int64_t h, int64_t w) {
  if (h >= 1 && w >= 1 && h <= kMaxPixels / w) return {};
  return {StatusCode::kLimitExceeded,
          concat(what, " of ", w, "x", h, " is outside the budget of ", kMaxPixels, " pixels")};
}

kernels::ResizeFilter filter_of(Preprocess::Filter filter) {
  return filter == Preprocess::Filter::kBilinear ? kernels::ResizeFilter::kBilinear
                                                 : kernels::ResizeFilter::kBicubic;
}

// One side of a centre crop: `size` positions from `from` on go to `to`, the others stay zero.
struct CropSide {
  int64_t from, to, size;
};

// Where the picture is smaller than the crop, torchvision pads with zeros, the smaller half first.
// Else it rounds half to even, as Python does; nearbyint does so in the default mode.
CropSide crop_side(int64_t have, int64_t want) {
  if (have < want) return {.from = 0, .to = (want - have) / 2, .size = have};
  const double middle = static_cast<double>(have - want) / 2.0;
  return {.from = static_cast<int64_t>(std::nearbyint(middle)), .to = 0, .size = want};
}

}  // namespace

struct CropScratch::Memory {
  kernels::ResizeScratch resize;
};

CropScratch::CropScratch() : memory_(std::make_unique<Memory>()) {}
CropScratch::~CropScratch() = default;

Result<Image> resize_image(const Image& image, int64_t h, int64_t w, Preprocess::Filter filter) {
  PENULT_RETURN_IF_ERROR(check_pixels("a resized picture", h, w));
  PENULT_ASSIGN_OR_RETURN(const Isa isa, usable_isa());
  Image resized{.h = h, .w = w, .rgb = {}};
  resized.rgb.resize(h * w * 3);
  const kernels::ResizeJob whole{.src = image.rgb.data(),
                                 .sh = image.h,
                                 .sw = image.w,
                                 .dh = h,
                                 .dw = w,
                                 .filter = filter_of(filter),
                                 .y = 0,
                                 .x = 0,
                                 .h = h,
                                 .w = w};
  kernels::ResizeScratch scratch;
  kernels::resize_rgb8(isa, whole, resized.rgb.data(), w * 3, scratch);
  return resized;
}

Status resize_and_crop(const Image& image, const Preprocess& preprocess, std::span<uint8_t> crop,
                       CropScratch& scratch) {
  PENULT_DCHECK(preprocess.resize >= 1 && preprocess.crop_h >= 1 && preprocess.crop_w >= 1);
  PENULT_DCHECK(crop.size() == static_cast<size_t>(preprocess.crop_h) * preprocess.crop_w * 3);
  PENULT_ASSIGN_OR_RETURN(const Isa isa, usable_isa());
  int64_t h = preprocess.resize, w = preprocess.resize;
  if (preprocess.resize_mode == Preprocess::ResizeMode::kShortSide) {
    // torchvision: int(size * long / short)
    if (image.h <= image.w) w = preprocess.resize * image.w / image.h;
    if (image.w < image.h) h = preprocess.resize * image.h / image.w;
  }
  const int64_t stride = int64_t{preprocess.crop_w} * 3;
  const CropSide rows = crop_side(h, preprocess.crop_h), columns = crop_side(w, preprocess.crop_w);
  const bool padded = rows.size < preprocess.crop_h || columns.size < preprocess.crop_w;
  if (padded) std::fill(crop.begin(), crop.end(), uint8_t{0});
  const kernels::ResizeJob job{.src = image.rgb.data(),
                               .sh = image.h,
                               .sw = image.w,
                               .dh = h,
                               .dw = w,
                               .filter = filter_of(preprocess.filter),
                               .y = rows.from,
                               .x = columns.from,
                               .h = rows.size,
                               .w = columns.size};
  kernels::resize_rgb8(isa, job, &crop[rows.to * stride + columns.to * 3], stride,
                       scratch.memory_->resize);
  return {};
}

Result<Image> resize_and_crop(const Image& image, const Preprocess& preprocess) {
  PENULT_RETURN_IF_ERROR(check_pixels("a crop", preprocess.crop_h, preprocess.crop_w));
  Image crop{.h = preprocess.crop_h, .w = preprocess.crop_w, .rgb = {}};
  crop.rgb.resize(crop.h * crop.w * 3);
  CropScratch scratch;
  PENULT_RETURN_IF_ERROR(resize_and_crop(image, preprocess, crop.rgb, scratch));
  return crop;
}

void normalize_to_chw(const Image& image, const Preprocess& preprocess, std::span<float> dst) {
  const bool bgr = preprocess.channel_order == Preprocess::ChannelOrder::kBgr;
  const Rgb8Values values = make_rgb8_values(preprocess.mean, preprocess.std, bgr);
  const int64_t pixels = image.h * image.w;
  for (int c = 0; c < 3; ++c) {
    const uint8_t* src = image.rgb.data() + values.byte[c];
    float* plane = dst.data() + c * pixels;
    for (int64_t i = 0; i < pixels; ++i) plane[i] = values.value[c][src[3 * i]];
  }
}

}  // namespace penult
