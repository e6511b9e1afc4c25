#pragma once

// What a network is given for the bytes of a picture.

#include <array>
#include <cstdint>

namespace penult {

// For each channel of the network: which of a pixel's bytes r, g, b it is made of, and what each
// byte becomes.
struct Rgb8Values {
  std::array<int, 3> byte = {0, 1, 2};
  std::array<std::array<float, 256>, 3> value = {};
};

// (x / 255 - mean) / std, as torchvision's ToTensor and Normalize compute it: the same float32
// operations in the same order. mean and std stand in the order of the network's channels.
Rgb8Values make_rgb8_values(const std::array<float, 3>& mean, const std::array<float, 3>& std,
                            bool bgr);

}  // namespace penult
