#pragma once

// A network and an input that rounding cannot tell from given ones: how much its values change
// shows how far roundings can take them.

#include <cstdint>
#include <memory>
#include <vector>

#include "penult/model.h"

namespace penult::program {

// By how much of itself each number is changed, up or down. A sum of k products in float32 is
// exactly that of weights which differ by at most k u / (1 - k u) of themselves, u = 2^-24 (Higham,
// Accuracy and Stability of Numerical Algorithms, 3.1), and by about sqrt(k) u as errors mostly
// are: 2^-18 is that of k = 4096, a 3x3 convolution of 455 channels.
inline constexpr double kMove = 1.0 / (1 << 18);

// Signs are random, others for each `draw`, and the same on every machine.
std::vector<float> moved(std::vector<float> numbers, uint32_t draw);
Result<std::shared_ptr<const Model>> moved(const Model& model, uint32_t draw);  // all weights

}  // namespace penult::program
