#include "engine/base/activation_def.h"

#include <array>
#include <cmath>

namespace penult {
namespace {

using Kind = Activation::Kind;

double clamp(double x, double lo, double hi) {  // written so that a NaN stays a NaN
  const double raised = x < lo ? lo : x;
  return raised > hi ? hi : raised;
}

double none(const Activation&, double x) { return x; }
// ReLU is (0, inf), ReLU6 (0, 6).
double clamped(const Activation& f, double x) { return clamp(x, f.a, f.b); }
double leaky_relu(const Activation& f, double x) { return x > 0 ? x : f.a * x; }
double hard_swish(const Activation&, double x) { return x * clamp(x + 3, 0, 6) / 6; }
double hard_sigmoid(const Activation&, double x) { return clamp(x + 3, 0, 6) / 6; }
double sigmoid(const Activation&, double x) { return 1 / (1 + std::exp(-x)); }
double silu(const Activation&, double x) { return x / (1 + std::exp(-x)); }

constexpr std::array kActivations = {
    ActivationDef{Kind::kNone, "none", 0, none},
    ActivationDef{Kind::kClamp, "clamp", 2, clamped},
    ActivationDef{Kind::kLeakyRelu, "leaky_relu", 1, leaky_relu},
    ActivationDef{Kind::kHardSwish, "hard_swish", 0, hard_swish},
    ActivationDef{Kind::kHardSigmoid, "hard_sigmoid", 0, hard_sigmoid},
    ActivationDef{Kind::kSigmoid, "sigmoid", 0, sigmoid},
    ActivationDef{Kind::kSilu, "silu", 0, silu},
};

constexpr bool in_order() {
  for (size_t i = 0; i < kActivations.size(); ++i)
    if (static_cast<size_t>(kActivations[i].kind) != i) return false;
  return true;
}
static_assert(in_order(), "def_of finds a row by its kind");

}  // namespace

std::span<const ActivationDef> all_activations() { return kActivations; }

}  // namespace penult
