#include "tests/kernels/numerics.h"

#include <algorithm>
#include <cmath>

#include "tests/support/error_model.h"

namespace penult::testing {
namespace {

using kernels::NumericClass;

int64_t window(const ProblemSpec& spec) { return spec.kh * spec.kw; }

// The longest window of adaptive_avg_pool2d along an axis, at most.
int64_t adaptive_window(int64_t in, int64_t out) { return in % out == 0 ? in / out : in / out + 2; }

struct Numerics {
  const char* op;
  // Successive f32 roundings of a dst element, counted generously, epilogue excluded.
  int64_t (*roundings)(const ProblemSpec&);
  bool exact_on_integers;
  bool relative;  // the bound is relative to the result, not to the magnitude
};
constexpr Numerics kNumerics[] = {
    // The factors of a second source cost one rounding more.
    {"conv2d",
     [](const ProblemSpec& s) {
       return s.src.c / s.groups * window(s) + 1 + static_cast<int64_t>(s.further.size());
     },
     true, false},
    {"linear", [](const ProblemSpec& s) { return s.src.c + 1; }, true, false},
    {"global_avg_pool", [](const ProblemSpec& s) { return s.src.h * s.src.w + 2; }, false, false},
    {"avg_pool2d", [](const ProblemSpec& s) { return window(s) + 1; }, true, false},
    {"adaptive_avg_pool2d",
     [](const ProblemSpec& s) {
       return adaptive_window(s.src.h, s.dst().h) * adaptive_window(s.src.w, s.dst().w) + 1;
     },
     true, false},
    // scale, shift, product, sum
    {"batchnorm", [](const ProblemSpec&) { return int64_t{4}; }, false, false},
    // Logits in [-1, 1].
    {"softmax", [](const ProblemSpec& s) { return s.src.c + 16; }, false, true},
};
constexpr Numerics kOthers = {"", [](const ProblemSpec&) { return int64_t{1}; }, true, false};

const Numerics& numerics_of(const ProblemSpec& spec) {
  for (const Numerics& numerics : kNumerics)
    if (numerics.op == spec.op) return numerics;
  return kOthers;
}

bool is_exact(const Activation& activation) {
  return activation.kind == Activation::Kind::kNone || activation.kind == Activation::Kind::kClamp;
}

}  // namespace

int64_t test_cost(const ProblemSpec& spec) {
  int64_t elems = spec.dst().elems();
  const int64_t operations = spec.macs() > 0 ? spec.macs() : elems * window(spec);
  for (const Shape& shape : spec.inputs()) elems += shape.elems();
  return operations + 16 * elems;
}

ErrorBound error_bound(const ProblemSpec& spec, NumericClass numeric_class) {
  constexpr int64_t kEpilogue = 2;  // residual, and storing the reference as f32
  const Numerics& numerics = numerics_of(spec);
  int64_t roundings = numerics.roundings(spec);
  // kernels/winograd_conv2d/winograd_conv2d.h
  if (numeric_class != NumericClass::kDirect) roundings = spec.src.c + 24;
  ErrorBound bound{roundings + kEpilogue, numerics.relative, 0};
  for (const Activation& f : {make_problem(spec).function, spec.epilogue.activation})
    bound.functions += !is_exact(f);
  return bound;
}

double ErrorBound::at(double magnitude, double expected) const {
  double error = rounding_bound(roundings, relative ? std::fabs(expected) : magnitude);
  for (int i = 0; i < functions; ++i) error = bound_through_activation(error, magnitude);
  return error;
}

bool is_exact_on_integers(const ProblemSpec& spec, NumericClass numeric_class) {
  // Roots of 2 are no fractions; the halves of F(2,3) are.
  if (numeric_class == NumericClass::kWinograd43) return false;
  return numerics_of(spec).exact_on_integers && is_exact(make_problem(spec).function) &&
         is_exact(spec.epilogue.activation);
}

ProblemSpec reduced(ProblemSpec spec, int64_t max_test_cost) {
  // Unless the window, or what negative pads leave, needs more.
  const auto halve = [](int64_t size, int64_t reach, int64_t before, int64_t after) {
    const int64_t half = (size + 1) / 2;
    const int64_t cut = -std::min<int64_t>(before, 0) - std::min<int64_t>(after, 0);
    return half >= std::max(reach, cut + 1) ? half : size;
  };
  while (spec.src.is_map() && test_cost(spec) > max_test_cost) {
    const Shape before = spec.src;
    spec.src.h = halve(before.h, (spec.kh - 1) * spec.dh + 1, spec.top, spec.bottom);
    spec.src.w = halve(before.w, (spec.kw - 1) * spec.dw + 1, spec.left, spec.right);
    if (spec.src == before) break;
    for (Shape& shape : spec.further) {
      if (shape.h == before.h) shape.h = spec.src.h;
      if (shape.w == before.w) shape.w = spec.src.w;
    }
  }
  // Further output channels are further panels, of the same width.
  constexpr int64_t kManyChannels = 128;
  while (spec.groups == 1 && spec.oc % (2 * kManyChannels) == 0 &&
         test_cost(spec) > 10 * max_test_cost) {
    spec.oc /= 2;
  }
  return spec;
}

}  // namespace penult::testing
