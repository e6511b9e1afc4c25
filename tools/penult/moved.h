#pragma once

// A network and an input that rounding cannot tell from given ones: how much its values change
// shows how far roundings can take them.

#include <memory>
#include <vector>

#include "penult/model.h"

namespace penult::program {

// By how much of itself each number is changed, up or down. A sum of k products in float32 is
// exactly that of weights which differ by at most k u / (1 - k u) of themselves, u = 2^-24 (Higham,
// Accuracy and Stability of Numerical Algorithms, 3.1), and by about sqrt(k) u as errors mostly
// are: 2^-20 is that of k = 256.
inline constexpr double kMove = 1.0 / (1 << 20);

// Signs are random, and the same on every machine.
std::vector<float> moved(std::vector<float> numbers);
Result<std::shared_ptr<const Model>> moved(const Model& model);  // all weights; reads model's

}  // namespace penult::program
