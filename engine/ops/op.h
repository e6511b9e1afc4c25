#pragma once

// The signature of an operator. Each operator is one OpDef in one file; nothing switches on names.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/base/activation.h"
#include "engine/base/attributes.h"
#include "engine/base/shape.h"
#include "penult/status.h"

namespace penult {

struct AttributeSpec {
  enum class Kind { kInts, kFloat };
  const char* name;
  Kind kind;
  size_t count;               // kInts: exact number of integers
  int64_t int_lo, int_hi;     // allowed range of each integer
  double float_lo, float_hi;  // allowed range; must be finite
  bool required;
  int64_t int_default;
  double float_default;

  static constexpr AttributeSpec ints(const char* name, size_t count, int64_t lo, int64_t hi) {
    return {name, Kind::kInts, count, lo, hi, 0, 0, true, 0, 0};
  }
  static constexpr AttributeSpec ints_or(const char* name, size_t count, int64_t lo, int64_t hi,
                                         int64_t value) {
    return {name, Kind::kInts, count, lo, hi, 0, 0, false, value, 0};
  }
  static constexpr AttributeSpec real(const char* name, double lo, double hi) {
    return {name, Kind::kFloat, 1, 0, 0, lo, hi, true, 0, 0};
  }
  static constexpr AttributeSpec real_or(const char* name, double lo, double hi, double value) {
    return {name, Kind::kFloat, 1, 0, 0, lo, hi, false, 0, value};
  }
};

struct WeightSpec {
  const char* name;  // "weight", "bias", "mean", ...
  int rank;
  bool required;
};

// What shape inference and cost see of a node.
struct OpArgs {
  const Attributes& attrs;
  std::span<const Shape> inputs;
  std::span<const std::vector<int64_t>> weight_dims;  // by slot; empty: not given
};

// How many inputs an operator has: exactly n, or min to max.
struct InputCount {
  size_t min, max;
  constexpr InputCount(int n) : InputCount(n, n) {}  // NOLINT(google-explicit-constructor)
  constexpr InputCount(int least, int most)
      : min(static_cast<size_t>(least)), max(static_cast<size_t>(most)) {}
  constexpr bool allows(size_t n) const { return n >= min && n <= max; }
};

struct Windows;  // engine/ops/window.h

struct OpDef {
  const char* name;
  InputCount inputs;
  std::span<const AttributeSpec> attributes;
  std::span<const WeightSpec> weights;
  // Shape of the output; the error says expected and got (the caller adds the node's name). Checks
  // all that depends on shapes, weight dims included; attributes and weight ranks are valid
  // already.
  Result<Shape> (*infer)(const OpArgs&);
  // Multiply-accumulates of convolutions and matrix products for one image (0 for all others, as
  // is usual in such counts); the largest uint64_t if there are more.
  uint64_t (*macs)(const OpArgs&, const Shape& dst);
  // Optional: replaces size-dependent attributes by numbers once the input shapes are known. Runs
  // before infer, so it must bear inputs and weights of any dims.
  void (*resolve)(Attributes& attrs, const OpArgs&) = nullptr;
  // Optional: the windows of src on which an element of dst depends. Without them it depends on the
  // pixel at its own place, or on the whole map if the flag says so.
  Windows (*windows)(const OpArgs&) = nullptr;
  bool sees_whole_map = false;
  // Optional: this operator is a pointwise activation, and this one. Its kernels are those of
  // "activation"; it has none of its own.
  Activation (*activation)(const Attributes&) = nullptr;
  bool folds_batchnorm =
      false;  // a following batchnorm may be folded into weight/bias slots 0 and 1
  bool takes_epilogue = false;  // a following residual add and activation may be fused
  // A second input that infer() accepts is a factor for each channel of the first.
  bool takes_scale = false;
};

// THE list of operators (op_list.cpp), sorted by name.
std::span<const OpDef* const> all_ops();
// Null if there is no operator of that name.
const OpDef* find_op(std::string_view name);

// All of them, for passes and importers to name.
extern const OpDef kAdaptiveAvgPool2d;
extern const OpDef kAdd;
extern const OpDef kAvgPool2d;
extern const OpDef kBatchnorm;
extern const OpDef kClip;
extern const OpDef kConcat;
extern const OpDef kConv2d;
extern const OpDef kFlattenOp;
extern const OpDef kGlobalAvgPool;
extern const OpDef kHardSigmoid;
extern const OpDef kHardSwish;
extern const OpDef kLeakyRelu;
extern const OpDef kLinear;
extern const OpDef kMaxPool2d;
extern const OpDef kMul;
extern const OpDef kPad;
extern const OpDef kRelu;
extern const OpDef kRelu6;
extern const OpDef kSigmoid;
extern const OpDef kSilu;
extern const OpDef kSlice;
extern const OpDef kSoftmax;
// In no list and no file: passes make it.
extern const OpDef kSqueezeExcitation;

// Checks attrs against the op's specs (unknown, missing, wrong kind, count or range, not finite)
// and fills in defaults. The message names the attribute, expected and got.
Status check_attributes(const OpDef& op, Attributes& attrs);

}  // namespace penult
