#pragma once

#include <array>
#include <cstdint>

namespace penult {

/// From decoded RGB pixels to the network's input:
/// resize (Pillow's integer algorithm, antialiased) -> centre crop -> x / 255 -> (x - mean) / std.
struct Preprocess {
  enum class ResizeMode : int32_t {
    kShortSide = 0,  ///< the shorter side becomes `resize`, the aspect ratio stays (torchvision)
    kSquash = 1,     ///< both sides become `resize`, whatever the aspect ratio
  };
  enum class Filter : int32_t { kBilinear = 0, kBicubic = 1 };
  enum class ChannelOrder : int32_t { kRgb = 0, kBgr = 1 };

  ResizeMode resize_mode = ResizeMode::kShortSide;
  int32_t resize = 256;  ///< pixels
  int32_t crop_h = 224;  ///< pixels; the crop is centred as in torchvision
  int32_t crop_w = 224;
  Filter filter = Filter::kBilinear;
  ChannelOrder channel_order = ChannelOrder::kRgb;
  std::array<float, 3> mean = {0.485f, 0.456f, 0.406f};  ///< in units of x / 255
  std::array<float, 3> std = {0.229f, 0.224f, 0.225f};

  bool operator==(const Preprocess&) const = default;
};

}  // namespace penult
